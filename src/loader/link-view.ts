import type { BlobView } from './blob-view.ts';
import type { FlightView } from './flight-view.ts';
import { planLimits } from './plan-limits.ts';

/** What was measured of the link. */
export interface LinkView {
  /** Bytes per second; 0 = not known yet. */
  readonly rate: number;
  /** Milliseconds from a request to its first bytes; 0 = not known yet. */
  readonly latencyMs: number;
}

/** Requests start by so much earlier than they would have to: bytes come in lumps, and round trips differ. */
const margin = 1.25;

/** What the link brings in a round trip: with less than that still to come, it idles before the next answer begins. */
export function roomOf({ rate, latencyMs }: LinkView): number {
  return rate === 0 || latencyMs === 0 ? planLimits.unmeasuredRoom : (margin * rate * latencyMs) / 1000;
}

/** Whether the link will idle unless something more is asked for now: then that delays nothing of what is under way. */
export function hasRoom(flights: readonly FlightView<BlobView>[], link: LinkView): boolean {
  let remaining = 0;
  for (const flight of flights) remaining += flight.remaining;
  return flights.length === 0 || remaining <= roomOf(link);
}

/**
 * How many bytes a request should have that nobody waits for. At a long round trip it lasts longer than it should: three of them have to fill the
 * link.
 */
export function requestBytes({ rate, latencyMs }: LinkView, kind: 'launch' | 'background'): number {
  const { requestMs, requestMinBytes, requestFirstBytes, requestMaxBytes } = planLimits;
  if (rate === 0) return requestFirstBytes;
  const ms = Math.max(requestMs[kind], latencyMs / 2);
  return Math.min(requestMaxBytes, Math.max(requestMinBytes, Math.round((rate * ms) / 1000)));
}
