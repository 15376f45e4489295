import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { decodeBlock } from '../codec/decode-block.ts';
import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { Image } from '../image/image.ts';
import { PublishedFile } from './site-reader.ts';
import { zstdInNode } from './zstd-in-node.ts';

/** How many blobs are open and blocks decoded at once; files are read in the order of their blocks, so few are enough. */
const openBlobs = 8;
const keptBlocks = 4;

/** Reads blocks of a site's blobs, each verified. What was used last is kept. */
export class BlockReader {
  readonly #site: string;
  readonly #image: Image;
  readonly #blobs = new Map<number, { readonly file: PublishedFile; readonly table: BlockTable }>();
  readonly #blocks = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(site: string, image: Image) {
    this.#site = site;
    this.#image = image;
  }

  /** The logical bytes of a block, which must not be written to. Throws as reading does, or `integrity`, naming the blob. */
  async read(blob: number, block: number): Promise<Uint8Array<ArrayBuffer>> {
    const key = `${blob}/${block}`;
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const { file, table } = await this.#open(blob);
    const { start, end } = table.stored(block);
    const stored = file.read(start, end);
    if (!createHash('sha256').update(stored).digest().equals(table.digest(block))) {
      const path = join(this.#site, `${this.#image.blob(blob).sha256}.bin`);
      throw new SluiceError('integrity', `block ${block} of ${path} does not match its digest`, { path });
    }
    const logical = await decodeBlock(table.codec(block), stored, table.logicalLength(block), zstdInNode);
    this.#blocks.set(key, logical);
    evict(this.#blocks, keptBlocks, () => {});
    return logical;
  }

  close(): void {
    evict(this.#blobs, 0, ({ file }) => file.close());
  }

  async #open(blob: number): Promise<{ readonly file: PublishedFile; readonly table: BlockTable }> {
    const known = this.#blobs.get(blob);
    if (known !== undefined) return known;
    const record = this.#image.blob(blob);
    const file = new PublishedFile(join(this.#site, `${record.sha256}.bin`));
    try {
      const opened = { file, table: await BlockTable.open(file.read(0, record.tableLength), record) };
      this.#blobs.set(blob, opened);
      evict(this.#blobs, openBlobs, (old) => old.file.close());
      return opened;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

/** Drops the oldest entries until `count` are left. */
function evict<K, V>(map: Map<K, V>, count: number, drop: (value: V) => void): void {
  for (const [key, value] of map) {
    if (map.size <= count) return;
    map.delete(key);
    drop(value);
  }
}
