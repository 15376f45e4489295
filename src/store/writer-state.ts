import type { JournalRecord } from './journal.ts';
import { RecentWrites } from './recent-writes.ts';
import { type Keep, type StoredBlob, StoreState } from './store-state.ts';

/**
 * A {@link StoreState} with what only the store's writer asks of it: the records of a new generation, and what earlier sessions left
 * unchecked. It is apart so that a reader (the service worker) need not carry it.
 */
export class WriterState extends StoreState {
  readonly recent: RecentWrites;

  constructor() {
    const recent = new RecentWrites();
    super(recent);
    this.recent = recent;
  }

  /** The private blobs that no file has. */
  unowned(): string[] {
    const owned = new Set<string>();
    for (const overlay of this.overlays.values()) for (const [, { blob }] of overlay.files()) owned.add(blob);
    return [...this.blobs.keys()].filter((name) => this.isPrivate(name) && !owned.has(name));
  }

  isPrivate(sha256: string): boolean {
    return this.blobs.get(sha256)?.description.blockSize !== undefined;
  }

  /** Blocks (-1: the table) that are not present any more. */
  drop(sha256: string, blocks: Iterable<number>): void {
    const blob = this.blobs.get(sha256);
    if (blob === undefined) return;
    for (const block of blocks) {
      if (block === -1) blob.presence.removeTable();
      blob.presence.remove(block);
      blob.digests.delete(block);
      this.recent.forgetBlock(sha256, block);
    }
  }

  /**
   * The records that make this state, or the part of it to `keep`, from nothing; snapshot-end included. Blobs come in the order in which
   * {@link retain} with the same `keep` numbers them.
   */
  *records(keep: Keep = () => true): Generator<JournalRecord> {
    for (const [sha256, length] of this.images) {
      if (keep('image', sha256)) yield { type: 'image', sha256, length };
    }
    const ids = new Map<string, number>();
    for (const [sha256, stored] of this.blobs) {
      if (!keep('blob', sha256)) continue;
      yield declaration(stored);
      yield* presentRecords(stored, ids.size);
      ids.set(sha256, ids.size);
    }
    for (const sha256 of this.pinned) if (keep('blob', sha256)) yield { type: 'pinned', sha256, pinned: 1 };
    for (const [image, atMs] of this.used) if (keep('used', image)) yield { type: 'used', image, atMs };
    for (const [image, overlay] of this.overlays) {
      for (const change of overlay.changes()) yield { type: 'change', image, change };
    }
    for (const request of this.done) yield { type: 'done', request };
    for (const step of this.recent.history()) {
      if (typeof step === 'string') {
        yield { type: step };
        continue;
      }
      const blob = ids.get(step.sha256);
      if (blob !== undefined) yield { type: 'recent', blob, first: step.first, count: step.count };
    }
    yield { type: 'snapshot-end' };
  }
}

/** The record that gives a blob its number. */
export function declaration({
  description,
  incarnation,
}: Pick<StoredBlob, 'description' | 'incarnation'>): JournalRecord {
  const { sha256, length, blockSize } = description;
  return blockSize === undefined
    ? { type: 'blob', ...description, incarnation }
    : { type: 'local-blob', sha256, length, blockSize };
}

/** Whether anything of the blob is present, so that there must be a file. */
export function hasFile({ presence, description }: StoredBlob): boolean {
  return presence.count > 0 || (presence.hasTable && description.blockSize === undefined);
}

function* presentRecords(
  { description, presence, digests }: StoredBlob,
  blob: number,
): Generator<JournalRecord> {
  for (const [block, digest] of digests) yield { type: 'local-present', blob, block, digest };
  if (presence.sealed) {
    yield { type: 'sealed', blob };
  } else if (description.blockSize === undefined) {
    if (presence.hasTable) yield { type: 'table', blob };
    for (const run of presence.runs()) yield { type: 'present', blob, ...run };
  }
}
