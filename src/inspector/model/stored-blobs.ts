import { blockState, pinnedFlag } from '../../protocol/block-states.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether every block of a blob is durably here. */
export function isBlobHere({ space, states }: Snapshot, blob: number): boolean {
  return states
    .subarray(space.startOf(blob), space.startOf(blob + 1))
    .every((state) => (state & ~pinnedFlag) >= blockState.present);
}
