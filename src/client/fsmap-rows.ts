import type { FsmapKey, FsmapRow } from '../protocol/fsmap.ts';
import type { LoaderProcess } from './loader-process.ts';

export interface FsmapRange {
  /** Where to begin. Default: at the begin of the store. */
  readonly low?: FsmapKey;
  /** Where to end, exclusive. Default: at its end. */
  readonly high?: FsmapKey;
}

const deadlineMs = 60_000;

/** The rows of the local store's map from `low` to `high`, a page at a time, in physical order. (XFS's GETFSMAP.) */
export async function* fsmapRows(
  loader: LoaderProcess,
  range: FsmapRange = {},
): AsyncGenerator<FsmapRow, void, void> {
  let query: FsmapRange | undefined = range;
  while (query !== undefined) {
    const asked: FsmapRange = query;
    const { rows, next } = await loader.call('fsmap', (api) => api.fsmap(asked), deadlineMs);
    yield* rows;
    query = next && { ...range, low: next };
  }
}
