import type { TreeChange } from '../overlay/change.ts';
import { isBlockSize, Overlay } from '../overlay/overlay.ts';
import type { BlobDescription, JournalRecord } from './journal.ts';
import { Presence } from './presence.ts';
import type { BlockRun, RecentWrites } from './recent-writes.ts';
import { blobPath } from './store-paths.ts';

/** The image format has 24 bits for a block's index; it bounds what a record can make the replay allocate. */
const maxBlockCount = 2 ** 24;
/** In all: 1 TiB in the smallest blocks, and 32 MiB of bits. */
const maxBlocks = 2 ** 28;
/** Requests that are remembered as done: more than can be done and not answered when a leader goes. */
const maxDone = 64;

/** A blob that the journal knows. */
export interface StoredBlob {
  /** Its number in the journal's present generation; see {@link StoreState.retain}. */
  id: number;
  readonly description: BlobDescription;
  /** Which of the files that the blob may have had is its; see blobPath. */
  incarnation: number;
  readonly presence: Presence;
  /** SHA-256 of the present blocks, where the blob is private: it has no table that would know them. */
  readonly digests: Map<number, Uint8Array<ArrayBuffer>>;
}

/** What is not to be forgotten, by SHA-256 (hex). `used`: when an image was. */
export type Keep = (kind: 'image' | 'used' | 'blob', sha256: string) => boolean;

/**
 * What a journal says, as the records made it: images, blobs, which parts of them are present, and what was changed in images at run time.
 * It grows through {@link apply} only (from disk, and by the writer for what it is about to record), so that there is
 * one judge of what can be true. What only a writer wants to know of it is in WriterState.
 */
export class StoreState {
  readonly #images = new Map<string, number>();
  readonly #blobs = new Map<string, StoredBlob>();
  /** Invariant: the blob at index i has id i. It may be one that was forgotten since. */
  #byId: StoredBlob[] = [];
  readonly #overlays = new Map<string, Overlay>();
  readonly #used = new Map<string, number>();
  readonly #pinned = new Set<string>();
  readonly #evicting = new Set<string>();
  readonly #recent: RecentWrites | undefined;
  readonly #done = new Set<string>();
  /** Blocks of all blobs that have a number. */
  #declared = 0;
  #complete = false;

  /** `recent` is told which blocks were written in which session. */
  constructor(recent?: RecentWrites) {
    this.#recent = recent;
  }

  /** The snapshot's end was reached: this state is no less than what the generation began with. */
  get complete(): boolean {
    return this.#complete;
  }

  /** SHA-256 (hex) → length of the bootstraps that are here. */
  get images(): ReadonlyMap<string, number> {
    return this.#images;
  }

  /** By SHA-256 (hex). */
  get blobs(): ReadonlyMap<string, StoredBlob> {
    return this.#blobs;
  }

  /** Image → when it was last used, in ms since 1970. */
  get used(): ReadonlyMap<string, number> {
    return this.#used;
  }

  /** Blobs that are not to be culled, known ones or not. */
  get pinned(): ReadonlySet<string> {
    return this.#pinned;
  }

  /** Blobs whose eviction was begun and not ended. */
  get evicting(): ReadonlySet<string> {
    return this.#evicting;
  }

  /** Requests to change a tree that were done, the last ones. */
  get done(): ReadonlySet<string> {
    return this.#done;
  }

  /** Image → what was changed in it, of those that were asked for or changed. */
  get overlays(): ReadonlyMap<string, Overlay> {
    return this.#overlays;
  }

  /** What was changed in the image's tree; empty at first, and the same object from then on. */
  overlay(image: string): Overlay {
    const overlay = this.#overlays.get(image) ?? new Overlay();
    this.#overlays.set(image, overlay);
    return overlay;
  }

  /** Where the blob's bytes are, or would be. */
  pathOf(sha256: string): string {
    return blobPath(sha256, this.#blobs.get(sha256)?.incarnation);
  }

  /** Makes the record true. Answers false, and changes nothing, for one that cannot be. */
  apply(record: JournalRecord): boolean {
    switch (record.type) {
      case 'image':
        this.#images.set(record.sha256, record.length);
        return true;
      case 'blob': {
        const { sha256, length, tableLength, blockCount, incarnation } = record;
        return this.#declare({ sha256, length, tableLength, blockCount }, incarnation);
      }
      case 'local-blob': {
        const { sha256, length, blockSize } = record;
        const blockCount = Math.ceil(length / blockSize);
        return (
          isBlockSize(blockSize) && this.#declare({ sha256, length, tableLength: 0, blockCount, blockSize })
        );
      }
      case 'snapshot-end':
        this.#complete = true;
        return true;
      case 'table':
        this.#byId[record.blob]?.presence.addTable();
        return record.blob < this.#byId.length;
      case 'present':
        return this.#present(record.blob, record, undefined);
      case 'local-present':
        return this.#present(record.blob, { first: record.block, count: 1 }, record.digest);
      case 'sealed': {
        const blob = this.#byId[record.blob];
        if (blob === undefined) return false;
        const { description, presence, digests } = blob;
        if (description.blockSize !== undefined && digests.size < description.blockCount) return false;
        presence.seal();
        return true;
      }
      case 'pinned':
        if (record.pinned === 0) this.#pinned.delete(record.sha256);
        else this.#pinned.add(record.sha256);
        return true;
      case 'used':
        this.#used.set(record.image, record.atMs);
        return true;
      case 'session-begin':
        this.#recent?.begin();
        return true;
      case 'session-end':
        this.#recent?.end();
        return true;
      case 'recent':
        return this.#note(record.blob, record);
      case 'scrubbed':
        this.#recent?.checked();
        return true;
      case 'done':
        this.#done.add(record.request);
        if (this.#done.size > maxDone) this.#done.delete(this.#done.values().next().value!);
        return true;
      case 'evict':
        this.#evicting.add(record.sha256);
        return true;
      case 'change':
        return this.#change(record.image, record.change);
    }
  }

  /** Nothing is present in the blob any more; it stays known. */
  clear(sha256: string): void {
    const blob = this.#blobs.get(sha256);
    blob?.presence.clear();
    blob?.digests.clear();
    this.#recent?.forget(sha256);
  }

  /**
   * Forgets what `keep` answers with false, and numbers the blobs anew, as a journal made from WriterState's records with the same
   * `keep` does.
   */
  retain(keep: Keep = () => true): void {
    for (const sha256 of [...this.#images.keys()]) if (!keep('image', sha256)) this.#images.delete(sha256);
    for (const image of [...this.#used.keys()]) if (!keep('used', image)) this.#used.delete(image);
    for (const sha256 of [...this.#blobs.keys()]) if (!keep('blob', sha256)) this.#forget(sha256);
    for (const sha256 of [...this.#pinned]) if (!keep('blob', sha256)) this.#pinned.delete(sha256);
    this.#byId = [...this.#blobs.values()];
    this.#declared = this.#byId.reduce((sum, { description }) => sum + description.blockCount, 0);
    for (const [id, blob] of this.#byId.entries()) blob.id = id;
  }

  #declare(description: BlobDescription, incarnation = 0): boolean {
    const { sha256, length, tableLength, blockCount } = description;
    if (this.#blobs.has(sha256) || tableLength > length || blockCount > maxBlockCount) return false;
    if (this.#declared + blockCount > maxBlocks) return false;
    this.#declared += blockCount;
    const presence = new Presence(blockCount, description.blockSize !== undefined);
    const id = this.#byId.length;
    const blob: StoredBlob = { id, description, incarnation, presence, digests: new Map() };
    this.#blobs.set(sha256, blob);
    this.#byId.push(blob);
    return true;
  }

  #present(id: number, { first, count }: BlockRun, digest: Uint8Array<ArrayBuffer> | undefined): boolean {
    const blob = this.#byId[id];
    if (blob === undefined || first + count > blob.presence.blockCount) return false;
    if ((blob.description.blockSize === undefined) !== (digest === undefined)) return false;
    blob.presence.addRun(first, count);
    if (digest !== undefined) blob.digests.set(first, digest);
    return this.#note(id, { first, count });
  }

  #note(id: number, run: BlockRun): boolean {
    const blob = this.#byId[id];
    if (blob === undefined || run.first + run.count > blob.presence.blockCount) return false;
    this.#recent?.note(blob.description.sha256, blob.presence.blockCount, run);
    return true;
  }

  #change(image: string, change: TreeChange): boolean {
    const overlay = this.overlay(image);
    const file = change.type === 'unlink' ? overlay.child(change.parent, change.name) : undefined;
    const inode = typeof file === 'object' ? file.inode : undefined;
    const node = inode === undefined ? undefined : overlay.node(inode);
    if (!overlay.apply(change)) return false;
    // With its last name goes what it holds.
    if (node?.kind === 'file' && overlay.node(inode!) === undefined) this.#forget(node.blob);
    return true;
  }

  /** Its number stays taken until blobs are numbered anew. */
  #forget(sha256: string): void {
    // Whoever still holds the presence must not believe it.
    this.clear(sha256);
    this.#evicting.delete(sha256);
    this.#blobs.delete(sha256);
  }
}
