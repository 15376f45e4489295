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

/** A request under way. */
export interface FlightView<B extends BlobView> {
  readonly blob: B;
  readonly kind: 'demand' | 'background';
  /** The first byte of the first block that it has not delivered yet; 0 while it has still to deliver the table. */
  readonly position: number;
  readonly end: number;
  /** Bytes still to come. */
  readonly remaining: number;
}

export interface PlanInput<B extends BlobView> {
  /** Ready to be fetched now, oldest first. */
  readonly demands: readonly Demand<B>[];
  readonly flights: readonly FlightView<B>[];
  /** Wanted by nobody who waits for it now: before what {@link background} has, and behind that. */
  readonly early: readonly Demand<B>[];
  readonly late: readonly Demand<B>[];
  /** Blobs to complete, in launch order; empty while background work is off or backing off. */
  readonly background: Iterable<B>;
  /** Measured bytes per second; 0 = not known yet. */
  readonly rate: number;
  /** Measured milliseconds from a request to its first bytes; 0 = not known yet. */
  readonly latencyMs: number;
  /** See BlockSource.wholeFiles. */
  readonly wholeFiles: boolean;
}

/** The next request: bytes `[start, end)` of the blob. Begins at 0 exactly when it brings the table. */
export interface FetchRequest<B extends BlobView> {
  readonly blob: B;
  readonly kind: 'demand' | 'background';
  readonly start: number;
  readonly end: number;
}

export const planLimits = {
  demandFlights: 4,
  /** Demand requests end with the block that passes this; so they are at most one block longer. */
  demandBytes: 2 * 1024 * 1024,
  /** Missing bytes between two wanted blocks that are rather fetched along than left to a second request. */
  gapBytes: 32 * 1024,
  /**
   * A run of blocks up to this is fetched together with an unknown table, although only some of it is wanted; a longer one (unless
   * most of it is wanted) waits for the table. About what a 20 Mbit/s link brings in the round trip that this saves.
   */
  blindBytes: 128 * 1024,
  /**
   * A blob up to this length is brought whole where nothing of it is known: a site's first blob is that short, holds what a launch reads
   * first, and is asked for as a whole by the boot page's markup, so that most of it may be here already.
   */
  wholeBytes: 1024 * 1024,
  /** How long a background request should last, so that a reader never waits behind more. */
  backgroundMs: 120,
  backgroundMinBytes: 64 * 1024,
  backgroundFirstBytes: 256 * 1024,
  backgroundMaxBytes: 4 * 1024 * 1024,
} as const;

/**
 * What to request next, or undefined for nothing now. Pure: ask again after each answer, with the answer among the
 * flights, and whenever something arrived, failed or was asked for.
 *
 * - Readers come first, oldest first, up to four requests at once; wanted blocks close behind one another share a request.
 * - Background brings what was wanted ahead of its readers, fills the rest from front to back, and starts nothing while a demand request is
 *   under way.
 *   The next background request may start when what the one before has still to bring takes no longer than an answer
 *   to come, so that the link does not idle a round trip.
 * - Nothing is fetched that is here or in flight. Runs end where such a block begins.
 */
export function planFetch<B extends BlobView>(input: PlanInput<B>): FetchRequest<B> | undefined {
  const readers = planDemand(input);
  if (readers || !mayStartBackground(input)) return readers;
  const target = backgroundBytes(input.rate);
  return (
    planRuns(input, 'background', input.early, target) ??
    planBackground(input, target) ??
    planRuns(input, 'background', input.late, target)
  );
}

/** How many bytes a background request should have at the measured rate. */
export function backgroundBytes(rate: number): number {
  const { backgroundMs, backgroundMinBytes, backgroundFirstBytes, backgroundMaxBytes } = planLimits;
  if (rate === 0) return backgroundFirstBytes;
  return Math.min(backgroundMaxBytes, Math.max(backgroundMinBytes, Math.round((rate * backgroundMs) / 1000)));
}

/**
 * Whether a flight will still come to what begins at `start`. If it ends in the middle of that (it could not know where blocks
 * end), what it brought is kept, and the next request goes on from there.
 */
export function isInFlight<B extends BlobView>(
  flights: readonly FlightView<B>[],
  blob: B,
  start: number,
): boolean {
  return flights.some((flight) => flight.blob === blob && flight.position <= start && start < flight.end);
}

/** Whether some flight will still deliver the block (or, while its table is unknown, may be taken to). */
export function isBlockInFlight<B extends BlobView>(
  flights: readonly FlightView<B>[],
  demand: Demand<B>,
): boolean {
  const { blob, block, hint } = demand;
  const range = blob.table?.stored(block) ?? hint;
  return range !== undefined && isInFlight(flights, blob, range.start);
}

function planDemand<B extends BlobView>(input: PlanInput<B>): FetchRequest<B> | undefined {
  const { demands, flights } = input;
  if (flights.filter((flight) => flight.kind === 'demand').length >= planLimits.demandFlights)
    return undefined;
  return planRuns(input, 'demand', demands, planLimits.demandBytes);
}

/** The first of the demands that is not under way, with those close behind it, up to the block that passes `limit`. */
function planRuns<B extends BlobView>(
  input: PlanInput<B>,
  kind: FetchRequest<B>['kind'],
  demands: readonly Demand<B>[],
  limit: number,
): FetchRequest<B> | undefined {
  const runs = { input, demands, limit };
  for (const demand of demands) {
    const { blob } = demand;
    if (blob.isHere(demand.block) || isBlockInFlight(input.flights, demand)) continue;
    const range = input.wholeFiles
      ? wholeFile(input, blob)
      : blob.table
        ? demandRun(runs, blob, blob.table, demand.block)
        : blindRange(runs, demand);
    if (range) return { blob, kind, ...range };
  }
  return undefined;
}

interface Runs<B extends BlobView> {
  readonly input: PlanInput<B>;
  readonly demands: readonly Demand<B>[];
  /** Bytes. */
  readonly limit: number;
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One request a blob brings all of it; a second one beside it would only bring the same bytes again. */
function wholeFile<B extends BlobView>(input: PlanInput<B>, blob: B): ByteRange | undefined {
  if (input.flights.some((flight) => flight.blob === blob)) return undefined;
  return { start: 0, end: blob.length };
}

/** Without the table: the table, and the hinted run along with it when it is near, or beside it when it is short. */
function blindRange<B extends BlobView>(runs: Runs<B>, demand: Demand<B>): ByteRange | undefined {
  const { blob, hint } = demand;
  const { input } = runs;
  if (blob.tableLoading) return undefined;
  const short = hint !== undefined && hint.end - hint.start <= blindLimit(runs, blob, hint);
  if (isInFlight(input.flights, blob, 0)) return short ? hint : undefined;
  const near = short && hint.start - blob.tableLength <= planLimits.gapBytes;
  // Bytes that another flight brings already are not asked for again.
  const clash = near && input.flights.some((flight) => flight.blob === blob && flight.position < hint.end);
  return { start: 0, end: near && !clash ? hint.end : blob.tableLength };
}

function blindLimit<B extends BlobView>(
  { demands, limit }: Runs<B>,
  blob: B,
  { firstBlock, blockCount }: RunHint,
): number {
  let wanted = 0;
  for (const demand of demands) {
    if (demand.blob === blob && demand.block >= firstBlock && demand.block < firstBlock + blockCount)
      wanted += 1;
  }
  return wanted * 2 > blockCount ? limit : planLimits.blindBytes;
}

/** From the wanted block on, over wanted blocks that follow closely, as far as nothing in between is here or in flight. */
function demandRun<B extends BlobView>(
  { input, demands, limit }: Runs<B>,
  blob: B,
  table: BlockMap,
  block: number,
): ByteRange {
  const wanted = new Set<number>();
  for (const demand of demands) if (demand.blob === blob) wanted.add(demand.block);
  const first = table.stored(block);
  const start = resumeAt(blob, block) ?? first.start;
  let end = first.end;
  for (let next = block + 1; next < blob.blockCount; next++) {
    const stored = table.stored(next);
    if (stored.start - start >= limit) break;
    if (stored.start - end > planLimits.gapBytes) break;
    if (!isMissing(input, blob, table, next)) break;
    if (wanted.has(next)) end = stored.end;
  }
  return { start, end };
}

function planBackground<B extends BlobView>(
  input: PlanInput<B>,
  target: number,
): FetchRequest<B> | undefined {
  for (const blob of input.background) {
    if (blob.complete || blob.tableLoading || blob.isHeld(-1)) continue;
    const range = backgroundRange(input, blob, target);
    if (range) return { blob, kind: 'background', ...range };
  }
  return undefined;
}

function mayStartBackground<B extends BlobView>(input: PlanInput<B>): boolean {
  const background = input.flights.filter((flight) => flight.kind === 'background');
  if (background.length !== input.flights.length) return false;
  const [running] = background;
  if (!running) return true;
  const remainingMs = input.rate === 0 ? Number.POSITIVE_INFINITY : (running.remaining / input.rate) * 1000;
  return background.length === 1 && remainingMs <= input.latencyMs;
}

function backgroundRange<B extends BlobView>(
  input: PlanInput<B>,
  blob: B,
  target: number,
): ByteRange | undefined {
  if (input.wholeFiles) return firstFree(input, blob) === undefined ? undefined : wholeFile(input, blob);
  if (!blob.table) {
    if (input.flights.some((flight) => flight.blob === blob)) return undefined;
    const end = blob.length <= planLimits.wholeBytes ? blob.length : blob.tableLength + target;
    return { start: 0, end: Math.min(blob.length, end) };
  }
  const first = firstFree(input, blob);
  if (first === undefined) return undefined;
  const { table } = blob;
  const start = resumeAt(blob, first) ?? table.stored(first).start;
  let end = table.stored(first).end;
  for (let next = first + 1; next < blob.blockCount; next++) {
    const stored = table.stored(next);
    if (stored.end - start > target) break;
    if (!isMissing(input, blob, table, next) || blob.isHeld(next)) break;
    end = stored.end;
  }
  return { start, end };
}

/** The first block that background work may fetch; 0 where the table is unknown. */
function firstFree<B extends BlobView>(input: PlanInput<B>, blob: B): number | undefined {
  const { table } = blob;
  if (!table) return 0;
  for (let block = 0; block < blob.blockCount; block++) {
    if (isMissing(input, blob, table, block) && !blob.isHeld(block)) return block;
  }
  return undefined;
}

function isMissing<B extends BlobView>(
  input: PlanInput<B>,
  blob: B,
  table: BlockMap,
  block: number,
): boolean {
  if (blob.isHere(block)) return false;
  return !isInFlight(input.flights, blob, table.stored(block).start);
}

function resumeAt(blob: BlobView, block: number): number | undefined {
  return blob.partial?.block === block ? blob.partial.at : undefined;
}
