import type { BlobHead, BlobView, Demand } from './blob-view.ts';
import type { FlightKind, FlightView } from './flight-view.ts';
import { hasRoom, type LinkView, requestBytes, roomOf } from './link-view.ts';
import { planLimits } from './plan-limits.ts';
import { type Planned, planReaders } from './plan-readers.ts';
import { planStream, type Streamed } from './plan-stream.ts';

export interface PlanInput<B extends BlobView> {
  /** Ready to be fetched now, oldest first: somebody waits for each. */
  readonly demands: readonly Demand<B>[];
  /** What those will want next who read a file in order. */
  readonly ahead: readonly Demand<B>[];
  /** Wanted by nobody who waits for it now: before the launch set, and behind everything. */
  readonly early: readonly Demand<B>[];
  readonly late: readonly Demand<B>[];
  /** What a launch reads, in its order. */
  readonly launch: Iterable<BlobHead<B>>;
  /** What is to be completed, in order; empty while background work is off or backing off. */
  readonly background: Iterable<BlobHead<B>>;
  readonly flights: readonly FlightView<B>[];
  readonly link: LinkView;
  /** See BlockSource.wholeFiles. */
  readonly wholeFiles: boolean;
}

/** The next request: bytes `[start, end)` of the blob. Begins at 0 exactly when it brings the table. */
export interface FetchRequest<B extends BlobView> extends Planned<B> {
  readonly kind: FlightKind;
}

/**
 * What to request next, or undefined for nothing now. Pure: ask again after each answer, with the answer among the
 * flights, and whenever something arrived, failed or was asked for.
 *
 * - Readers come first, oldest first; wanted blocks close behind one another share a request. There are as many requests at once as fill
 *   the link, within bounds: more would only make each of them later.
 * - What is wanted soon comes next. It starts when the link would idle otherwise, so a reader waits behind no more than what a request of
 *   that kind has and one round trip brings.
 * - The rest fills what remains, and starts nothing while a reader's request is under way.
 * - Nothing is fetched that is here or in flight. Runs end where such a block begins.
 */
export function planFetch<B extends BlobView>(input: PlanInput<B>): FetchRequest<B> | undefined {
  const readers = planDemands(input);
  if (readers) return mayStartDemand(input) ? { kind: 'demand', ...readers } : undefined;
  if (!mayStartOther(input)) return undefined;
  const soon = planSoon(input);
  if (soon === 'table-first') return undefined;
  if (soon) return { kind: 'launch', ...soon };
  if (input.flights.some(({ kind }) => kind === 'demand')) return undefined;
  const rest = planRest(input);
  return rest && rest !== 'table-first' ? { kind: 'background', ...rest } : undefined;
}

function planDemands<B extends BlobView>(input: PlanInput<B>): Planned<B> | undefined {
  const { demands, ahead: along, flights, link, wholeFiles } = input;
  const { demandBytes: limit } = planLimits;
  return planReaders({
    demands,
    along,
    alongBytes: requestBytes(link, 'launch'),
    limit,
    flights,
    wholeFiles,
  });
}

function planSoon<B extends BlobView>(input: PlanInput<B>): Streamed<B> {
  return (
    planAhead(input, [...input.ahead, ...input.early], 'launch') ?? planHeads(input, input.launch, 'launch')
  );
}

function planRest<B extends BlobView>(input: PlanInput<B>): Streamed<B> {
  return planHeads(input, input.background, 'background') ?? planAhead(input, input.late, 'background');
}

function planAhead<B extends BlobView>(
  { flights, link, wholeFiles }: PlanInput<B>,
  demands: readonly Demand<B>[],
  kind: 'launch' | 'background',
): Planned<B> | undefined {
  return planReaders({
    demands,
    along: [],
    alongBytes: 0,
    limit: requestBytes(link, kind),
    flights,
    wholeFiles,
  });
}

function planHeads<B extends BlobView>(
  { flights, link, wholeFiles }: PlanInput<B>,
  heads: Iterable<BlobHead<B>>,
  kind: 'launch' | 'background',
): Streamed<B> {
  return planStream({ heads, target: requestBytes(link, kind), room: roomOf(link), flights, wholeFiles });
}

/** As many of the readers' requests as fill the link. */
function mayStartDemand<B extends BlobView>({ flights, link }: PlanInput<B>): boolean {
  const { least, most, unmeasured } = planLimits.demandFlights;
  const connected = flights.filter(isComing);
  const running = connected.filter(({ kind }) => kind === 'demand').length;
  if (running < least) return true;
  if (running >= most || connected.length >= planLimits.connections) return false;
  return link.rate === 0 ? running < unmeasured : hasRoom(flights, link);
}

function mayStartOther<B extends BlobView>({ flights, link }: PlanInput<B>): boolean {
  const { otherFlights, connections, landing } = planLimits;
  const connected = flights.filter(isComing);
  const running = connected.filter(({ kind }) => kind !== 'demand').length;
  if (running >= otherFlights || connected.length >= connections) return false;
  return flights.length - connected.length < landing && hasRoom(flights, link);
}

/** Else all of it has come, and is being verified and written: on a busy machine for longer than a round trip. */
function isComing({ remaining }: FlightView<BlobView>): boolean {
  return remaining > 0;
}
