import type { BlobRecord } from './blob-record.ts';
import { codecNames } from './codec-id.ts';
import { SluiceError } from './errors.ts';
import { maxBlockCount, maxBlockLength } from './extent.ts';
import { layout, bytes as rawBytes, readRecord, u32, u64, writeRecord } from './layout.ts';
import { hex, sha256 } from './sha256.ts';
import { compareBytes } from './utf8.ts';

export const blockTableHeaderLayout = layout('block table header', 16, {
  magic: rawBytes(0, 4),
  count: u32(4),
  logicalBytes: u64(8),
});

export const blockTableEntryLayout = layout('block table entry', 40, {
  end: u32(0),
  /** Low 24 bits: logical length; high 8 bits: codec. */
  logicalAndCodec: u32(4),
  sha256: rawBytes(8, 32),
});

const magic = Uint8Array.of(0x53, 0x4c, 0x42, 0x54);
const { end: endField, logicalAndCodec: logicalField, sha256: digestField } = blockTableEntryLayout.fields;

/** One block as the packer made it. */
export interface StoredBlock {
  readonly storedLength: number;
  /** Bytes, 1 to 2^20. */
  readonly logicalLength: number;
  /** A codec id. */
  readonly codec: number;
  /** Of the stored bytes: 32 bytes. */
  readonly sha256: Uint8Array<ArrayBuffer>;
}

/** Bytes of the table of a blob with so many blocks; the first stored block begins there. */
export function blockTableLength(blockCount: number): number {
  return blockTableHeaderLayout.size + blockTableEntryLayout.size * blockCount;
}

/** The block table for stored blocks that follow it in this order without gaps. */
export function encodeBlockTable(blocks: readonly StoredBlock[]): Uint8Array<ArrayBuffer> {
  const tableLength = blockTableLength(blocks.length);
  const bytes = new Uint8Array(tableLength);
  const view = new DataView(bytes.buffer);
  let end = tableLength;
  let logicalBytes = 0;
  blocks.forEach((block, i) => {
    const problem = blockProblem(block.storedLength, block.logicalLength, block.codec);
    if (problem !== undefined) throw new SluiceError('EINVAL', `block ${i}: ${problem}`);
    end += block.storedLength;
    logicalBytes += block.logicalLength;
    const logicalAndCodec = block.codec * 2 ** 24 + block.logicalLength;
    const at = blockTableLength(i);
    writeRecord(blockTableEntryLayout, view, at, { end, logicalAndCodec, sha256: block.sha256 });
  });
  writeRecord(blockTableHeaderLayout, view, 0, { magic, count: blocks.length, logicalBytes });
  return bytes;
}

/**
 * The block table of one blob: where each stored block lies, what becomes of it, and its digest.
 *
 * Invariant: every entry was checked when it was opened, so the accessors need no more than an index in range
 * (`0 <= i < count`, else `ERANGE`). Nothing is decoded ahead: an access is a read from the bytes.
 */
export class BlockTable {
  readonly count: number;
  /** Sum of the blocks' logical lengths. */
  readonly logicalBytes: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** Of every block but the last, where there are no entries: see {@link fixed}. */
  readonly #blockSize: number | undefined;

  private constructor(
    bytes: Uint8Array<ArrayBuffer>,
    count: number,
    logicalBytes: number,
    blockSize?: number,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.count = count;
    this.logicalBytes = logicalBytes;
    this.#blockSize = blockSize;
  }

  /**
   * What stands in for the table of a private blob, which has none: raw blocks of `record.blockSize` from the blob's begin. It knows no
   * digests (the local journal does). Throws `EINVAL` for a published blob's record.
   */
  static fixed(record: BlobRecord): BlockTable {
    const { blockSize, blockCount, length } = record;
    if (blockSize === undefined || blockCount !== Math.ceil(length / blockSize)) {
      throw new SluiceError('EINVAL', `blob ${record.sha256} has no blocks of one size`);
    }
    return new BlockTable(new Uint8Array(0), blockCount, length, blockSize);
  }

  /**
   * `bytes` are the first `record.tableLength` bytes of the blob; the table keeps them, so they must not change.
   * Throws `integrity` where they do not match `record.tableSha256`; `corrupt-image` or `unsupported-image` where they were
   * published wrong.
   */
  static async open(bytes: Uint8Array<ArrayBuffer>, record: BlobRecord): Promise<BlockTable> {
    if (bytes.length !== record.tableLength || hex(await sha256(bytes)) !== record.tableSha256) {
      throw new SluiceError(
        'integrity',
        `the block table of blob ${record.sha256} does not match its digest`,
      );
    }
    const corrupt = (what: string): SluiceError =>
      new SluiceError('corrupt-image', `block table of blob ${record.sha256}: ${what}`);
    if (record.blockCount > maxBlockCount || bytes.length !== blockTableLength(record.blockCount)) {
      throw corrupt('its length does not suit its count of blocks');
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const header = readRecord(blockTableHeaderLayout, view, 0);
    if (compareBytes(header.magic, magic) !== 0) throw corrupt('its magic is wrong');
    if (header.count !== record.blockCount) throw corrupt('its count differs from the one in the bootstrap');
    const table = new BlockTable(bytes, header.count, header.logicalBytes);
    let logicalBytes = 0;
    for (let i = 0; i < table.count; i++) {
      const { start, end } = table.stored(i);
      const codec = table.codec(i);
      if (codecNames[codec] === undefined) {
        throw new SluiceError(
          'unsupported-image',
          `block ${i} of blob ${record.sha256} has the unknown codec ${codec}`,
        );
      }
      const problem = blockProblem(end - start, table.logicalLength(i), codec);
      if (problem !== undefined) throw corrupt(`block ${i}: ${problem}`);
      logicalBytes += table.logicalLength(i);
    }
    const end = table.count === 0 ? record.tableLength : table.stored(table.count - 1).end;
    if (end !== record.length) throw corrupt('its blocks do not end where the blob ends');
    if (logicalBytes !== table.logicalBytes) throw corrupt('its sum of logical bytes is wrong');
    return table;
  }

  /** As published: a view that must not be written. Empty where the table is {@link fixed}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Where the stored block lies in the blob: `[start, end)`. */
  stored(i: number): { readonly start: number; readonly end: number } {
    const at = this.#entry(i);
    if (this.#blockSize !== undefined) {
      const start = i * this.#blockSize;
      return { start, end: Math.min(start + this.#blockSize, this.logicalBytes) };
    }
    const start =
      i === 0
        ? this.#bytes.length
        : this.#view.getUint32(at - blockTableEntryLayout.size + endField.offset, true);
    return { start, end: this.#view.getUint32(at + endField.offset, true) };
  }

  /** Bytes of the block once decoded. */
  logicalLength(i: number): number {
    if (this.#blockSize !== undefined) {
      const { start, end } = this.stored(i);
      return end - start;
    }
    return this.#view.getUint32(this.#entry(i) + logicalField.offset, true) & 0xffffff;
  }

  /** A codec id, see codec-id.ts. */
  codec(i: number): number {
    const at = this.#entry(i);
    return this.#blockSize === undefined ? this.#view.getUint32(at + logicalField.offset, true) >>> 24 : 0;
  }

  /** SHA-256 of the stored bytes; a view that must not be written. Throws `EINVAL` where the table is {@link fixed}. */
  digest(i: number): Uint8Array<ArrayBuffer> {
    const at = this.#entry(i) + digestField.offset;
    if (this.#blockSize !== undefined) throw new SluiceError('EINVAL', 'a private blob has no digests');
    return this.#bytes.subarray(at, at + digestField.size);
  }

  /**
   * The block that holds byte `offset` of the blob; `count` for the blob's end, -1 for a byte of the table itself.
   * Binary search.
   */
  blockAt(offset: number): number {
    if (offset < this.#bytes.length) return -1;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.stored(middle).end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #entry(i: number): number {
    if (!(Number.isInteger(i) && i >= 0 && i < this.count)) {
      throw new SluiceError('ERANGE', `block ${i} is not among the ${this.count} blocks of the blob`);
    }
    return blockTableLength(i);
  }
}

/** Whether `stored` is block `i` as published. Verify before a block is kept, decoded or given to anyone. */
export async function verifyBlock(table: BlockTable, i: number, stored: Uint8Array): Promise<boolean> {
  const { start, end } = table.stored(i);
  return stored.length === end - start && compareBytes(await sha256(stored), table.digest(i)) === 0;
}

/** A block is stored raw unless that made it shorter, so no stored block is longer than its logical bytes. */
function blockProblem(storedLength: number, logicalLength: number, codec: number): string | undefined {
  if (logicalLength < 1 || logicalLength > maxBlockLength)
    return `a logical length of ${logicalLength} is not allowed`;
  if (storedLength < 1) return 'it has no stored bytes';
  if (codec === 0 && storedLength !== logicalLength)
    return 'a raw block is stored in as many bytes as it has';
  if (codec !== 0 && storedLength >= logicalLength)
    return 'an encoded block is shorter than its logical bytes';
  return undefined;
}
