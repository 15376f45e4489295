import { pinnedFlag } from '../../protocol/block-states.ts';

/** How many blocks are in each state, by state, and of them all, how many are pinned. */
export interface StateCounts {
  readonly byState: readonly number[];
  readonly pinned: number;
}

/** Counts all, or the blocks that `[start, end)` of a map's slots show. */
export function countStates(
  states: Uint8Array,
  slots?: { start: number; end: number; blockAt(slot: number): number },
): StateCounts {
  const counts = new Uint32Array(2 * pinnedFlag);
  if (slots) for (let slot = slots.start; slot < slots.end; slot++) counts[states[slots.blockAt(slot)]!]!++;
  else for (let i = 0; i < states.length; i++) counts[states[i]!]!++;
  const flagged = counts.subarray(pinnedFlag);
  return {
    byState: Array.from(flagged, (count, state) => count + counts[state]!),
    pinned: flagged.reduce((sum, count) => sum + count, 0),
  };
}
