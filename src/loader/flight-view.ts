import type { BlobView, BlockMap, Demand } from './blob-view.ts';

/** Whom a request is for: somebody who waits; what will be read soon (the launch set, what is read ahead); or the rest of the image. */
export type FlightKind = 'demand' | 'launch' | 'background';

/** A request under way. */
export interface FlightView<B extends BlobView> {
  readonly blob: B;
  readonly kind: FlightKind;
  /** The first byte of the first block that it has not delivered yet; 0 while it has still to deliver the table. */
  readonly position: number;
  readonly end: number;
  /** Bytes still to come. */
  readonly remaining: number;
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

/** Neither here nor under way. */
export function isMissing<B extends BlobView>(
  flights: readonly FlightView<B>[],
  blob: B,
  table: BlockMap,
  block: number,
): boolean {
  return !blob.isHere(block) && !isInFlight(flights, blob, table.stored(block).start);
}
