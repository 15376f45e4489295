import { decodeBlock } from '../codec/decode-block.ts';
import { SluiceError } from '../format/errors.ts';
import { type BlockSpan, spanBytes } from '../image/map-range.ts';
import type { DirectoryEntry, FileStat } from '../protocol/loader-api.ts';
import type { Engine } from './engine.ts';
import type { Mount } from './mount.ts';

/** Blocks asked for ahead of the one that is decoded: enough to keep the link busy, little enough to hold in memory. */
const readAhead = 8;

/** A mounted image as files: what pages that mount by themselves, and the standby's callers, read through. */
export class FileReader {
  readonly #engine: Engine;
  readonly #mount: Mount;

  constructor(engine: Engine, mount: Mount) {
    this.#engine = engine;
    this.#mount = mount;
  }

  stat(path: string): FileStat {
    const { kind, size, mime, meta } = this.#mount.image.inode(this.#lookup(path));
    return { kind, size, mime, meta: meta?.slice() };
  }

  readdir(path: string): readonly DirectoryEntry[] {
    const { image } = this.#mount;
    const inode = this.#lookup(path);
    if (image.inode(inode).kind === 'file') throw new SluiceError('ENOTDIR', `${path} is a file`, { path });
    return Array.from(image.readdir(inode), ({ name, kind }) => ({ name, kind }));
  }

  /** Bytes `[start, end)` of the file, `end` clamped to its size, in a buffer of their own. */
  async read(path: string, start: number, end: number, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>> {
    const inode = this.#lookup(path);
    const { size } = this.#fileInode(path, inode);
    if (!(Number.isSafeInteger(start) && start >= 0 && end >= start)) {
      throw new SluiceError('ERANGE', `${path}: [${start}, ${end}) is not a range of bytes`, { path });
    }
    const stop = Math.max(start, Math.min(end, size));
    const into = new Uint8Array(stop - start);
    await this.#eachSpan(path, inode, start, stop, timeoutMs, (span, logical) => {
      into.set(spanBytes(span, logical), span.fileOffset - start);
    });
    return into;
  }

  /** Resolves when all of these files are here. */
  async prefetch(paths: readonly string[], timeoutMs: number): Promise<void> {
    for (const path of paths) {
      const inode = this.#lookup(path);
      await this.#eachSpan(path, inode, 0, this.#fileInode(path, inode).size, timeoutMs, undefined);
    }
  }

  async #eachSpan(
    path: string,
    inode: number,
    start: number,
    end: number,
    timeoutMs: number,
    use: ((span: BlockSpan, logical: Uint8Array<ArrayBuffer>) => void) | undefined,
  ): Promise<void> {
    const spans = this.#mount.image.mapRange(inode, start, end);
    const abort = new AbortController();
    const one = async (): Promise<void> => {
      for (let next = spans.next(); !next.done; next = spans.next()) {
        const { blob, block } = next.value;
        const stored = await this.#engine.read(this.#mount, {
          blob,
          block,
          path,
          timeoutMs,
          signal: abort.signal,
        });
        if (use) use(next.value, await decodeBlock(stored.codec, stored.bytes, stored.logicalLength));
      }
    };
    try {
      await Promise.all(Array.from({ length: readAhead }, one));
    } catch (error) {
      // The others wait for blocks that nobody wants any more.
      abort.abort(error);
      throw error;
    }
  }

  #fileInode(path: string, inode: number): { readonly size: number } {
    const found = this.#mount.image.inode(inode);
    if (found.kind !== 'file') throw new SluiceError('EISDIR', `${path} is a directory`, { path });
    return found;
  }

  #lookup(path: string): number {
    const inode = this.#mount.image.lookup(path);
    if (inode === undefined) throw new SluiceError('ENOENT', `${path} is not in the image`, { path });
    return inode;
  }
}
