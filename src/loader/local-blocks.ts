import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import type { TreeChange } from '../overlay/change.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { BlobPresence } from '../store/presence.ts';
import type { StoreFile } from '../store/store-file.ts';
import { SpillCache } from './spill-cache.ts';

export interface LocalBlocksOptions {
  /** More than this is not written: for a store that is in memory itself. */
  readonly capacityBytes?: number;
  /** What is kept in memory once the store takes no more. Default 64 MiB. */
  readonly spillBytes?: number;
  /** Told when the store has stopped taking blocks. */
  readonly onFull: (reason: SluiceError) => void;
  /** The store has no room: gives some back, if it can. Never rejects. */
  readonly makeRoom?: () => Promise<void>;
  /** So many bytes were written since the last commit, and are committed now. */
  readonly onCommitted?: (bytes: number) => void;
}

const tableBlock = -1;

/**
 * Tables and blocks that are here, whichever way: in the store, or, once that takes no more (quota, a failing disk), in a
 * bounded memory from which old ones fall out and are fetched again when needed. Readers never see a storage failure.
 *
 * Where the platform has no room (`ENOSPC`), for whatever is written, room is made and the write tried once more; then storing stops, until
 * {@link resume}. What has no other copy (files made at run time, pins) is tried even then, and its writer hears of the failure.
 */
export class LocalBlocks {
  readonly #store: BlockStore;
  readonly #options: LocalBlocksOptions;
  readonly #spill: SpillCache;
  /** Bootstraps that the store did not take. */
  readonly #unstored = new Map<string, Uint8Array<ArrayBuffer>>();
  /** What the store calls present and could not read: missing, for us. */
  readonly #lost = new Set<string>();
  /** Bytes written to each blob in this session. */
  readonly #written = new Map<string, number>();
  #total = 0;
  #committed = 0;
  #stopped: SluiceError | undefined;

  constructor(store: BlockStore, options: LocalBlocksOptions) {
    this.#store = store;
    this.#options = options;
    this.#spill = new SpillCache(options.spillBytes ?? 64 * 1024 * 1024);
  }

  /** The store has stopped taking blocks: what comes now does not outlive this loader. */
  get full(): boolean {
    return this.#stopped !== undefined;
  }

  /** It has, for lack of room: that can change. */
  get outOfRoom(): boolean {
    return this.#stopped?.code === 'ENOSPC';
  }

  /** What was written in this session and not given back: all that there is where the store is in memory. */
  get writtenBytes(): number {
    let sum = 0;
    for (const bytes of this.#written.values()) sum += bytes;
    return sum;
  }

  /** Nothing more is stored that can be had elsewhere, until {@link resume}. */
  stop(reason: SluiceError): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#options.onFull(reason);
  }

  /**
   * There is room again: what was kept in memory meanwhile is stored. Answers false where storing had not stopped, or for another reason, or stops
   * again at once.
   */
  async resume(): Promise<boolean> {
    if (!this.outOfRoom) return false;
    this.#stopped = undefined;
    try {
      for (const [id, bytes] of [...this.#unstored]) {
        await this.#store.addImage(id, bytes);
        this.#unstored.delete(id);
      }
      for (const [key, { bytes, offset }] of this.#spill.entries()) {
        if (this.#lost.has(key)) continue;
        const [sha256, block] = key.split('/') as [string, string];
        await this.#put(sha256, Number(block), offset, bytes);
        this.#spill.drop(key);
      }
    } catch (error) {
      this.#failed(error);
    }
    return !this.full;
  }

  /** Whether the store has heard of the blob. */
  knows(sha256: string): boolean {
    return this.#store.presence(sha256) !== undefined;
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
    const key = `${sha256}/${block}`;
    if (!this.full && !this.#lost.has(key)) {
      try {
        await this.#withRoom(() => this.#put(sha256, block, offset, bytes));
        return;
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#spill.set(key, bytes, offset);
  }

  /**
   * A block of a file made at run time. Nobody else has it: where the store does not take it, this throws, instead of keeping it in a
   * memory from which it may fall out.
   */
  async writePrivate(
    name: string,
    block: number,
    bytes: Uint8Array<ArrayBuffer>,
    digest: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    await this.#withRoom(async () => {
      this.#checkCapacity(bytes.length);
      await this.#store.writeLocalBlock(name, block, bytes, digest);
      this.#count(name, bytes.length);
    });
  }

  /** A private blob that no file came to have: its bytes go. */
  async discard(name: string): Promise<void> {
    try {
      this.#written.delete(name);
      await this.#store.discard(name);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** What was changed in the image's tree at run time; it changes with {@link change}. */
  overlay(image: string): Overlay {
    return this.#store.overlay(image);
  }

  /** Makes changes of the image's tree. Durable when it resolves; throws what the store throws, and the changes before the one that failed are made. */
  async change(image: string, changes: readonly TreeChange[], request: string): Promise<void> {
    const overlay = this.overlay(image);
    const before = overlay.sequence;
    await this.#withRoom(() => this.#store.change(image, changes.slice(overlay.sequence - before), request));
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
    for (const block of blocks) this.#lost.delete(`${sha256}/${block}`);
    try {
      await this.#withRoom(() => this.#store.dropBlocks(sha256, blocks));
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** A table that was read and does not match its digest. */
  forgetTable(sha256: string): void {
    this.#lost.add(`${sha256}/${tableBlock}`);
  }

  /** Keeps blobs from being culled, or no longer. Durable when it resolves; throws what the store throws. */
  pin(blobs: Iterable<string>, pinned: boolean): Promise<void> {
    return this.#withRoom(() => (pinned ? this.#store.pin(blobs) : this.#store.unpin(blobs)));
  }

  pinned(sha256: string): boolean {
    return this.#store.pinned(sha256);
  }

  /** The image is used now, in ms since 1970; durable with the next commit. */
  used(image: string, atMs: number): void {
    this.#store.used(image, atMs);
  }

  /** In ms since 1970; undefined where that is not known. */
  lastUsed(image: string): number | undefined {
    return this.#store.lastUsed(image);
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
      for (const key of this.#lost) if (key.startsWith(`${sha256}/`)) this.#lost.delete(key);
    }
    return evicted;
  }

  /** Makes what was written durable, as far as the store can. Answers the blobs that became sealed. */
  async commit(): Promise<readonly string[]> {
    try {
      const { sealed } = await this.#withRoom(() => this.#store.commit());
      const bytes = this.#total - this.#committed;
      this.#committed = this.#total;
      this.#options.onCommitted?.(bytes);
      return sealed;
    } catch (error) {
      this.#failed(error);
      return [];
    }
  }

  /** Nothing more is to be written for now, see BlockStore.rest. */
  async rest(): Promise<void> {
    try {
      if (!this.full) await this.#store.rest();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Those that the store has. */
  images(): string[] {
    return this.#store.images();
  }

  async readImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return this.#unstored.get(id) ?? (await this.#store.readImage(id));
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** `isSpoilt`: one that is there was found bad, this is what it should be. */
  async addImage(id: string, bytes: Uint8Array<ArrayBuffer>, isSpoilt: boolean): Promise<void> {
    try {
      const keep = (): Promise<void> =>
        isSpoilt ? this.#store.replaceImage(id, bytes) : this.#store.addImage(id, bytes);
      if (!this.full) return await this.#withRoom(keep);
    } catch (error) {
      this.#failed(error);
    }
    this.#unstored.set(id, bytes);
  }

  /** Puts a bootstrap in the place of one that was found bad. Throws what the store throws: nothing is worse than it was then. */
  replaceImage(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#store.replaceImage(id, bytes);
  }

  async close(): Promise<void> {
    try {
      await this.#store.close();
    } catch (error) {
      this.#failed(error);
    }
  }

  #has(sha256: string, block: number, stored: boolean): boolean {
    const key = `${sha256}/${block}`;
    return (stored && !this.#lost.has(key)) || this.#spill.has(key);
  }

  async #read(
    sha256: string,
    block: number,
    fromStore: () => Promise<Uint8Array<ArrayBuffer> | undefined>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = `${sha256}/${block}`;
    const spilled = this.#spill.get(key);
    if (spilled || this.#lost.has(key)) return spilled;
    try {
      return await fromStore();
    } catch (error) {
      this.#lost.add(key);
      this.#failed(error);
      return undefined;
    }
  }

  async #put(sha256: string, block: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#checkCapacity(bytes.length);
    if (block === tableBlock) await this.#store.writeTable(sha256, bytes);
    else await this.#store.writeBlock(sha256, block, offset, bytes);
    this.#count(sha256, bytes.length);
  }

  /** The one place where a lack of room is met: some is made, by this or by another write that met it, and the write tried once more. */
  async #withRoom<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      const isFull = error instanceof SluiceError && error.code === 'ENOSPC';
      const { makeRoom } = this.#options;
      if (!isFull || !makeRoom) throw error;
      await makeRoom();
      return write();
    }
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

  /** A closed store is a defect of the caller; any other failure means: go on in memory. */
  #failed(error: unknown): void {
    if (!(error instanceof SluiceError) || error.code === 'closed') throw error;
    this.stop(error);
  }
}
