import type { Ledger } from './ledger.ts';
import { readBytes } from './read-bytes.ts';
import { checkDigest, imagePath } from './store-paths.ts';

/**
 * The bootstraps' bytes. They are verified whole whenever an image is opened, so that, other than a blob's blocks, they may be written over
 * where they lie (4 in STORE.md).
 */
export class ImageFiles {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  has(id: string): boolean {
    return this.#ledger.state.images.has(id);
  }

  async add(id: string, bytes: Uint8Array): Promise<void> {
    checkDigest(id);
    if (this.has(id)) return;
    await this.#ledger.files.write(imagePath(id), true, (file) => {
      if (this.has(id)) return;
      this.#ledger.settle();
      file.write(bytes, 0);
      if (file.size() > bytes.length) file.truncate(bytes.length);
      this.#ledger.addImage(id, bytes.length);
    });
  }

  /** A bootstrap of which the file is not there is not here any more. */
  async read(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = this.#ledger.state.images.get(id);
    if (length === undefined) return undefined;
    const bytes = await this.#read(id, length);
    if (bytes === undefined && this.has(id)) this.#ledger.takeAwayImage(id);
    return bytes;
  }

  /** Concludes nothing from what it finds. */
  async probe(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = this.#ledger.state.images.get(id);
    return length === undefined ? undefined : this.#read(id, length);
  }

  async replace(id: string, bytes: Uint8Array): Promise<void> {
    checkDigest(id);
    if (this.#ledger.state.images.get(id) !== bytes.length) return this.add(id, bytes);
    await this.#ledger.files.write(imagePath(id), true, (file) => {
      file.write(bytes, 0);
      if (file.size() > bytes.length) file.truncate(bytes.length);
    });
    this.#ledger.commit();
  }

  #read(id: string, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readBytes(this.#ledger.files, imagePath(id), 0, length, () => this.has(id));
  }
}
