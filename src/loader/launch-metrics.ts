import type { LaunchMetrics } from '../protocol/launch-metrics.ts';
import type { ReadLog, SluiceState } from '../protocol/state.ts';

/** A read of what is here may take so long. */
const waitMs = 10;

/** What a launch that began at `start` and was ready at `end` (Unix ms) was like; `state` is of its end. */
export function launchMetrics(
  { image, bytes, blocks }: Pick<SluiceState, 'image' | 'bytes' | 'blocks'>,
  { since, reads: all }: ReadLog,
  start: number,
  end: number,
): Omit<LaunchMetrics, 'wasComplete'> {
  // Whole milliseconds in the log.
  const reads = all.filter(({ atMs }) => since + atMs >= Math.floor(start) && since + atMs <= end);
  const waits = reads.filter(({ waitedMs }) => waitedMs >= waitMs);
  return {
    image,
    readyMs: end - start,
    bytesAtReady: bytes.present,
    bytesTotal: bytes.total,
    bytesFetched: bytes.fetched,
    blocksAtReady: blocks.present,
    blocksTotal: blocks.total,
    reads: reads.length,
    waits: waits.length,
    waitedMs: covered(
      waits.map(({ atMs, waitedMs }) => [since + atMs, Math.min(end, since + atMs + waitedMs)]),
    ),
    longestWaitMs: waits.reduce((longest, { waitedMs }) => Math.max(longest, waitedMs), 0),
    failedReads: reads.filter(({ failed }) => failed !== undefined).length,
  };
}

/** How long it is that at least one of the spans covers. */
function covered(spans: [start: number, end: number][]): number {
  let sum = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    sum += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return sum;
}
