import type { BlockTable } from '../format/block-table.ts';
import type { ExtentSpan } from './map-range.ts';

/** Compares what an extent repeats of the block table; `span` is a whole extent. Undefined: they say the same. */
export function spanProblem(span: ExtentSpan, table: BlockTable): string | undefined {
  const last = span.firstBlock + span.blockCount - 1;
  if (last >= table.count) return 'it names blocks that the blob does not have';
  const { start } = table.stored(span.firstBlock);
  const { end } = table.stored(last);
  if (span.storedOffset !== start || span.storedOffset + span.storedLength !== end) {
    return `it tells stored bytes [${span.storedOffset}, ${span.storedOffset + span.storedLength}), they are [${start}, ${end})`;
  }
  for (let block = span.firstBlock; block < last; block++) {
    if (table.logicalLength(block) !== 2 ** span.shift)
      return `block ${block} has not the logical length of its extent`;
  }
  const needed = span.blockOffset + span.length - (span.blockCount - 1) * 2 ** span.shift;
  return table.logicalLength(last) < needed ? `block ${last} is shorter than the extent` : undefined;
}
