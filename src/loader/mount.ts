import type { BlobRecord } from '../format/blob-record.ts';
import type { Image } from '../image/image.ts';
import type { MountedTree } from '../image/mounted-tree.ts';
import type { ServedRead } from '../protocol/messages.ts';
import type { ReadErrorInfo } from '../protocol/state.ts';
import type { BlobState } from './blob-state.ts';
import type { BlobHead, RunHint } from './blob-view.ts';
import { isEager } from './eagerness.ts';
import type { LinkView } from './link-view.ts';
import { ReadRing } from './read-log.ts';

/** One block, and what it was read for. */
interface ReadOf {
  readonly path: string;
  readonly blob: number;
  readonly block: number;
}

/** So many reads are remembered for a launch trace. */
const readLogCapacity = 65_536;

export interface MountOptions {
  readonly tree: MountedTree;
  /** What is known of a blob, which other images may share. */
  readonly blobState: (record: BlobRecord) => BlobState;
  /** Whether anything is: of most blobs of a large image that has just been mounted, nothing. */
  readonly isKnown: (sha256: string) => boolean;
}

/**
 * An image that is being served, with what was changed in its tree at run time: its blobs as the engine knows them, and its reads. Behind
 * the published blobs come those of the files made at run time, each known from when it is first asked for until its file is removed.
 */
export class Mount {
  readonly image: Image;
  readonly tree: MountedTree;
  readonly log = new ReadRing(readLogCapacity);
  readonly totalBlocks: number;
  /** When it began, by Date.now(). */
  readonly since = Date.now();
  #lastReadError: ReadErrorInfo | undefined;
  /** The last that {@link served} was told. */
  #heard = { life: '', serial: 0 };
  readonly #blobState: MountOptions['blobState'];
  readonly #isKnown: MountOptions['isKnown'];
  /** By index in the image's blob table, and behind it those of run-time files: each from when it is asked for. */
  readonly #blobs = new Map<number, BlobState>();
  readonly #indices: Map<string, number>;

  constructor({ tree, blobState, isKnown }: MountOptions) {
    const { image } = tree;
    this.image = image;
    this.tree = tree;
    this.#blobState = blobState;
    this.#isKnown = isKnown;
    const records = [...image.blobs()];
    this.#indices = new Map(records.map(({ sha256 }, i) => [sha256, i]));
    this.totalBlocks = records.reduce((sum, { blockCount }) => sum + blockCount, 0);
  }

  /** Undefined where there is no such blob. Throws `ENOENT` for that of a file that was removed. */
  blob(index: number): BlobState | undefined {
    const known = this.#blobs.get(index);
    if (known || !(index < this.tree.blobCount)) return known;
    const made = this.#blobState(this.tree.blob(index));
    this.#blobs.set(index, made);
    this.#indices.set(made.sha256, index);
    return made;
  }

  /** The index of a blob in this image; undefined where it is another image's. */
  indexOf(sha256: string): number | undefined {
    return this.#indices.get(sha256);
  }

  /** Forgets the blobs of run-time files that were removed, and answers them. */
  dropRemoved(): BlobState[] {
    const dropped: BlobState[] = [];
    for (const [index, blob] of this.#blobs) {
      if (this.tree.hasBlob(index)) continue;
      this.#blobs.delete(index);
      this.#indices.delete(blob.sha256);
      dropped.push(blob);
    }
    return dropped;
  }

  /** A read that `began` (by Date.now()) has ended, with its bytes or the code of an error. */
  noteRead({ path, blob, block }: ReadOf, began: number, failed: string | undefined): void {
    this.#log({ path, blob, block }, began, Date.now() - began, failed);
  }

  /** What a service worker has read in a life of it, each once; what it has read before the mount, too. */
  served(life: string, reads: readonly ServedRead[]): void {
    if (life !== this.#heard.life) this.#heard = { life, serial: 0 };
    for (const { serial, path, blob, first, count, at, waitedMs, failed, decodedMs } of reads) {
      if (serial <= this.#heard.serial) continue;
      this.#heard.serial = serial;
      // A file that was removed meanwhile is nobody's to fetch ahead.
      const blockCount = this.tree.hasBlob(blob) ? this.blob(blob)!.blockCount : 0;
      const end = Math.min(first + count, blockCount);
      // It is told of all of them together.
      const decodeMs = decodedMs === undefined ? undefined : decodedMs / Math.max(1, count);
      for (let block = first; block < end; block++)
        this.#log({ path, blob, block }, at, waitedMs, failed, decodeMs);
    }
  }

  #log(read: ReadOf, began: number, waitedMs: number, failed: string | undefined, decodeMs?: number): void {
    const { path, blob, block } = read;
    const atMs = Math.round(began - this.since);
    const error = failed === undefined ? {} : { failed };
    const told = decodeMs === undefined ? {} : { decodeMs };
    this.log.add({ path, blob, block, atMs, waitedMs: Math.max(0, Math.round(waitedMs)), ...error, ...told });
    if (failed === undefined) return;
    this.#lastReadError = { path, block: { blob, index: block }, code: failed, at: began + waitedMs };
  }

  /** The last read that ended without its bytes. */
  get lastReadError(): ReadErrorInfo | undefined {
    return this.#lastReadError;
  }

  /** The published blobs that are not wholly here, in their order. */
  *missing(): Generator<BlobHead<BlobState>> {
    for (const [, index] of this.#published()) yield* head(this.blob(index)!);
  }

  /** Of these what a launch needs; all of them, where that is not worth telling apart. */
  *missingForLaunch(link: LinkView): Generator<BlobHead<BlobState>> {
    const { launchSet, superblock } = this.image;
    if (isEager(superblock.storedBytes, launchSet?.bytes, link)) return yield* this.missing();
    if (!launchSet) return;
    let { bytes } = launchSet;
    for (let index = 0; index < launchSet.blob; index++) {
      const blob = this.blob(index)!;
      bytes -= blob.length - blob.tableLength;
      yield* head(blob);
    }
    if (launchSet.block > 0) yield* head(this.blob(launchSet.blob)!, launchSet.block, bytes);
  }

  get complete(): boolean {
    for (const [sha256, index] of this.#published()) {
      if (!this.#isKnown(sha256) || !this.blob(index)!.complete) return false;
    }
    return true;
  }

  get presentBlocks(): number {
    return this.#sumKnown(({ presentCount }) => presentCount);
  }

  get presentBytes(): number {
    return this.#sumKnown(({ presentBytes }) => presentBytes);
  }

  /**
   * Stored range of the run of blocks of `path` that holds the block, from the image's extents: known without the block
   * table. Undefined where the path does not lead there (it is for people's eyes, so it need not).
   */
  hint(path: string, blob: number, block: number): RunHint | undefined {
    const inode = this.tree.lookup(path);
    if (inode === undefined) return undefined;
    const { kind, size } = this.tree.inode(inode);
    if (kind !== 'file') return undefined;
    for (const span of this.tree.mapExtents(inode, 0, size)) {
      const { firstBlock, blockCount, storedOffset, storedLength } = span;
      if (span.blob !== blob || block < firstBlock || block >= firstBlock + blockCount) continue;
      return { start: storedOffset, end: storedOffset + storedLength, firstBlock, blockCount };
    }
    return undefined;
  }

  *#published(): Generator<readonly [sha256: string, index: number]> {
    for (const entry of this.#indices) if (entry[1] < this.image.blobCount) yield entry;
  }

  #sumKnown(of: (blob: BlobState) => number): number {
    let sum = 0;
    for (const [sha256, index] of this.#published()) if (this.#isKnown(sha256)) sum += of(this.blob(index)!);
    return sum;
  }
}

function* head(
  blob: BlobState,
  blocks = blob.blockCount,
  bytes = blob.length - blob.tableLength,
): Generator<BlobHead<BlobState>> {
  if (!blob.complete) yield { blob, blocks, end: blob.tableLength + bytes };
}
