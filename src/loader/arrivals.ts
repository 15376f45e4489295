import { BlockTable, verifyBlock } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import { sha256 } from '../format/sha256.ts';
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

  /** A table from somebody else who has it; one that is here already is left as it is. Throws `E2BIG`, `EINVAL`, `integrity`, `corrupt-image`. */
  async giveTable(blob: BlobState, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (blob.table || blob.tableLoading) return;
    checkLength(`The block table of ${blob.sha256}.bin`, bytes.length, blob.tableLength);
    await this.table(blob, await BlockTable.open(bytes, blob.record), bytes);
  }

  /**
   * A stored block from somebody else who has it; one that is here already is left as it is. Resolves when it can be read.
   * Throws `E2BIG`, `EINVAL`, `integrity`, and for a block of a run-time file also what writing it throws.
   */
  async giveBlock(
    blob: BlobState,
    table: BlockTable,
    block: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    // Asked again after each wait: of several who give the same, one goes on.
    while (blob.isArriving(block)) await blob.settled(block);
    if (blob.isReadable(block)) return;
    const { start, end } = table.stored(block);
    checkLength(`Block ${block} of ${blob.sha256}.bin`, bytes.length, end - start);
    blob.arrived(block);
    if (blob.isPrivate) return this.#privateBlock(blob, table, block, bytes);
    if (await verifyBlock(table, block, bytes)) return this.block(blob, table, block, bytes);
    blob.landed(block, false);
    throw new SluiceError('integrity', `Block ${block} of ${blob.sha256}.bin does not match its digest`);
  }

  /** Nobody else has it, so it is written before anybody reads it: what a reader saw must not be lost. */
  async #privateBlock(
    blob: BlobState,
    table: BlockTable,
    block: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { local, onBlock, onWritten } = this.#options;
    let written = false;
    try {
      const { start } = table.stored(block);
      await local.writePrivate(blob.sha256, block, start, bytes, await sha256(bytes));
      written = true;
    } finally {
      blob.landed(block, written);
    }
    onBlock(blob, block, asStoredBlock(table, block, bytes));
    onWritten(blob, bytes.length);
  }
}

function checkLength(what: string, length: number, wanted: number): void {
  if (length > wanted) throw new SluiceError('E2BIG', `${what} has ${wanted} bytes, ${length} were given`);
  if (length < wanted)
    throw new SluiceError('EINVAL', `${what} has ${wanted} bytes, only ${length} were given`);
}
