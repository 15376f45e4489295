import type { JournalRecord } from './journal.ts';
import type { BlockRun } from './recent-writes.ts';
import { declaration, type WriterState } from './writer-state.ts';

/** What of a blob is declared or written, and not journaled yet. */
interface PendingBlob {
  declared: boolean;
  table: boolean;
  readonly blocks: number[];
}

/**
 * What the state has and the journal does not: what was written, or declared, since the last commit. Invariant: whatever it names is in the
 * state, so its records can be made from that; who takes from the state takes from here too.
 */
export class Pending {
  readonly #images = new Set<string>();
  readonly #blobs = new Map<string, PendingBlob>();
  readonly #used = new Set<string>();

  addImage(id: string): void {
    this.#images.add(id);
  }

  addBlob(sha256: string): void {
    this.#blob(sha256).declared = true;
  }

  addTable(sha256: string): void {
    this.#blob(sha256).table = true;
  }

  addBlock(sha256: string, block: number): void {
    this.#blob(sha256).blocks.push(block);
  }

  /** The time of an image's last use. */
  addUse(image: string): void {
    this.#used.add(image);
  }

  removeImage(id: string): void {
    this.#images.delete(id);
  }

  removeBlob(sha256: string): void {
    this.#blobs.delete(sha256);
  }

  /** The blobs of which something is declared or written. */
  blobs(): string[] {
    return [...this.#blobs.keys()];
  }

  /** The blocks of a blob (-1: the table) that were written. */
  written(sha256: string): number[] {
    const { table, blocks } = this.#blobs.get(sha256) ?? { table: false, blocks: [] };
    return table ? [-1, ...blocks] : [...blocks];
  }

  images(): string[] {
    return [...this.#images];
  }

  /** What was written of a blob and `isGone` (-1: the table) was not; a declaration stays. */
  drop(sha256: string, isGone: (block: number) => boolean): void {
    const pending = this.#blobs.get(sha256);
    if (pending === undefined) return;
    if (isGone(-1)) pending.table = false;
    pending.blocks.splice(0, pending.blocks.length, ...pending.blocks.filter((block) => !isGone(block)));
  }

  clear(): void {
    this.#used.clear();
    this.#images.clear();
    this.#blobs.clear();
  }

  /** Declarations come in the order in which the state numbered the blobs. */
  records(state: WriterState): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const sha256 of this.#images) {
      records.push({ type: 'image', sha256, length: state.images.get(sha256)! });
    }
    for (const [sha256, { declared, table, blocks }] of this.#blobs) {
      const stored = state.blobs.get(sha256)!;
      const { id, description, digests } = stored;
      if (declared) records.push(declaration(stored));
      if (table) records.push({ type: 'table', blob: id });
      if (description.blockSize !== undefined) {
        for (const block of blocks) {
          records.push({ type: 'local-present', blob: id, block, digest: digests.get(block)! });
        }
        continue;
      }
      for (const run of runsOf(blocks)) records.push({ type: 'present', blob: id, ...run });
    }
    for (const image of this.#used) {
      records.push({ type: 'used', image, atMs: state.used.get(image)! });
    }
    return records;
  }

  #blob(sha256: string): PendingBlob {
    const pending = this.#blobs.get(sha256) ?? { declared: false, table: false, blocks: [] };
    this.#blobs.set(sha256, pending);
    return pending;
  }
}

/** The maximal runs of consecutive numbers among `blocks`, which are distinct and in any order. */
function runsOf(blocks: readonly number[]): BlockRun[] {
  const runs: { first: number; count: number }[] = [];
  for (const block of blocks.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && block === last.first + last.count) last.count += 1;
    else runs.push({ first: block, count: 1 });
  }
  return runs;
}
