import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { EncodedBlock } from '../codec/encode-block.ts';
import type { BlobRecord } from '../format/blob-record.ts';
import { blockTableLength, encodeBlockTable, type StoredBlock } from '../format/block-table.ts';
import { type CodecName, codecId, codecNames } from '../format/codec-id.ts';
import { SluiceError } from '../format/errors.ts';
import type { Extent } from '../format/extent.ts';
import type { LaunchSet } from '../image/image.ts';
import { fromNodeError } from './node-error.ts';
import type { Placement } from './placement.ts';

/** Where one stored block went. */
interface BlockPlace {
  readonly blob: number;
  readonly block: number;
  /** From the end of the blob's table, whose length is known when the blob is full. */
  readonly dataOffset: number;
  readonly storedLength: number;
}

/** An extent holds its length in 32 bits. */
const maxExtentLength = 2 ** 31;

/**
 * Writes stored blocks into blobs `<sha256>.bin` below `directory`, in the order in which they come. The blob that is being filled is kept in
 * memory, since its table, at its head, is known last: at most `maxLength` bytes; of the first one `firstMaxLength`.
 */
export class BlobWriter {
  readonly #directory: string;
  readonly #maxLength: number;
  readonly #firstMaxLength: number;
  readonly #places: BlockPlace[] = [];
  readonly #blobs: BlobRecord[] = [];
  readonly #codecs = new Set<CodecName>();
  #blocks: StoredBlock[] = [];
  #data: Uint8Array<ArrayBuffer>[] = [];
  #dataLength = 0;
  #breakBefore = 0;
  /** Bytes of the blobs written, and of the blocks that wait for their blob to be full. */
  storedBytes = 0;

  constructor(directory: string, maxLength: number, firstMaxLength = maxLength) {
    this.#directory = directory;
    this.#maxLength = maxLength;
    this.#firstMaxLength = firstMaxLength;
  }

  /** Block `number`, which is still to come, begins a blob. */
  breakBefore(number: number): void {
    this.#breakBefore = number;
  }

  /** The next block. `logicalDigest` is the SHA-256 of its logical bytes, which a raw block is stored under as well. */
  add({ codec, stored }: EncodedBlock, logicalLength: number, logicalDigest: Uint8Array<ArrayBuffer>): void {
    const length = blockTableLength(this.#blocks.length + 1) + this.#dataLength + stored.length;
    const max = this.#blobs.length === 0 ? this.#firstMaxLength : this.#maxLength;
    const ends = length > max || this.#places.length === this.#breakBefore;
    if (ends && this.#blocks.length > 0) this.#writeBlob();
    const sha256 =
      codec === codecId.raw ? logicalDigest : new Uint8Array(createHash('sha256').update(stored).digest());
    this.#places.push({
      blob: this.#blobs.length,
      block: this.#blocks.length,
      dataOffset: this.#dataLength,
      storedLength: stored.length,
    });
    this.#blocks.push({ storedLength: stored.length, logicalLength, codec, sha256 });
    this.#data.push(stored);
    this.#dataLength += stored.length;
    this.storedBytes += stored.length;
    this.#codecs.add(codecNames[codec]!);
  }

  /** After the last block. */
  finish(): { readonly blobs: readonly BlobRecord[]; readonly codecs: readonly CodecName[] } {
    if (this.#blocks.length > 0) this.#writeBlob();
    return { blobs: this.#blobs, codecs: [...this.#codecs] };
  }

  get blockCount(): number {
    return this.#places.length;
  }

  /** The first `count` blocks as a launch set; after `finish`. Undefined for none. */
  launchSet(count: number): LaunchSet | undefined {
    if (count === 0) return undefined;
    const bytes = this.#places.slice(0, count).reduce((sum, { storedLength }) => sum + storedLength, 0);
    const { blob, block } = this.#places[count] ?? { blob: this.#blobs.length, block: 0 };
    return { blob, block, bytes };
  }

  /** The extents of a file of `size` bytes; after `finish`. Consecutive blocks become one extent. */
  extents({ blocks, shift, blockOffset }: Placement, size: number): Extent[] {
    const extents: Extent[] = [];
    const blockLength = 2 ** shift;
    let fileOffset = 0;
    for (const number of blocks) {
      const { blob, block, dataOffset, storedLength } = this.#places[number]!;
      const length = Math.min(blockLength - (fileOffset === 0 ? blockOffset : 0), size - fileOffset);
      const last = extents.at(-1);
      const touched = last === undefined ? 0 : Math.ceil((last.blockOffset + last.length) / blockLength);
      if (last?.blob === blob && last.block + touched === block && last.length + length <= maxExtentLength) {
        const merged = { length: last.length + length, storedLength: last.storedLength + storedLength };
        extents[extents.length - 1] = { ...last, ...merged };
      } else {
        const storedOffset = this.#blobs[blob]!.tableLength + dataOffset;
        const start = fileOffset === 0 ? blockOffset : 0;
        extents.push({
          fileOffset,
          length,
          blob,
          block,
          shift,
          blockOffset: start,
          storedOffset,
          storedLength,
        });
      }
      fileOffset += length;
    }
    return extents;
  }

  #writeBlob(): void {
    const table = encodeBlockTable(this.#blocks);
    const parts = [table, ...this.#data];
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    const sha256 = hash.digest('hex');
    const length = table.length + this.#dataLength;
    // Blocks are stored once, so two blobs of one content cannot be.
    writeParts(join(this.#directory, `${sha256}.bin`), parts);
    this.#blobs.push({
      sha256,
      tableSha256: createHash('sha256').update(table).digest('hex'),
      length,
      tableLength: table.length,
      blockCount: this.#blocks.length,
    });
    this.storedBytes += table.length;
    this.#blocks = [];
    this.#data = [];
    this.#dataLength = 0;
  }
}

/** Writes a new file, piece by piece. */
function writeParts(path: string, parts: readonly Uint8Array[]): void {
  try {
    const descriptor = openSync(path, 'wx');
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          const written = writeSync(descriptor, part, at);
          if (written === 0) throw new SluiceError('ENOSPC', `no byte could be written to ${path}`, { path });
          at += written;
        }
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fromNodeError(error, 'write', path);
  }
}
