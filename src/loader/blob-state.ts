import type { BlobRecord } from '../format/blob-record.ts';
import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { PartialBlock } from '../source/block-stream.ts';
import type { BlobPresence } from '../store/presence.ts';
import { BackOff } from './back-off.ts';
import type { BlobView, PartialMark } from './blob-view.ts';
import type { LocalBlocks } from './local-blocks.ts';

/** How long background work leaves a block alone after a failure. */
const holdFirstMs = 5000;
const holdMaxMs = 60_000;

export interface BlobStateOptions {
  readonly record: BlobRecord;
  readonly local: LocalBlocks;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What the engine knows of one blob. Everything here can be made again from the image and the store. */
export class BlobState implements BlobView {
  readonly record: BlobRecord;
  /** A block whose bytes came in part; the next request goes on there. */
  leftOver: PartialBlock | undefined;
  /** A request for it failed or brought something wrong: what the platform keeps of it is not to be believed. */
  distrusted = false;
  readonly #local: LocalBlocks;
  readonly #clock: Clock;
  readonly #random: () => number;
  #presence: BlobPresence;
  #table: BlockTable | undefined;
  #opening: Promise<BlockTable | undefined> | undefined;
  /** Blocks that have arrived and are being verified or written, and who waits for the end of that. */
  readonly #arriving = new Map<number, (() => void)[]>();
  /** Found bad, here or as they came, and not good since. */
  readonly #damaged = new Set<number>();
  readonly #holds = new Map<number, { until: number; readonly pause: BackOff }>();

  constructor({ record, local, clock, random }: BlobStateOptions) {
    this.record = record;
    this.#local = local;
    this.#clock = clock;
    this.#random = random;
    this.#presence = local.presence(record);
    if (this.isPrivate) this.#table = BlockTable.fixed(record);
  }

  /** Holds a file made at run time: no source has it, its blocks are given by whoever made it, and it has no table. */
  get isPrivate(): boolean {
    return this.record.blockSize !== undefined;
  }

  get sha256(): string {
    return this.record.sha256;
  }

  get length(): number {
    return this.record.length;
  }

  get tableLength(): number {
    return this.record.tableLength;
  }

  get blockCount(): number {
    return this.record.blockCount;
  }

  get table(): BlockTable | undefined {
    return this.#table;
  }

  get tableLoading(): boolean {
    return this.#table === undefined && this.#local.hasTable(this.#presence, this.sha256);
  }

  get partial(): PartialMark | undefined {
    const { leftOver } = this;
    return leftOver && { block: leftOver.block, at: leftOver.start + leftOver.filled };
  }

  /** In the store, wholly: outlives this loader (once committed). */
  get complete(): boolean {
    return this.#presence.complete;
  }

  /** Blocks in the store. */
  get presentCount(): number {
    return this.#presence.count;
  }

  /** Stored bytes in the store; without the table, an estimate from the count of blocks. */
  get presentBytes(): number {
    if (this.complete) return this.length;
    if (this.presentCount === 0) return this.#presence.hasTable ? this.tableLength : 0;
    if (!this.#table) {
      return Math.round(
        this.tableLength + ((this.length - this.tableLength) * this.presentCount) / this.blockCount,
      );
    }
    let bytes = this.tableLength;
    for (let block = 0; block < this.blockCount; block++) {
      if (!this.#presence.has(block)) continue;
      const { start, end } = this.#table.stored(block);
      bytes += end - start;
    }
    return bytes;
  }

  /** Blocks that were found bad, and have not come again. */
  get damaged(): Iterable<number> {
    return this.#damaged;
  }

  /** Between arriving and their places. */
  get arriving(): Iterable<number> {
    return this.#arriving.keys();
  }

  /** It was found bad. */
  spoilt(block: number): void {
    this.#damaged.add(block);
  }

  /** Between arriving and its place: see {@link settled}. */
  isArriving(block: number): boolean {
    return this.#arriving.has(block);
  }

  isHere(block: number): boolean {
    return this.isArriving(block) || this.isReadable(block);
  }

  /** Stored, and can be cut out: without a table (that of this disk is spoilt) it is as good as missing until that came again. */
  isReadable(block: number): boolean {
    return (this.#table !== undefined || this.tableLoading) && this.isStored(block);
  }

  isStored(block: number): boolean {
    return this.#local.hasBlock(this.#presence, this.sha256, block);
  }

  isHeld(block: number): boolean {
    return (this.#holds.get(block)?.until ?? 0) > this.#clock.now();
  }

  /** Keeps background work from the block (-1: the whole blob) for a pause that grows. Answers the pause in milliseconds. */
  hold(block: number): number {
    const pause =
      this.#holds.get(block)?.pause ??
      new BackOff({ firstMs: holdFirstMs, maxMs: holdMaxMs, random: this.#random });
    const ms = pause.next();
    this.#holds.set(block, { until: this.#clock.now() + ms, pause });
    return ms;
  }

  arrived(block: number): void {
    this.#arriving.set(block, this.#arriving.get(block) ?? []);
    if (this.leftOver?.block === block) this.leftOver = undefined;
  }

  /** The block is in its place, or was not good. */
  landed(block: number, good: boolean): void {
    const waiters = this.#arriving.get(block);
    this.#arriving.delete(block);
    if (good) {
      this.#holds.delete(block);
      this.#damaged.delete(block);
    }
    for (const resolve of waiters ?? []) resolve();
  }

  /** Resolves when the block is not between arriving and its place: it is readable, or missing. */
  async settled(block: number): Promise<void> {
    for (let waiters = this.#arriving.get(block); waiters; waiters = this.#arriving.get(block)) {
      const queue = waiters;
      await new Promise<void>((resolve) => queue.push(resolve));
    }
  }

  setTable(table: BlockTable): void {
    this.#table = table;
    this.#holds.delete(-1);
  }

  /** Lets the memory of a table go that can be read from the store again. */
  dropTable(): void {
    if (this.#presence.hasTable && !this.isPrivate) this.#table = undefined;
  }

  /** It was evicted: nothing of it is here, and what comes from now on is stored anew. */
  evicted(): void {
    this.#presence = this.#local.presence(this.record);
    this.#table = undefined;
    this.leftOver = undefined;
    this.#damaged.clear();
  }

  /** The table is not in the store any more: it has to come again. */
  forgetTable(): void {
    if (!this.isPrivate) this.#table = undefined;
  }

  /** The table, where it is known or in the store. */
  openTable(): Promise<BlockTable | undefined> {
    if (this.#table || !this.tableLoading) return Promise.resolve(this.#table);
    this.#opening ??= this.#readTable().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #readTable(): Promise<BlockTable | undefined> {
    const presence = this.#presence;
    const bytes = await this.#local.readTable(this.sha256);
    if (!bytes) return this.#table;
    try {
      const table = await BlockTable.open(bytes, this.record);
      // Evicted or dropped meanwhile: it has to come, and be stored, again.
      if (presence === this.#presence && this.tableLoading) this.#table = table;
    } catch (error) {
      // Spoilt on this disk: missing, as far as we are concerned. What the publisher got wrong would be wrong again.
      if (!(error instanceof SluiceError) || error.code !== 'integrity') throw error;
      this.#local.forgetTable(this.sha256);
    }
    return this.#table;
  }
}
