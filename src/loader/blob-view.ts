/** Where stored blocks lie in a blob: the part of a block table that planning needs. */
export interface BlockMap {
  /** `[start, end)` in the blob. */
  stored(block: number): { readonly start: number; readonly end: number };
}

/** A block of which some bytes have come already: `at` is the next byte that is wanted. */
export interface PartialMark {
  readonly block: number;
  readonly at: number;
}

/** One blob, as planning sees it. */
export interface BlobView {
  readonly length: number;
  readonly tableLength: number;
  readonly blockCount: number;
  /** Undefined until the table is known. */
  readonly table: BlockMap | undefined;
  /** The table is not known because it is being read from the local store: no reason to fetch it. */
  readonly tableLoading: boolean;
  readonly partial: PartialMark | undefined;
  /** Table and all blocks are here. */
  readonly complete: boolean;
  /** Present, or arrived and being verified: nothing to fetch. */
  isHere(block: number): boolean;
  /** Background work leaves this block alone for now, because it failed. Block -1 stands for the table (and so for the whole blob). */
  isHeld(block: number): boolean;
}

/** A wanted block. */
export interface Demand<B extends BlobView> {
  readonly blob: B;
  readonly block: number;
  readonly hint: RunHint | undefined;
}

/** A run of blocks `[firstBlock, firstBlock + blockCount)` and its stored range, from the image's extents: known before the table is. */
export interface RunHint {
  readonly start: number;
  readonly end: number;
  readonly firstBlock: number;
  readonly blockCount: number;
}

/** The first `blocks` blocks of a blob; they end before byte `end`. */
export interface BlobHead<B extends BlobView> {
  readonly blob: B;
  readonly blocks: number;
  readonly end: number;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where a request for the block begins: behind what has come of it. */
export function resumeAt(blob: BlobView, table: BlockMap, block: number): number {
  return blob.partial?.block === block ? blob.partial.at : table.stored(block).start;
}
