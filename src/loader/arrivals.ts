import { BlockTable, verifyBlock } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { BlobState } from './blob-state.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { asStoredBlock, type StoredBlock } from './stored-block.ts';

export interface ArrivalsOptions {
  readonly local: LocalBlocks;
  /** The table is known from now on. */
  readonly onTable: (blob: BlobState, table: BlockTable) => void;
  /** The block can be given to whoever waits for it. */
  readonly onBlock: (blob: BlobState, block: number, stored: StoredBlock) => void;
  /** So many bytes more are in the store. */
  readonly onWritten: (blob: BlobState, bytes: number) => void;
}

/** What becomes of tables and blocks that were verified, wherever they came from: to the readers, then into the store. */
export class Arrivals {
  readonly #options: ArrivalsOptions;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  async table(blob: BlobState, table: BlockTable, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { local, onTable, onWritten } = this.#options;
    onTable(blob, table);
    await local.writeTable(blob.sha256, bytes);
    onWritten(blob, bytes.length);
  }

  /** The block has been announced to the blob (`arrived`). */
  async block(
    blob: BlobState,
    table: BlockTable,
    block: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { local, onBlock, onWritten } = this.#options;
    const stored = asStoredBlock(table, block, bytes);
    // To its readers first: they have waited long enough.
    onBlock(blob, block, stored);
    let written = false;
    try {
      await local.writeBlock(blob.sha256, block, table.stored(block).start, bytes);
      written = true;
    } finally {
      blob.landed(block, written);
    }
    // Whoever came while it was being written.
    onBlock(blob, block, stored);
    onWritten(blob, bytes.length);
  }

  /**
   * A table (block -1) or block from somebody else who fetched it. What is here already, does not match its digest, or cannot
   * be checked (no table yet) is ignored.
   */
  async gift(blob: BlobState, block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (block < 0) {
      if (blob.table || blob.tableLoading) return;
      const table = await openGoodTable(blob, bytes);
      if (table) await this.table(blob, table, bytes);
      return;
    }
    const table = await blob.openTable();
    if (!table || blob.isHere(block)) return;
    blob.arrived(block);
    if (await verifyBlock(table, block, bytes)) await this.block(blob, table, block, bytes);
    else blob.landed(block, false);
  }
}

/** Undefined where the bytes are not the blob's table. */
async function openGoodTable(
  blob: BlobState,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<BlockTable | undefined> {
  try {
    return await BlockTable.open(bytes, blob.record);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'integrity') return undefined;
    throw error;
  }
}
