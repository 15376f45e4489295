import type { BlobRecord } from '../format/blob-record.ts';
import { BlockTable, verifyBlock } from '../format/block-table.ts';
import type { Chunk } from '../protocol/block-source.ts';
import { OriginError } from './origin-error.ts';

/** A stored block of which the first `filled` bytes have come. `bytes` has the block's full stored length. */
export interface PartialBlock {
  readonly block: number;
  /** Where the block starts in the blob. */
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly filled: number;
}

export interface BlockStreamOptions {
  readonly record: BlobRecord;
  /** Without it the stream must begin at byte 0, or be given one before the first bytes ({@link BlockStream.useTable}). */
  readonly table: BlockTable | undefined;
  /** First byte that was asked for. */
  readonly start: number;
  /** A block that an earlier stream left in the middle; used when this one goes on exactly there. */
  readonly partial: PartialBlock | undefined;
  /** Asked when a block begins; bytes of others are skipped. */
  readonly wants: (block: number) => boolean;
  /** The verified table, with its bytes as published. */
  readonly onTable: (table: BlockTable, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** A block's bytes are all there and its verification begins: it is not in flight any more, and not here yet. */
  readonly onArrived: (block: number) => void;
  /** A block that matches its digest, in a buffer of its own. The stream waits for it before it takes much more. */
  readonly onBlock: (block: number, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** A block that does not match its digest. */
  readonly onBad: (block: number) => void;
}

/** So many bytes may be under verification before the stream waits. */
const maxUnverified = 2 * 1024 * 1024;

/**
 * Cuts a stream of a blob's bytes into its table and blocks, and verifies each. It tolerates bytes before and after
 * what was asked for (sources without ranges), and blocks that nobody wants.
 *
 * Invariant: what it holds is one block that is not complete, and at most `maxUnverified` bytes plus one block under
 * verification. Blocks are verified side by side (WebCrypto does twice as much that way), so they may be handed over out
 * of order.
 */
export class BlockStream {
  readonly #options: BlockStreamOptions;
  #table: BlockTable | undefined;
  #tableBytes: Uint8Array<ArrayBuffer> | undefined;
  /** The next byte expected. */
  #at: number;
  /** The block that `#at` lies in or begins. */
  #block = -1;
  #started = false;
  /** The block being filled; undefined while its bytes are skipped. */
  #filling: { readonly start: number; readonly bytes: Uint8Array<ArrayBuffer>; filled: number } | undefined;
  readonly #verifying = new Set<Promise<void>>();
  #unverified = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: BlockStreamOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#at = options.start;
  }

  /**
   * The first byte of the first block that is still to come whole (0 while that is the table). A block that the stream
   * entered in its middle and cannot use is behind it already.
   */
  get position(): number {
    if (!this.#started) return this.#resumes(this.#at) ? this.#options.partial!.start : this.#at;
    if (!this.#table) return 0;
    return this.#filling?.start ?? this.#at;
  }

  get table(): BlockTable | undefined {
    return this.#table;
  }

  /** The table came another way. */
  useTable(table: BlockTable): void {
    this.#table ??= table;
  }

  /** The next byte expected. */
  get at(): number {
    return this.#at;
  }

  /** Takes the next bytes. Throws `integrity` for a table that does not match its digest, and what `onBlock` throws. */
  async push(chunk: Chunk): Promise<void> {
    if (!this.#started) this.#begin(chunk.offset);
    if (chunk.offset !== this.#at)
      throw new OriginError(`${this.#options.record.sha256}.bin: bytes out of order`);
    let { bytes } = chunk;
    while (bytes.length > 0) {
      const used =
        this.#at < this.#options.record.tableLength ? await this.#takeTable(bytes) : this.#takeBlock(bytes);
      bytes = bytes.subarray(used);
    }
    if (this.#unverified > maxUnverified) await this.#settle();
    if (this.#failure) throw this.#failure.error;
  }

  /** Resolves when every block that arrived has been verified and handed over. */
  async finish(): Promise<void> {
    await this.#settle();
    if (this.#failure) throw this.#failure.error;
  }

  /** The block that is left in the middle, if any, for a stream that goes on from there. */
  leftOver(): PartialBlock | undefined {
    if (!this.#started) return this.#options.partial;
    return this.#filling && this.#filling.filled > 0 ? { block: this.#block, ...this.#filling } : undefined;
  }

  #begin(offset: number): void {
    this.#started = true;
    if (this.#resumes(offset)) {
      const { block, start, bytes, filled } = this.#options.partial!;
      this.#block = block;
      this.#filling = { start, bytes, filled };
    }
    this.#at = offset;
  }

  #resumes(offset: number): boolean {
    const { partial } = this.#options;
    return partial !== undefined && offset === partial.start + partial.filled;
  }

  async #takeTable(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const { record } = this.#options;
    const taken = bytes.subarray(0, record.tableLength - this.#at);
    if (!this.#table) {
      this.#tableBytes ??= new Uint8Array(record.tableLength);
      this.#tableBytes.set(taken, this.#at);
    }
    this.#at += taken.length;
    if (this.#tableBytes && this.#at === record.tableLength) {
      this.#table = await BlockTable.open(this.#tableBytes, record);
      await this.#options.onTable(this.#table, this.#tableBytes);
      this.#tableBytes = undefined;
    }
    return taken.length;
  }

  #takeBlock(bytes: Uint8Array<ArrayBuffer>): number {
    const table = this.#table;
    if (!table) throw new OriginError(`${this.#options.record.sha256}.bin: blocks without their table`);
    if (!this.#filling) {
      this.#block = table.blockAt(this.#at);
      const { start, end } = table.stored(this.#block);
      if (this.#at !== start || !this.#options.wants(this.#block)) return this.#skip(bytes, end);
      this.#filling = { start, bytes: new Uint8Array(end - start), filled: 0 };
    }
    const filling = this.#filling;
    const taken = bytes.subarray(0, filling.bytes.length - filling.filled);
    filling.bytes.set(taken, filling.filled);
    filling.filled += taken.length;
    this.#at += taken.length;
    if (filling.filled === filling.bytes.length) {
      this.#filling = undefined;
      this.#verify(table, this.#block, filling.bytes);
    }
    return taken.length;
  }

  #skip(bytes: Uint8Array, end: number): number {
    const skipped = Math.min(bytes.length, end - this.#at);
    this.#at += skipped;
    return skipped;
  }

  #verify(table: BlockTable, block: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { onArrived, onBlock, onBad } = this.#options;
    onArrived(block);
    this.#unverified += bytes.length;
    const work = verifyBlock(table, block, bytes)
      .then((good) => (good ? onBlock(block, bytes) : onBad(block)))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#verifying.delete(work);
        this.#unverified -= bytes.length;
      });
    this.#verifying.add(work);
  }

  async #settle(): Promise<void> {
    while (this.#verifying.size > 0) await Promise.all(this.#verifying);
  }
}
