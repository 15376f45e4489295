import { SluiceError } from '../format/errors.ts';
import { type Extent, extentBlockCount, extentProblem } from '../format/extent.ts';
import { inodeKind } from '../format/inode.ts';
import { corrupt, type Tables } from './tables.ts';

/** The part of one block that belongs to a range of a file. All in logical bytes. */
export interface BlockSpan {
  /** Index in the image's blob table. */
  readonly blob: number;
  /** Index in the blob. */
  readonly block: number;
  /** From the start of the decoded block. */
  readonly blockOffset: number;
  readonly length: number;
  readonly fileOffset: number;
}

/** The part of one extent that belongs to a range of a file: consecutive blocks `[firstBlock, firstBlock + blockCount)`. */
export interface ExtentSpan {
  readonly blob: number;
  readonly firstBlock: number;
  readonly blockCount: number;
  /** log2 of the logical length of each of the extent's blocks but its last. */
  readonly shift: number;
  /** Logical bytes from the start of the first block. */
  readonly blockOffset: number;
  /** Logical bytes. */
  readonly length: number;
  readonly fileOffset: number;
  /**
   * The stored bytes of the blocks lie in `[storedOffset, storedOffset + storedLength)` of the blob. Exactly there when
   * `storedExact`; otherwise the span is a part of its extent, only the block table knows more, and these are the
   * narrowest bounds that can be told without it.
   */
  readonly storedOffset: number;
  readonly storedLength: number;
  readonly storedExact: boolean;
}

/**
 * "Where are these bytes?", extent by extent: lazily, in file order, without gaps, for `[start, end)` of a file, where `end` is clamped to the
 * file's size. Throws `EISDIR`, `ERANGE` for a range that is none, `corrupt-image`.
 */
export function* mapExtents(
  tables: Tables,
  n: number,
  start: number,
  end: number,
): Generator<ExtentSpan, void, undefined> {
  const inode = tables.inode(n);
  if (inode.kind !== inodeKind.file) throw new SluiceError('EISDIR', `inode ${n} is a directory`);
  checkRange(start, end);
  let at = start;
  const stop = Math.min(end, inode.size);
  const last = inode.first + inode.count;
  for (let i = findExtent(tables, inode.first, last, at); at < stop; i++) {
    if (i >= last) throw corrupt(`inode ${n} has no extent for byte ${at}`);
    const extent = tables.extent(i);
    const extentEnd = extent.fileOffset + extent.length;
    if (extent.fileOffset > at || extentEnd <= at || extentEnd > inode.size) {
      throw corrupt(`the extents of inode ${n} do not continue each other`);
    }
    if (extent.blob >= tables.superblock.blobCount)
      throw corrupt(`extent ${i} names a blob that is not there`);
    const problem = extentProblem(extent, tables.blob(extent.blob));
    if (problem !== undefined) throw corrupt(`extent ${i}: ${problem}`);
    const spanEnd = Math.min(extentEnd, stop);
    yield trim(extent, at, spanEnd);
    at = spanEnd;
  }
}

/** The same, block by block: one span for each block touched, in file order. */
export function* mapRange(
  tables: Tables,
  n: number,
  start: number,
  end: number,
): Generator<BlockSpan, void, undefined> {
  for (const span of mapExtents(tables, n, start, end)) yield* blockSpans(span);
}

/** The blocks of an extent, each with its part of the extent's bytes. */
export function* blockSpans(span: ExtentSpan): Generator<BlockSpan, void, undefined> {
  const blockLength = 2 ** span.shift;
  let { blockOffset, fileOffset } = span;
  const spanEnd = fileOffset + span.length;
  for (let block = span.firstBlock; fileOffset < spanEnd; block++) {
    const length = Math.min(blockLength - blockOffset, spanEnd - fileOffset);
    yield { blob: span.blob, block, blockOffset, length, fileOffset };
    fileOffset += length;
    blockOffset = 0;
  }
}

/**
 * The bytes of a span in its decoded block: a view. Throws `corrupt-image` where the block is shorter than the image's extents say, so that
 * never a byte is missing.
 */
export function spanBytes(
  { blob, block, blockOffset, length }: BlockSpan,
  logical: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const bytes = logical.subarray(blockOffset, blockOffset + length);
  if (bytes.length < length) throw corrupt(`block ${block} of blob ${blob} is shorter than its extents say`);
  return bytes;
}

/** Throws `ERANGE` for a range of a file that is none. */
export function checkRange(start: number, end: number): void {
  if (!(Number.isSafeInteger(start) && start >= 0 && end >= start)) {
    throw new SluiceError('ERANGE', `[${start}, ${end}) is not a range of bytes`);
  }
}

/** The last extent in `[first, last)` that does not begin behind `offset`; `first` where all do. */
function findExtent(tables: Tables, first: number, last: number, offset: number): number {
  let low = first;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (tables.extent(middle).fileOffset <= offset) low = middle;
    else high = middle;
  }
  return low;
}

/** The part `[start, end)` (file offsets, not empty) of a sound extent. */
function trim(extent: Extent, start: number, end: number): ExtentSpan {
  const { blob, block, shift, storedOffset, storedLength } = extent;
  const blockLength = 2 ** shift;
  const count = extentBlockCount(extent);
  const into = extent.blockOffset + start - extent.fileOffset;
  const before = Math.floor(into / blockLength);
  const blockOffset = into - before * blockLength;
  const length = end - start;
  const blockCount = Math.ceil((blockOffset + length) / blockLength);
  const after = count - before - blockCount;
  // Every stored block has from 1 to blockLength bytes, which bounds what lies before and after from both sides.
  const storedEnd = storedOffset + storedLength;
  const low = Math.max(storedOffset + before, storedEnd - (count - before) * blockLength);
  const high = Math.min(storedEnd - after, storedOffset + (count - after) * blockLength);
  return {
    blob,
    firstBlock: block + before,
    blockCount,
    shift,
    blockOffset,
    length,
    fileOffset: start,
    storedOffset: low,
    storedLength: high - low,
    storedExact: before === 0 && after === 0,
  };
}
