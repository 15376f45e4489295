import { decodeBlock } from '../codec/decode-block.ts';
import type { StartZstd } from '../codec/zstd-decoder.ts';
import { codeOf, SluiceError } from '../format/errors.ts';
import { spanBytes } from '../image/map-range.ts';
import type { ByteRange, DirectoryEntry, FileStat, PrefetchPriority } from '../protocol/loader-api.ts';
import { readAhead } from '../protocol/read-deadline.ts';
import type { BlockRead, Engine } from './engine.ts';
import { fileAt, inodeAt } from './lookup.ts';
import type { Mount } from './mount.ts';
import type { StoredBlock } from './stored-block.ts';

/** Enough for requests as long as the background's, where no reader could come to wait behind them. */
const prefetchAhead = 64;

/** A mounted image as files: what pages that mount by themselves, and the standby's callers, read through. */
export class FileReader {
  readonly #engine: Engine;
  readonly #mount: Mount;
  readonly #zstd: StartZstd;

  constructor(engine: Engine, mount: Mount, zstd: StartZstd) {
    this.#engine = engine;
    this.#mount = mount;
    this.#zstd = zstd;
  }

  stat(path: string): FileStat {
    const { tree } = this.#mount;
    const inode = inodeAt(tree, path);
    const { kind, size, mime, meta, links } = tree.inode(inode);
    return { kind, size, mime, meta: meta?.slice(), inode, links };
  }

  readdir(path: string): readonly DirectoryEntry[] {
    const { tree } = this.#mount;
    const inode = inodeAt(tree, path);
    if (tree.inode(inode).kind === 'file') throw new SluiceError('ENOTDIR', `${path} is a file`, { path });
    return Array.from(tree.readdir(inode), ({ name, kind }) => ({ name, kind }));
  }

  /** Bytes `[start, end)` of the file, `end` clamped to its size, in a buffer of their own. */
  async read(
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { inode, size } = fileAt(this.#mount.tree, path);
    if (!(Number.isSafeInteger(start) && start >= 0 && end >= start)) {
      throw new SluiceError('ERANGE', `${path}: [${start}, ${end}) is not a range of bytes`, { path });
    }
    const stop = Math.max(start, Math.min(end, size));
    const into = new Uint8Array(stop - start);
    const spans = this.#mount.tree.mapRange(inode, start, stop);
    await eachAtOnce(spans, readAhead, signal, async (span, stopped) => {
      const { blob, block } = span;
      const read = { blob, block, path, timeoutMs, signal: stopped };
      const stored = await this.#logged(read);
      const logical = await decodeBlock(stored.codec, stored.bytes, stored.logicalLength, this.#zstd);
      into.set(spanBytes(span, logical), span.fileOffset - start);
    });
    return into;
  }

  /** Resolves when all of these files are here. */
  async prefetch(
    paths: readonly string[],
    priority: PrefetchPriority,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<void> {
    // All of them or none: a wrong path is told before anything is fetched.
    const files = paths.map((path) => ({ path, ...fileAt(this.#mount.tree, path) }));
    const ahead = priority === 'demand' ? readAhead : prefetchAhead;
    for (const { path, inode, size } of files) {
      const spans = this.#mount.tree.mapRange(inode, 0, size);
      await eachAtOnce(spans, ahead, signal, ({ blob, block }, stopped) =>
        this.#engine.bring(this.#mount, { blob, block, path, timeoutMs, signal: stopped }, priority),
      );
    }
  }

  /** The parts of the file that can be read without waiting, as Incremental FS tells them: in order, apart. */
  filledRanges(path: string): ByteRange[] {
    const { tree } = this.#mount;
    const { inode, size } = fileAt(tree, path);
    const ranges: { start: number; end: number }[] = [];
    for (const { blob, block, fileOffset, length } of tree.mapRange(inode, 0, size)) {
      if (!this.#mount.blob(blob)?.isReadable(block)) continue;
      const last = ranges.at(-1);
      if (last?.end === fileOffset) last.end += length;
      else ranges.push({ start: fileOffset, end: fileOffset + length });
    }
    return ranges;
  }

  /** That nobody waits any more is no error. */
  async #logged(read: BlockRead): Promise<StoredBlock> {
    const began = Date.now();
    try {
      const stored = await this.#engine.read(this.#mount, read);
      this.#mount.noteRead(read, began, undefined);
      return stored;
    } catch (error) {
      const code = codeOf(error);
      if (!read.signal?.aborted && code !== 'closed') this.#mount.noteRead(read, began, code);
      throw error;
    }
  }
}

/** Does `work` for each item, for `limit` of them at once. The first failure calls the others off: nobody wants what they wait for any more. */
async function eachAtOnce<T>(
  items: Iterable<T>,
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const left = items[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value, abort.signal);
  };
  try {
    await Promise.all(Array.from({ length: limit }, one));
  } catch (error) {
    abort.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
