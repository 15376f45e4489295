import type { BlockTable } from '../format/block-table.ts';
import type { BlobState } from './blob-state.ts';

/** Flights that hold bytes of blocks and wait for the blob's table, which another flight brings. */
export class TableWaits {
  readonly #waiters = new Map<BlobState, Set<(table: BlockTable | undefined) => void>>();

  wait(blob: BlobState): Promise<BlockTable | undefined> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(blob) ?? new Set();
      this.#waiters.set(blob, waiters.add(resolve));
    });
  }

  /** The table is known; undefined: the flight that should have brought it has ended without it. */
  settle(blob: BlobState, table: BlockTable | undefined): void {
    const waiters = this.#waiters.get(blob);
    this.#waiters.delete(blob);
    for (const resolve of waiters ?? []) resolve(table);
  }
}
