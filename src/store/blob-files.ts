import { isCode, SluiceError } from '../format/errors.ts';
import type { BlobDescription } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { BlobPresence, Presence } from './presence.ts';
import { readBytes } from './read-bytes.ts';
import { checkDigest } from './store-paths.ts';
import { hasFile } from './writer-state.ts';

/** What of a blob is read or written: a block by its number, or the table. */
type Part = number | 'table';

/**
 * The blobs' bytes: tables and blocks, published and private ones. Invariants: what is present is never written again (4 in STORE.md); a file
 * that holds nothing present is begun anew; one that lacks what is present was somebody else's doing, and none of it is believed any more.
 */
export class BlobFiles {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  declare(description: BlobDescription): BlobPresence {
    const { sha256, length, tableLength, blockCount, blockSize } = description;
    checkDigest(sha256);
    const known = this.#ledger.state.blobs.get(sha256);
    if (known === undefined) {
      if (!this.#ledger.declare(description)) {
        throw new SluiceError(
          'EINVAL',
          `No blob has ${length} bytes, ${tableLength} of table, ${blockCount} blocks`,
        );
      }
      return this.#ledger.blob(sha256).presence;
    }
    const same = known.description;
    if (
      same.length !== length ||
      same.tableLength !== tableLength ||
      same.blockCount !== blockCount ||
      same.blockSize !== blockSize
    ) {
      throw new SluiceError('EINVAL', `Blob ${sha256} is known with other lengths`);
    }
    return known.presence;
  }

  async writeTable(sha256: string, bytes: Uint8Array): Promise<void> {
    const { tableLength } = this.#ledger.blob(sha256).description;
    if (bytes.length !== tableLength) {
      throw new SluiceError(
        'EINVAL',
        `The table of blob ${sha256} has ${tableLength} bytes, not ${bytes.length}`,
      );
    }
    await this.#write(sha256, 'table', 0, bytes);
  }

  async writeBlock(sha256: string, block: number, offset: number, bytes: Uint8Array): Promise<void> {
    this.#checkBlock(sha256, block, offset, bytes.length);
    if (this.#ledger.blob(sha256).description.blockSize !== undefined) {
      throw new SluiceError('EINVAL', `Blob ${sha256} is private: its blocks come with digests`);
    }
    await this.#write(sha256, block, offset, bytes);
  }

  async writeLocalBlock(
    name: string,
    block: number,
    bytes: Uint8Array,
    digest: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { length, blockSize, blockCount } = this.#ledger.blob(name).description;
    if (blockSize === undefined) throw new SluiceError('EINVAL', `Blob ${name} is not private`);
    if (!(Number.isInteger(block) && block >= 0 && block < blockCount)) {
      throw new SluiceError('ERANGE', `Blob ${name} has no block ${block}`);
    }
    const offset = block * blockSize;
    const expected = Math.min(blockSize, length - offset);
    if (bytes.length !== expected || digest.length !== 32) {
      throw new SluiceError('EINVAL', `Block ${block} of ${name} has ${expected} bytes and a digest`);
    }
    await this.#write(name, block, offset, bytes, digest.slice());
  }

  async readTable(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { description, presence } = this.#ledger.blob(sha256);
    return presence.hasTable ? this.#read(sha256, 'table', 0, description.tableLength) : undefined;
  }

  async readBlock(
    sha256: string,
    block: number,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#checkBlock(sha256, block, offset, length);
    return this.#ledger.blob(sha256).presence.has(block)
      ? this.#read(sha256, block, offset, length)
      : undefined;
  }

  /** Concludes nothing from what it finds. */
  probe(sha256: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { files, state } = this.#ledger;
    return readBytes(files, state.pathOf(sha256), start, end - start, () => state.blobs.has(sha256));
  }

  async #write(
    sha256: string,
    part: Part,
    offset: number,
    bytes: Uint8Array,
    digest?: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const ledger = this.#ledger;
    const before = ledger.blob(sha256);
    if (isPresent(before.presence, part)) return;
    const path = ledger.state.pathOf(sha256);
    const empty = !hasFile(before);
    let isMoved = false;
    try {
      await ledger.files.write(path, empty, (file) => {
        const { presence, description } = ledger.blob(sha256);
        if (isPresent(presence, part)) return;
        isMoved = ledger.state.pathOf(sha256) !== path;
        if (isMoved) return;
        ledger.settle();
        file.write(bytes, offset);
        // Sealing promises the published length; a longer file can only be somebody else's.
        if (file.size() > description.length) file.truncate(description.length);
        if (part === 'table') ledger.addTable(sha256);
        else ledger.addBlock(sha256, part, digest);
      });
    } catch (error) {
      if (empty || !isCode(error, 'ENOENT')) throw error;
      // A file that holds present blocks was removed by somebody else, unless the blob was evicted meanwhile.
      if (hasFile(ledger.blob(sha256)) && ledger.state.pathOf(sha256) === path) ledger.takeAwayBlob(sha256);
      isMoved = true;
    }
    if (isMoved) await this.#write(sha256, part, offset, bytes, digest);
  }

  /** Of a part that is present. */
  async #read(
    sha256: string,
    part: Part,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { files, state } = this.#ledger;
    const path = state.pathOf(sha256);
    const isTrue = (): boolean => {
      const blob = state.blobs.get(sha256);
      return blob !== undefined && isPresent(blob.presence, part) && state.pathOf(sha256) === path;
    };
    const bytes = await readBytes(files, path, offset, length, isTrue);
    if (bytes === undefined && isTrue()) {
      this.#ledger.takeAwayBlob(sha256);
      await files.remove(path);
    }
    return bytes;
  }

  #checkBlock(sha256: string, block: number, offset: number, length: number): void {
    const { description } = this.#ledger.blob(sha256);
    if (!(block >= 0 && block < description.blockCount)) {
      throw new SluiceError('ERANGE', `Blob ${sha256} has no block ${block}`);
    }
    if (!(offset >= description.tableLength && offset + length <= description.length)) {
      throw new SluiceError('ERANGE', `No block of blob ${sha256} lies at ${offset}, ${length} bytes long`);
    }
  }
}

function isPresent(presence: Presence, part: Part): boolean {
  return part === 'table' ? presence.hasTable : presence.has(part);
}
