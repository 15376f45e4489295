import type { BlobDescription, JournalRecord } from './journal.ts';
import { Presence } from './presence.ts';

/** The image format has 24 bits for a block's index; it bounds what a record can make the replay allocate. */
const maxBlockCount = 2 ** 24;

/** A blob that the journal knows. */
export interface StoredBlob {
  /** Its number in the journal's present generation; see {@link StoreState.retain}. */
  id: number;
  readonly description: BlobDescription;
  readonly presence: Presence;
}

/** Which images and blobs, by SHA-256 (hex), are not to be forgotten. */
export type Keep = (kind: 'image' | 'blob', sha256: string) => boolean;

/**
 * What a journal says, as the records made it: images, blobs, which parts of them are present.
 * It grows through {@link apply} only (from disk, and by the writer for what it is about to record), so that there is
 * one judge of what can be true.
 */
export class StoreState {
  readonly #images = new Map<string, number>();
  readonly #blobs = new Map<string, StoredBlob>();
  /** Invariant: the blob at index i has id i. */
  #byId: StoredBlob[] = [];
  #complete = false;

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

  /** Makes the record true. Answers false, and changes nothing, for one that cannot be. */
  apply(record: JournalRecord): boolean {
    switch (record.type) {
      case 'image':
        this.#images.set(record.sha256, record.length);
        return true;
      case 'blob':
        return this.#declare(record);
      case 'snapshot-end':
        this.#complete = true;
        return true;
      case 'table':
        this.#byId[record.blob]?.presence.addTable();
        return record.blob < this.#byId.length;
      case 'present':
        return this.#present(record.blob, record.first, record.count);
      case 'sealed':
        this.#byId[record.blob]?.presence.seal();
        return record.blob < this.#byId.length;
    }
  }

  /**
   * Forgets the images and blobs that `keep` answers with false, and numbers the other blobs anew, as a journal made from
   * {@link records} with the same `keep` does.
   */
  retain(keep: Keep): void {
    for (const sha256 of [...this.#images.keys()]) if (!keep('image', sha256)) this.#images.delete(sha256);
    for (const { description, presence } of this.#byId) {
      if (keep('blob', description.sha256)) continue;
      // Whoever still holds the presence must not believe it.
      presence.clear();
      this.#blobs.delete(description.sha256);
    }
    this.#byId = [...this.#blobs.values()];
    for (const [id, blob] of this.#byId.entries()) blob.id = id;
  }

  /** The records that make this state, or the part of it to `keep`, from nothing; snapshot-end included. */
  *records(keep: Keep = () => true): Generator<JournalRecord> {
    for (const [sha256, length] of this.#images) {
      if (keep('image', sha256)) yield { type: 'image', sha256, length };
    }
    let blob = 0;
    for (const { description, presence } of this.#byId) {
      if (!keep('blob', description.sha256)) continue;
      yield { type: 'blob', ...description };
      if (presence.sealed) {
        yield { type: 'sealed', blob };
      } else {
        if (presence.hasTable) yield { type: 'table', blob };
        for (const run of presence.runs()) yield { type: 'present', blob, ...run };
      }
      blob += 1;
    }
    yield { type: 'snapshot-end' };
  }

  #declare({ sha256, length, tableLength, blockCount }: BlobDescription): boolean {
    if (this.#blobs.has(sha256) || tableLength > length || blockCount > maxBlockCount) return false;
    const blob: StoredBlob = {
      id: this.#byId.length,
      description: { sha256, length, tableLength, blockCount },
      presence: new Presence(blockCount),
    };
    this.#blobs.set(sha256, blob);
    this.#byId.push(blob);
    return true;
  }

  #present(blob: number, first: number, count: number): boolean {
    const presence = this.#byId[blob]?.presence;
    if (presence === undefined || first + count > presence.blockCount) return false;
    for (let block = first; block < first + count; block++) presence.add(block);
    return true;
  }
}
