import type { InspectedFetch, InspectedRead } from '../../protocol/inspection.ts';

export interface WaterfallTotals {
  readonly reads: number;
  readonly waited: number;
  /** In ms; 0: nobody has waited. */
  readonly longestWait: number;
  readonly medianWait: number;
  readonly failed: number;
  readonly requests: number;
  /** That the requests brought. */
  readonly bytes: number;
}

/** What a launch comes to. The median is of those that waited. */
export function waterfallTotals(
  reads: readonly InspectedRead[],
  fetches: readonly InspectedFetch[],
): WaterfallTotals {
  const waits = reads
    .map(({ waitedMs }) => waitedMs)
    .filter((ms) => ms > 0)
    .sort((a, b) => a - b);
  return {
    reads: reads.length,
    waited: waits.length,
    longestWait: waits.at(-1) ?? 0,
    medianWait: waits[waits.length >> 1] ?? 0,
    failed: reads.filter(({ failed }) => failed !== undefined).length,
    requests: fetches.length,
    bytes: fetches.reduce((sum, fetch) => sum + fetch.bytes, 0),
  };
}
