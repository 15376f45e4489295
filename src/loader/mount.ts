import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import type { Image } from '../image/image.ts';
import type { MountedTree } from '../image/mounted-tree.ts';
import type { ServedRead } from '../protocol/messages.ts';
import type { ReadErrorInfo } from '../protocol/state.ts';
import type { BlobState } from './blob-state.ts';
import type { RunHint } from './fetch-plan.ts';
import { ReadRing } from './read-log.ts';

/** So many reads are remembered for a launch trace. */
const readLogCapacity = 65_536;

export interface MountOptions {
  readonly tree: MountedTree;
  /** What is known of a blob, which other images may share. */
  readonly blobState: (record: BlobRecord) => BlobState;
  /** Clock time. */
  readonly since: number;
}

/**
 * An image that is being served, with what was changed in its tree at run time: its blobs as the engine knows them, and its reads. Behind
 * the published blobs come those of the files made at run time, each known from when it is first asked for until its file is removed.
 */
export class Mount {
  readonly image: Image;
  readonly tree: MountedTree;
  /** The published ones, by index in the image's blob table. */
  readonly blobs: readonly BlobState[];
  /** Clock time at which it was mounted. */
  readonly since: number;
  readonly log = new ReadRing(readLogCapacity);
  readonly totalBlocks: number;
  readonly #sinceDate = Date.now();
  #lastReadError: ReadErrorInfo | undefined;
  readonly #blobState: MountOptions['blobState'];
  readonly #private = new Map<number, BlobState>();
  readonly #indices: Map<string, number>;

  constructor({ tree, blobState, since }: MountOptions) {
    const { image } = tree;
    this.image = image;
    this.tree = tree;
    this.blobs = Array.from({ length: image.blobCount }, (_, i) => blobState(image.blob(i)));
    this.since = since;
    this.#blobState = blobState;
    this.#indices = new Map(this.blobs.map(({ sha256 }, i) => [sha256, i]));
    this.totalBlocks = this.blobs.reduce((sum, blob) => sum + blob.blockCount, 0);
  }

  /** Undefined where there is no such blob. Throws `ENOENT` for that of a file that was removed. */
  blob(index: number): BlobState | undefined {
    const known = this.blobs[index] ?? this.#private.get(index);
    if (known || index >= this.tree.blobCount) return known;
    const made = this.#blobState(this.tree.blob(index));
    this.#private.set(index, made);
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
    for (const [index, blob] of this.#private) {
      if (this.tree.overlay.node(this.#inodeOf(index))) continue;
      this.#private.delete(index);
      this.#indices.delete(blob.sha256);
      dropped.push(blob);
    }
    return dropped;
  }

  /** The blob that holds a file made at run time; undefined for a published one. */
  privateBlobOf(inode: number): number | undefined {
    const { blobCount, inodeCount } = this.image;
    return inode < inodeCount ? undefined : blobCount + inode - inodeCount;
  }

  /** A read has ended, with its bytes or an error, and was begun at clock time `since`. */
  ended(
    { path, blob, block }: { readonly path: string; readonly blob: number; readonly block: number },
    since: number,
    now: number,
    error: unknown,
  ): void {
    const code = error instanceof SluiceError ? error.code : 'unreadable';
    this.log.add({
      path,
      blob,
      block,
      atMs: Math.round(since - this.since),
      waitedMs: Math.round(now - since),
      ...(error === undefined ? {} : { failed: code }),
    });
    if (error !== undefined)
      this.#lastReadError = { path, block: { blob, index: block }, code, at: Date.now() };
  }

  /** Blocks that a service worker has read by itself; those from before the mount count as its first. */
  served(reads: readonly ServedRead[]): void {
    for (const { path, blob, first, count, at } of reads) {
      const end = Math.min(first + count, this.blob(blob)?.blockCount ?? 0);
      const atMs = Math.max(0, Math.round(at - this.#sinceDate));
      for (let block = first; block < end; block++) this.log.add({ path, blob, block, atMs, waitedMs: 0 });
    }
  }

  /** The last read that ended without its bytes. */
  get lastReadError(): ReadErrorInfo | undefined {
    return this.#lastReadError;
  }

  get complete(): boolean {
    return this.blobs.every((blob) => blob.complete);
  }

  get presentBlocks(): number {
    return this.blobs.reduce((sum, blob) => sum + blob.presentCount, 0);
  }

  get presentBytes(): number {
    return this.blobs.reduce((sum, blob) => sum + blob.presentBytes, 0);
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

  #inodeOf(privateBlob: number): number {
    return this.image.inodeCount + privateBlob - this.image.blobCount;
  }
}
