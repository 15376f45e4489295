import { blockState } from '../../protocol/block-states.ts';
import type { EngineParts } from '../engine.ts';
import type { LocalBlocks } from '../local-blocks.ts';
import { BlockMarks } from './block-runs.ts';

/** The blocks of which more is to be said than what the store has. */
export function marksOf(
  { blobs, pending, scheduler }: EngineParts,
  local: Pick<LocalBlocks, 'exceptions'>,
): BlockMarks {
  const marks = new BlockMarks();
  const one = (sha256: string, block: number, state: number): void =>
    marks.add(sha256, block, block + 1, state);
  for (const { blob, position, end } of scheduler.inTheAir()) {
    const { table, sha256, blockCount } = blob;
    // Without its table, where a request ends is not known in blocks, unless it brings all of them.
    if (table)
      marks.add(
        sha256,
        Math.max(0, table.blockAt(position)),
        table.blockAt(end - 1) + 1,
        blockState.inFlight,
      );
    else if (position === 0 && end === blob.length) marks.add(sha256, 0, blockCount, blockState.inFlight);
  }
  for (const { sha256, arriving, damaged } of blobs.values()) {
    for (const block of arriving) one(sha256, block, blockState.inFlight);
    for (const block of damaged) one(sha256, block, blockState.damaged);
  }
  for (const { blob, block } of pending.readers()) if (block >= 0) one(blob, block, blockState.pending);
  const { lost, spilled } = local.exceptions();
  for (const key of lost) {
    const [sha256, block] = parse(key);
    if (block >= 0) marks.lost(sha256, block);
  }
  for (const key of spilled) {
    const [sha256, block] = parse(key);
    if (block >= 0) one(sha256, block, blockState.inMemory);
  }
  return marks;
}

function parse(key: string): [sha256: string, block: number] {
  return [key.slice(0, 64), Number(key.slice(65))];
}
