import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import { compareBytes } from '../format/utf8.ts';
import type { TreeChange } from '../overlay/change.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { BlobPresence } from '../store/presence.ts';
import type { StoreFile } from '../store/store-file.ts';
import { LocalImages } from './local-images.ts';
import { SpillCache } from './spill-cache.ts';
import { Storing, type StoringOptions } from './storing.ts';
import { UnreadableBlocks } from './unreadable-blocks.ts';

export interface LocalBlocksOptions extends StoringOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** More than this is not written: for a store that is in memory itself. */
  readonly capacityBytes?: number;
  /** What is kept in memory once the store takes no more. Default 64 MiB. */
  readonly spillBytes?: number;
  /** What is here could not be read; it is missing for a while. */
  readonly onUnreadable?: (reason: SluiceError) => void;
  /** These blocks (-1: the table) were here, and are missing since their file could not be flushed. */
  readonly onLost?: (sha256: string, blocks: readonly number[]) => void;
  /** So many bytes were written since the last commit, and are committed now. */
  readonly onCommitted?: (bytes: number) => void;
}

const tableBlock = -1;

/**
 * Tables and blocks that are here, whichever way: in the store, or, while that takes no more (quota, a failing disk), in a
 * bounded memory from which old ones fall out and are fetched again when needed. Readers never see a storage failure.
 *
 * Where a write fails, storing stops (see {@link Storing}), until {@link resume}. What has no other copy (files made at run time, pins) is tried even then, and its
 * writer hears of the failure.
 *
 * What cannot be read is missing for a while, for its readers; the store keeps it, since failures of a platform pass, and offline there would be no other.
 * Only when it has come again, and the store still cannot give it, is it dropped there and stored anew.
 */
export class LocalBlocks {
  readonly #store: BlockStore;
  readonly #options: LocalBlocksOptions;
  readonly #spill: SpillCache;
  readonly #unreadable: UnreadableBlocks;
  readonly #storing: Storing;
  readonly images: LocalImages;
  /** Blobs that became sealed and were not told yet. */
  readonly #sealed: string[] = [];
  /** Bytes written to each blob in this session. */
  readonly #written = new Map<string, number>();
  #total = 0;
  #committed = 0;

  constructor(store: BlockStore, options: LocalBlocksOptions) {
    this.#store = store;
    this.#options = options;
    this.#spill = new SpillCache(options.spillBytes ?? 64 * 1024 * 1024);
    this.#unreadable = new UnreadableBlocks(options.clock);
    this.#storing = new Storing(options);
    this.images = new LocalImages({
      store,
      storing: this.#storing,
      notRead: (error) => this.#notRead(error),
    });
  }

  /** The store has stopped taking blocks: what comes now does not outlive this loader. */
  get full(): boolean {
    return this.#storing.isStopped;
  }

  /** It has, for lack of room: that can change. */
  get outOfRoom(): boolean {
    return this.#storing.isOutOfRoom;
  }

  /** What was written in this session and not given back: all that there is where the store is in memory. */
  get writtenBytes(): number {
    let sum = 0;
    for (const bytes of this.#written.values()) sum += bytes;
    return sum;
  }

  /** Nothing more is stored that can be had elsewhere, until {@link resume}. */
  stop(reason: SluiceError): void {
    this.#storing.stop(reason);
  }

  /**
   * Storing is tried again: what was kept in memory meanwhile is stored, and durable. Answers false where storing had not stopped, or stops again at once;
   * then what was kept is still kept.
   */
  async resume(): Promise<boolean> {
    if (!this.full) return false;
    this.#storing.resume();
    try {
      const stored: string[] = [];
      for (const [key, { bytes, offset }] of this.#spill.entries()) {
        // It may have been evicted meanwhile.
        if (!this.#spill.has(key)) continue;
        const [sha256, block] = key.split('/') as [string, string];
        await this.#put(sha256, Number(block), offset, bytes);
        stored.push(key);
      }
      await this.#commit();
      for (const key of stored) this.#spill.drop(key);
    } catch (error) {
      this.#storing.failed(error);
    }
    return !this.full;
  }

  /** Whether the store has heard of the blob. */
  knows(sha256: string): boolean {
    return this.#store.presence(sha256) !== undefined;
  }

  /** What the store has of the blob; undefined where it has not heard of it. */
  known(sha256: string): BlobPresence | undefined {
    return this.#store.presence(sha256);
  }

  /** Blocks that the store has and cannot read back, and those that are here without it, as `<sha256>/<block>`. */
  exceptions(): { readonly lost: Iterable<string>; readonly spilled: Iterable<string> } {
    return { lost: this.#unreadable.missing(), spilled: this.#spill.keys() };
  }

  presence(record: BlobRecord): BlobPresence {
    return this.#store.blob(record);
  }

  hasTable(presence: BlobPresence, sha256: string): boolean {
    return this.#has(sha256, tableBlock, presence.hasTable);
  }

  hasBlock(presence: BlobPresence, sha256: string, block: number): boolean {
    return this.#has(sha256, block, presence.has(block));
  }

  /** Undefined where it turns out not to be here: it is missing from now on. */
  readTable(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(sha256, tableBlock, () => this.#store.readTable(sha256));
  }

  /** Undefined where it turns out not to be here: it is missing from now on. */
  readBlock(
    sha256: string,
    block: number,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(sha256, block, () => this.#store.readBlock(sha256, block, offset, length));
  }

  writeTable(sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.writeBlock(sha256, tableBlock, 0, bytes);
  }

  async writeBlock(
    sha256: string,
    block: number,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    if (!this.full) {
      try {
        await this.#storing.withRoom(() => this.#put(sha256, block, offset, bytes));
        return;
      } catch (error) {
        this.#storing.failed(error);
      }
    }
    this.#spill.set(`${sha256}/${block}`, bytes, offset);
  }

  /**
   * A block of a file made at run time. Nobody else has it: where the store does not take it, this throws, instead of keeping it in a
   * memory from which it may fall out.
   */
  async writePrivate(
    name: string,
    block: number,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
    digest: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    await this.#storing.withRoom(async () => {
      this.#checkCapacity(bytes.length);
      await this.#replaceUnreadable(name, block, offset, bytes);
      await this.#store.writeLocalBlock(name, block, bytes, digest);
      this.#count(name, bytes.length);
    });
  }

  /** Throws where not all of these blocks of a private blob are here: what was written of it and could not be flushed is lost. */
  requireKept(name: string, blocks: Iterable<number>): void {
    const presence = this.#store.presence(name);
    for (const block of blocks)
      if (presence && !presence.has(block))
        throw new SluiceError(
          'unreadable',
          `Block ${block} was not stored: its file could not be flushed. Write it again`,
        );
  }

  /** A private blob that no file came to have: its bytes go. */
  async discard(name: string): Promise<void> {
    try {
      this.#written.delete(name);
      await this.#store.discard(name);
    } catch (error) {
      this.#storing.failed(error);
    }
  }

  /** What was changed in the image's tree at run time; it changes with {@link change}. */
  overlay(image: string): Overlay {
    return this.#store.overlay(image);
  }

  /**
   * Makes changes of the image's tree. Durable when it resolves; throws what the store throws, and the changes before the one that failed are made.
   * `check` is called before each try, and throws where there is to be none.
   */
  async change(
    image: string,
    changes: readonly TreeChange[],
    request: string,
    check: () => void = () => {},
  ): Promise<void> {
    const overlay = this.overlay(image);
    const before = overlay.sequence;
    await this.#storing.withRoom(() => {
      check();
      return this.#store.change(image, changes.slice(overlay.sequence - before), request);
    });
  }

  /** Whether {@link change} was done for this request, by this leader or one before it. */
  isDone(request: string): boolean {
    return this.#store.isDone(request);
  }

  /**
   * What the store has of these blocks (-1: the table) was found bad: they are missing from now on, and what comes in their place is stored. Answers
   * whether that is durable; where it is not, nothing else is stored either.
   */
  async drop(sha256: string, blocks: readonly number[]): Promise<boolean> {
    for (const block of blocks) this.#unreadable.delete(`${sha256}/${block}`);
    try {
      await this.#storing.withRoom(() => this.#store.dropBlocks(sha256, blocks));
      return true;
    } catch (error) {
      this.#storing.failed(error);
      return false;
    }
  }

  /** A table that was read and does not match its digest. */
  forgetTable(sha256: string): void {
    this.#unreadable.add(`${sha256}/${tableBlock}`);
  }

  /** Keeps blobs from being culled, or no longer. Durable when it resolves; throws what the store throws. */
  pin(blobs: Iterable<string>, pinned: boolean): Promise<void> {
    return this.#storing.withRoom(() => (pinned ? this.#store.pin(blobs) : this.#store.unpin(blobs)));
  }

  pinned(sha256: string): boolean {
    return this.#store.pinned(sha256);
  }

  /** The files of the store of which something is true, in no order. */
  files(): StoreFile[] {
    return this.#store.files();
  }

  /**
   * Gives back the room of published blobs. In the tick of this call nothing of them is here any more, and they have to be asked for anew (see
   * {@link presence}); it resolves when their files are gone. Throws what the store throws; where that is `ENOSPC`, they stay.
   */
  evict(blobs: readonly string[]): Promise<void> {
    const evicted = this.#store.evict(blobs);
    for (const sha256 of blobs) {
      this.#spill.dropAll(`${sha256}/`);
      this.#written.delete(sha256);
      this.#unreadable.deleteAll(sha256);
    }
    return evicted;
  }

  /** Makes what was written durable, as far as the store can. Answers the blobs that became sealed. */
  async commit(): Promise<readonly string[]> {
    try {
      await this.#storing.withRoom(() => this.#commit());
      const bytes = this.#total - this.#committed;
      this.#committed = this.#total;
      this.#options.onCommitted?.(bytes);
    } catch (error) {
      this.#storing.failed(error);
    }
    return this.#sealed.splice(0);
  }

  /** Nothing more is to be written for now, see BlockStore.rest. */
  async rest(): Promise<void> {
    try {
      if (!this.full) await this.#store.rest();
    } catch (error) {
      this.#storing.failed(error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#store.close();
    } catch (error) {
      this.#storing.failed(error);
    }
  }

  #has(sha256: string, block: number, stored: boolean): boolean {
    const key = `${sha256}/${block}`;
    return (stored && !this.#unreadable.isMissing(key)) || this.#spill.has(key);
  }

  async #read(
    sha256: string,
    block: number,
    fromStore: () => Promise<Uint8Array<ArrayBuffer> | undefined>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = `${sha256}/${block}`;
    const spilled = this.#spill.get(key);
    if (spilled || this.#unreadable.isMissing(key)) return spilled;
    try {
      const bytes = await fromStore();
      this.#unreadable.delete(key);
      return bytes;
    } catch (error) {
      this.#unreadable.add(key);
      this.#notRead(error);
      return undefined;
    }
  }

  async #put(sha256: string, block: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#checkCapacity(bytes.length);
    await this.#replaceUnreadable(sha256, block, offset, bytes);
    if (block === tableBlock) await this.#store.writeTable(sha256, bytes);
    else await this.#store.writeBlock(sha256, block, offset, bytes);
    this.#count(sha256, bytes.length);
  }

  /**
   * What could not be read has come again: the store drops its own, so that this can be written, unless it can be read by now. (What that is of a private block
   * only its digest knows, which a scrub asks: it stays.)
   */
  async #replaceUnreadable(
    sha256: string,
    block: number,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const key = `${sha256}/${block}`;
    if (!this.#unreadable.has(key)) return;
    if (!(await this.#holds(sha256, block, offset, bytes))) await this.#store.dropBlocks(sha256, [block]);
    this.#unreadable.delete(key);
  }

  async #holds(
    sha256: string,
    block: number,
    offset: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    try {
      const stored =
        block === tableBlock
          ? await this.#store.readTable(sha256)
          : await this.#store.readBlock(sha256, block, offset, bytes.length);
      const isPrivate = this.#store.localDigest(sha256, block) !== undefined;
      return stored !== undefined && (isPrivate || compareBytes(stored, bytes) === 0);
    } catch (error) {
      this.#notRead(error);
      return false;
    }
  }

  /** What flushes have lost since the last commit is told, or, where it is still in memory, stored again. */
  async #commit(): Promise<void> {
    this.#takeLost();
    try {
      if (!this.full) await this.images.storeKept();
      const { sealed } = await this.#store.commit();
      this.#sealed.push(...sealed);
      this.images.committed();
    } catch (error) {
      this.#takeLost();
      throw error;
    }
  }

  #takeLost(): void {
    this.images.takeLost();
    for (const [sha256, blocks] of this.#store.takeLost()) this.#options.onLost?.(sha256, blocks);
  }

  #count(sha256: string, bytes: number): void {
    this.#written.set(sha256, (this.#written.get(sha256) ?? 0) + bytes);
    this.#total += bytes;
  }

  #checkCapacity(more: number): void {
    const { capacityBytes } = this.#options;
    if (capacityBytes !== undefined && this.writtenBytes + more > capacityBytes)
      throw new SluiceError('ENOSPC', 'The memory set aside for blocks is used up');
  }

  /** A read has failed: go on without. A closed store is a defect of the caller. */
  #notRead(error: unknown): void {
    if (!(error instanceof SluiceError) || error.code === 'closed') throw error;
    this.#options.onUnreadable?.(error);
  }
}
