import type { BlobState } from './blob-state.ts';

/** Block tables in memory, together. */
const shelfBytes = 8 * 1024 * 1024;

/**
 * Bounds the memory of block tables: those that were used longest ago are dropped, where the store can give them back. A
 * table that is in use elsewhere lives on with its user.
 */
export class TableShelf {
  readonly #blobs = new Set<BlobState>();
  #bytes = 0;

  use(blob: BlobState): void {
    if (!this.#blobs.delete(blob)) this.#bytes += blob.tableLength;
    this.#blobs.add(blob);
    for (const oldest of this.#blobs) {
      if (this.#bytes <= shelfBytes || oldest === blob) break;
      this.#blobs.delete(oldest);
      this.#bytes -= oldest.tableLength;
      oldest.dropTable();
    }
  }
}
