import type { BlobState } from './blob-state.ts';
import type { FlightView } from './flight-view.ts';

interface Expected {
  readonly blob: BlobState;
  /** The first that has not come. */
  next: number;
  readonly end: number;
  /** When the last one came. */
  since: number;
}

/** Whoever brings blocks gives one at least so often; then they are asked for, by whoever wants them. */
export const expectMs = 2000;

/**
 * Blocks that somebody else is bringing: a service worker that goes on with a launch while no loader is there. While they keep coming they count as
 * under way, so that nothing is fetched twice. Times are milliseconds of any clock.
 */
export class ExpectedBlocks {
  readonly #expected = new Set<Expected>();

  /** Blocks `[first, end)` of the blob are on their way. */
  add(blob: BlobState, first: number, end: number, now: number): void {
    this.#expected.add({ blob, next: first, end, since: now });
  }

  /** What is still to come, as if it were flights of our own. */
  underWay(now: number): FlightView<BlobState>[] {
    const views: FlightView<BlobState>[] = [];
    for (const expected of this.#expected) {
      const { blob, end } = expected;
      const before = expected.next;
      while (expected.next < end && blob.isHere(expected.next)) expected.next += 1;
      if (expected.next !== before) expected.since = now;
      if (expected.next === end || now - expected.since >= expectMs) this.#expected.delete(expected);
      else views.push(viewOf(expected));
    }
    return views;
  }
}

function viewOf({ blob, next, end }: Expected): FlightView<BlobState> {
  // Without the table (it is being read, or comes along) nobody can tell where they lie.
  const position = blob.table?.stored(next).start ?? 0;
  const last = blob.table?.stored(end - 1).end ?? blob.length;
  return { blob, kind: 'background', position, end: last, remaining: last - position };
}
