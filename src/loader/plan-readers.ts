import {
  type BlobView,
  type BlockMap,
  type ByteRange,
  type Demand,
  type RunHint,
  resumeAt,
} from './blob-view.ts';
import { type FlightView, isBlockInFlight, isInFlight, isMissing } from './flight-view.ts';
import { planLimits } from './plan-limits.ts';

export interface ReadersPlan<B extends BlobView> {
  /** In the order of their turn. */
  readonly demands: readonly Demand<B>[];
  /** What may be fetched along where it follows what is wanted, as long as the request has no more than `alongBytes`. */
  readonly along: readonly Demand<B>[];
  readonly alongBytes: number;
  /** Bytes: the request ends with the block that passes them. */
  readonly limit: number;
  readonly flights: readonly FlightView<B>[];
  /** See BlockSource.wholeFiles. */
  readonly wholeFiles: boolean;
}

/** A range of one blob. */
export type Planned<B extends BlobView> = ByteRange & { readonly blob: B };

/** The first of the demands that is not under way, with those close behind it. */
export function planReaders<B extends BlobView>(plan: ReadersPlan<B>): Planned<B> | undefined {
  for (const demand of plan.demands) {
    const { blob, block } = demand;
    if (blob.isHere(block) || isBlockInFlight(plan.flights, demand)) continue;
    const range = plan.wholeFiles
      ? wholeFile(plan.flights, blob)
      : blob.table
        ? runFrom(plan, blob, blob.table, block)
        : blindRange(plan, demand);
    if (range) return { blob, ...range };
  }
  return undefined;
}

/** One request a blob brings all of it; a second one beside it would only bring the same bytes again. */
export function wholeFile<B extends BlobView>(
  flights: readonly FlightView<B>[],
  blob: B,
): ByteRange | undefined {
  if (flights.some((flight) => flight.blob === blob)) return undefined;
  return { start: 0, end: blob.length };
}

/** From the wanted block on, over wanted blocks that follow closely, as far as nothing in between is here or in flight. */
function runFrom<B extends BlobView>(
  { demands, along, alongBytes, limit, flights }: ReadersPlan<B>,
  blob: B,
  table: BlockMap,
  block: number,
): ByteRange {
  const wanted = blocksOf(demands, blob);
  const alongToo = blocksOf(along, blob);
  const start = resumeAt(blob, table, block);
  let { end } = table.stored(block);
  for (let next = block + 1; next < blob.blockCount; next++) {
    const stored = table.stored(next);
    if (stored.start - start >= limit) break;
    if (stored.start - end > planLimits.gapBytes) break;
    if (!isMissing(flights, blob, table, next)) break;
    if (wanted.has(next) || (alongToo.has(next) && stored.end - start <= alongBytes)) end = stored.end;
  }
  return { start, end };
}

/** Without the table: the table, and the hinted run along with it when it is near, or beside it when it is short. */
function blindRange<B extends BlobView>(plan: ReadersPlan<B>, demand: Demand<B>): ByteRange | undefined {
  const { blob, hint } = demand;
  const { flights } = plan;
  if (blob.tableLoading) return undefined;
  const short = hint !== undefined && hint.end - hint.start <= blindLimit(plan, blob, hint);
  if (isInFlight(flights, blob, 0)) return short ? hint : undefined;
  const near = short && hint.start - blob.tableLength <= planLimits.gapBytes;
  // Bytes that another flight brings already are not asked for again.
  const clash = near && flights.some((flight) => flight.blob === blob && flight.position < hint.end);
  return { start: 0, end: near && !clash ? hint.end : blob.tableLength };
}

function blindLimit<B extends BlobView>(
  { demands, limit }: ReadersPlan<B>,
  blob: B,
  { firstBlock, blockCount }: RunHint,
): number {
  let wanted = 0;
  for (const block of blocksOf(demands, blob)) {
    if (block >= firstBlock && block < firstBlock + blockCount) wanted += 1;
  }
  return wanted * 2 > blockCount ? limit : planLimits.blindBytes;
}

function blocksOf<B extends BlobView>(demands: readonly Demand<B>[], blob: B): Set<number> {
  const blocks = new Set<number>();
  for (const demand of demands) if (demand.blob === blob) blocks.add(demand.block);
  return blocks;
}
