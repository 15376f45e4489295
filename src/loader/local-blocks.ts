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
  /** Told once, when the store has stopped taking blocks. */
  readonly onFull: (reason: SluiceError) => void;
}

const tableBlock = -1;

/**
 * Tables and blocks that are here, whichever way: in the store, or, once that takes no more (quota, a failing disk), in a
 * bounded memory from which old ones fall out and are fetched again when needed. Readers never see a storage failure.
 */
export class LocalBlocks {
  readonly #store: BlockStore;
  readonly #options: LocalBlocksOptions;
  readonly #spill: SpillCache;
  /** What the store calls present and could not read: missing, for us. */
  readonly #lost = new Set<string>();
  #written = 0;
  #full = false;

  constructor(store: BlockStore, options: LocalBlocksOptions) {
    this.#store = store;
    this.#options = options;
    this.#spill = new SpillCache(options.spillBytes ?? 64 * 1024 * 1024);
  }

  /** The store has stopped taking blocks: what comes now does not outlive this loader. */
  get full(): boolean {
    return this.#full;
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
    return this.#write(sha256, tableBlock, bytes, () => this.#store.writeTable(sha256, bytes));
  }

  writeBlock(sha256: string, block: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#write(sha256, block, bytes, () => this.#store.writeBlock(sha256, block, offset, bytes));
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
    if (this.#isUsedUp(bytes.length)) throw this.#usedUp();
    await this.#store.writeLocalBlock(name, block, bytes, digest);
    this.#written += bytes.length;
  }

  /** What was changed in the image's tree at run time; it changes with {@link change}. */
  overlay(image: string): Overlay {
    return this.#store.overlay(image);
  }

  /** Makes changes of the image's tree. Durable when it resolves; throws what the store throws, and nothing has changed then. */
  change(image: string, changes: readonly TreeChange[]): Promise<void> {
    return this.#store.change(image, changes);
  }

  /** A table that was read and does not match its digest. */
  forgetTable(sha256: string): void {
    this.#lost.add(`${sha256}/${tableBlock}`);
  }

  /** Keeps blobs from being culled, or no longer. Durable when it resolves; throws what the store throws. */
  pin(blobs: Iterable<string>, pinned: boolean): Promise<void> {
    return pinned ? this.#store.pin(blobs) : this.#store.unpin(blobs);
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
      for (const key of this.#lost) if (key.startsWith(`${sha256}/`)) this.#lost.delete(key);
    }
    return evicted;
  }

  /** Makes what was written durable, as far as the store can. Answers the blobs that became sealed. */
  async commit(): Promise<readonly string[]> {
    try {
      return (await this.#store.commit()).sealed;
    } catch (error) {
      this.#storeFailed(error);
      return [];
    }
  }

  images(): string[] {
    return this.#store.images();
  }

  async readImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#store.readImage(id);
    } catch (error) {
      this.#storeFailed(error);
      return undefined;
    }
  }

  async addImage(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      if (!this.#full) await this.#store.addImage(id, bytes);
    } catch (error) {
      this.#storeFailed(error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#store.close();
    } catch (error) {
      this.#storeFailed(error);
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
      this.#storeFailed(error);
      return undefined;
    }
  }

  async #write(
    sha256: string,
    block: number,
    bytes: Uint8Array<ArrayBuffer>,
    toStore: () => Promise<void>,
  ): Promise<void> {
    const key = `${sha256}/${block}`;
    if (!this.#full && !this.#lost.has(key)) {
      if (this.#isUsedUp(bytes.length)) this.#storeFailed(this.#usedUp());
      else {
        try {
          await toStore();
          this.#written += bytes.length;
          return;
        } catch (error) {
          this.#storeFailed(error);
        }
      }
    }
    this.#spill.set(key, bytes);
  }

  #isUsedUp(more: number): boolean {
    return this.#written + more > (this.#options.capacityBytes ?? Number.POSITIVE_INFINITY);
  }

  #usedUp(): SluiceError {
    return new SluiceError('ENOSPC', 'The memory set aside for blocks is used up');
  }

  /** A closed store is a defect of the caller; any other failure means: go on in memory. */
  #storeFailed(error: unknown): void {
    if (!(error instanceof SluiceError) || error.code === 'closed') throw error;
    if (this.#full) return;
    this.#full = true;
    this.#options.onFull(error);
  }
}
