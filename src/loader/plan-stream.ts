import { type BlobHead, type BlobView, type ByteRange, resumeAt } from './blob-view.ts';
import { type FlightView, isMissing } from './flight-view.ts';
import { planLimits } from './plan-limits.ts';
import { type Planned, wholeFile } from './plan-readers.ts';

export interface StreamPlan<B extends BlobView> {
  /** In the order in which they shall come. */
  readonly heads: Iterable<BlobHead<B>>;
  /** Bytes that the request should have; a longer block is fetched all the same. */
  readonly target: number;
  /** Bytes that the link brings in a round trip. */
  readonly room: number;
  readonly flights: readonly FlightView<B>[];
  readonly wholeFiles: boolean;
}

export type Streamed<B extends BlobView> = Planned<B> | 'table-first' | undefined;

/**
 * Front to back: the next run of what is missing and may be fetched now; `table-first` where that depends on a table that is on its way, and nobody
 * behind should take the link meanwhile. The table of the blob behind comes before it, by itself: who knows where
 * blocks end cuts none in two, the rest of which would cost its reader another round trip.
 */
export function planStream<B extends BlobView>(plan: StreamPlan<B>): Streamed<B> {
  let planned: Planned<B> | undefined;
  for (const head of plan.heads) {
    const { blob } = head;
    if (blob.complete || blob.tableLoading || blob.isHeld(-1)) continue;
    if (planned) return needsTable(plan, blob) ? { blob, start: 0, end: blob.tableLength } : planned;
    if (awaitsTable(plan, head)) return 'table-first';
    const range = nextRange(plan, head);
    planned = range && { blob, ...range };
  }
  return planned;
}

function needsTable<B extends BlobView>({ flights, wholeFiles }: StreamPlan<B>, blob: B): boolean {
  const isLong = !wholeFiles && blob.length > planLimits.wholeBytes;
  return isLong && blob.table === undefined && !flights.some((flight) => flight.blob === blob);
}

/** Not where all that is wanted of the blob comes with its table. */
function awaitsTable<B extends BlobView>({ flights, wholeFiles }: StreamPlan<B>, head: BlobHead<B>): boolean {
  if (wholeFiles || head.blob.table) return false;
  const coming = flights.filter(({ blob }) => blob === head.blob);
  return coming.length > 0 && !coming.some(({ position, end }) => position === 0 && end >= head.end);
}

function nextRange<B extends BlobView>(plan: StreamPlan<B>, head: BlobHead<B>): ByteRange | undefined {
  const { target, flights, wholeFiles } = plan;
  const { blob, blocks } = head;
  const { table } = blob;
  if (!table) return wholeFiles ? wholeFile(flights, blob) : firstRange(plan, head);
  const first = firstFree(flights, head);
  if (first === undefined) return undefined;
  if (wholeFiles) return wholeFile(flights, blob);
  const start = resumeAt(blob, table, first);
  let { end } = table.stored(first);
  for (let next = first + 1; next < blocks; next++) {
    const stored = table.stored(next);
    if (stored.end - start > target) break;
    if (!isMissing(flights, blob, table, next) || blob.isHeld(next)) break;
    end = stored.end;
  }
  return { start, end };
}

/** Without the table: with it as much as keeps the link busy until the next request can be planned by it. */
function firstRange<B extends BlobView>(
  { target, room, flights }: StreamPlan<B>,
  { blob, end }: BlobHead<B>,
): ByteRange | undefined {
  if (flights.some((flight) => flight.blob === blob)) return undefined;
  if (blob.length <= planLimits.wholeBytes) return { start: 0, end: blob.length };
  return { start: 0, end: Math.min(end, blob.tableLength + target + Math.ceil(room)) };
}

/** The first block that may be fetched. */
function firstFree<B extends BlobView>(
  flights: readonly FlightView<B>[],
  { blob, blocks }: BlobHead<B>,
): number | undefined {
  const { table } = blob;
  for (let block = 0; table && block < blocks; block++) {
    if (isMissing(flights, blob, table, block) && !blob.isHeld(block)) return block;
  }
  return undefined;
}
