import type { BlockStore } from '../store/block-store.ts';
import type { Storing } from './storing.ts';

export interface LocalImagesOptions {
  readonly store: BlockStore;
  readonly storing: Storing;
  /** One could not be read. Throws what is no failure of a read. */
  readonly notRead: (error: unknown) => void;
}

/** Bootstraps that are here: in the store, or, as long as that does not take them, in memory. */
export class LocalImages {
  readonly #options: LocalImagesOptions;
  /** Those that the store did not take. */
  readonly #unstored = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Those that it took and that are not durable yet. */
  readonly #fresh = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(options: LocalImagesOptions) {
    this.#options = options;
  }

  /** Those that the store has. */
  stored(): string[] {
    return this.#options.store.images();
  }

  async read(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { store, notRead } = this.#options;
    try {
      return this.#unstored.get(id) ?? (await store.readImage(id));
    } catch (error) {
      notRead(error);
      return undefined;
    }
  }

  /** `isSpoilt`: one that is there was found bad, this is what it should be. */
  async add(id: string, bytes: Uint8Array<ArrayBuffer>, isSpoilt: boolean): Promise<void> {
    const { store, storing } = this.#options;
    try {
      const keep = (): Promise<void> => (isSpoilt ? store.replaceImage(id, bytes) : this.#keep(id, bytes));
      if (!storing.isStopped) return await storing.withRoom(keep);
    } catch (error) {
      storing.failed(error);
    }
    this.#unstored.set(id, bytes);
  }

  /** Puts a bootstrap in the place of one that was found bad. Throws what the store throws: nothing is worse than it was then. */
  replace(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#options.store.replaceImage(id, bytes);
  }

  /** Removes bootstraps that nobody has open. Answers how many bytes were given back; throws what the store throws, and then nothing is removed. */
  remove(ids: readonly string[]): Promise<number> {
    return this.#options.store.removeImages(ids);
  }

  /** The image is used now, in ms since 1970; durable with the next commit. */
  used(id: string, atMs: number): void {
    this.#options.store.used(id, atMs);
  }

  /** In ms since 1970; undefined where that is not known. */
  lastUsed(id: string): number | undefined {
    return this.#options.store.lastUsed(id);
  }

  /** A commit begins: the store is given what it did not take before. Throws what the store throws. */
  async storeKept(): Promise<void> {
    for (const [id, bytes] of [...this.#unstored]) await this.#keep(id, bytes);
  }

  /** What the store has is durable. */
  committed(): void {
    this.#fresh.clear();
  }

  /** What flushes have lost of them is in memory still. */
  takeLost(): void {
    for (const [id, bytes] of this.#fresh) {
      if (this.#options.store.hasImage(id)) continue;
      this.#unstored.set(id, bytes);
      this.#fresh.delete(id);
    }
  }

  async #keep(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#options.store.addImage(id, bytes);
    this.#fresh.set(id, bytes);
    this.#unstored.delete(id);
  }
}
