import { layout, type RecordOf, u32, u64 } from './layout.ts';

export const extentLayout = layout('extent', 32, {
  fileOffset: u64(0),
  length: u32(8),
  blob: u32(12),
  /** Low 24 bits: first block; high 8 bits: shift. */
  blockAndShift: u32(16),
  blockOffset: u32(20),
  storedOffset: u32(24),
  storedLength: u32(28),
});

/** log2 of the logical block size: 4 KiB to 1 MiB. */
export const minBlockShift = 12;
export const maxBlockShift = 20;
/** Bytes. */
export const maxBlockLength = 2 ** maxBlockShift;
/** Blocks in one blob: what the low 24 bits hold. */
export const maxBlockCount = 2 ** 24;

/** A run of a file's bytes and the consecutive blocks that hold it. */
export interface Extent {
  /** Bytes from the start of the file. */
  readonly fileOffset: number;
  /** Logical bytes, > 0. */
  readonly length: number;
  /** Index in the image's blob table. */
  readonly blob: number;
  /** Index in the blob of the first block touched. */
  readonly block: number;
  /** log2 of the logical length of every block touched but the last, which may be shorter. */
  readonly shift: number;
  /** Logical bytes from the start of the first block; < 2^shift. */
  readonly blockOffset: number;
  /** Stored bytes from the start of the blob to the first block touched. */
  readonly storedOffset: number;
  /** Stored bytes of all blocks touched. */
  readonly storedLength: number;
}

/** How many consecutive blocks an extent touches. */
export function extentBlockCount(extent: Pick<Extent, 'blockOffset' | 'length' | 'shift'>): number {
  return Math.ceil((extent.blockOffset + extent.length) / 2 ** extent.shift);
}

export function toExtentRecord(extent: Extent): RecordOf<typeof extentLayout> {
  const { fileOffset, length, blob, block, shift, blockOffset, storedOffset, storedLength } = extent;
  return {
    fileOffset,
    length,
    blob,
    blockAndShift: shift * 2 ** 24 + block,
    blockOffset,
    storedOffset,
    storedLength,
  };
}

export function fromExtentRecord(record: RecordOf<typeof extentLayout>): Extent {
  const { fileOffset, length, blob, blockAndShift, blockOffset, storedOffset, storedLength } = record;
  const block = blockAndShift & 0xffffff;
  return {
    fileOffset,
    length,
    blob,
    block,
    shift: blockAndShift >>> 24,
    blockOffset,
    storedOffset,
    storedLength,
  };
}

/**
 * What is wrong with an extent by itself, or against the blob that it names; undefined for a sound one. Whether it continues
 * the extent before it is the caller's to check.
 */
export function extentProblem(
  extent: Extent,
  blob: { readonly length: number; readonly tableLength: number; readonly blockCount: number },
): string | undefined {
  const { length, block, shift, blockOffset, storedOffset, storedLength } = extent;
  if (length === 0) return 'it is empty';
  if (shift < minBlockShift || shift > maxBlockShift)
    return `a block shift of ${shift} is not between 12 and 20`;
  if (blockOffset >= 2 ** shift) return 'it begins behind its first block';
  const count = extentBlockCount(extent);
  if (block + count > blob.blockCount) return 'it touches blocks that its blob does not have';
  if (storedOffset < blob.tableLength || storedOffset + storedLength > blob.length) {
    return 'its stored bytes lie outside of its blob';
  }
  // Stored blocks are never empty and never longer than their logical bytes.
  if (storedLength < count || storedLength > count * 2 ** shift)
    return 'its stored length does not suit its blocks';
  return undefined;
}
