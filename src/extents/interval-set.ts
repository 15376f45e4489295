import type { Range } from './range.ts';

/**
 * A set of integers held as intervals. Every operation finds its place by binary search and costs, beyond that, the
 * intervals that it touches or moves.
 *
 * Invariant: `#edges` is strictly ascending and even in length; the set is the union of `[#edges[2i], #edges[2i + 1])`. So neighbours that
 * touch are always merged.
 */
export class IntervalSet implements Iterable<Range> {
  readonly #edges: number[] = [];
  #total = 0;

  constructor(ranges: Iterable<Range> = []) {
    for (const { start, end } of ranges) this.add(start, end);
  }

  /** How many integers are in the set. */
  get total(): number {
    return this.#total;
  }

  /** How many intervals it takes. */
  get size(): number {
    return this.#edges.length / 2;
  }

  /** Adds `[start, end)`; what is there already stays. */
  add(start: number, end: number): void {
    if (start >= end) return;
    // An edge that equals start or end belongs to a neighbour that touches: it is taken in.
    const from = this.#countBelow(start);
    const to = this.#countUpTo(end);
    const edges = [...(from % 2 === 0 ? [start] : []), ...(to % 2 === 0 ? [end] : [])];
    this.#splice(from, to, edges);
  }

  /** Removes `[start, end)`; what is not there stays away. */
  remove(start: number, end: number): void {
    if (start >= end) return;
    const from = this.#countBelow(start);
    const to = this.#countUpTo(end);
    const edges = [...(from % 2 === 1 ? [start] : []), ...(to % 2 === 1 ? [end] : [])];
    this.#splice(from, to, edges);
  }

  /** Whether all of `[start, end)` is in the set; by default the one integer `start`. An empty range always is. */
  has(start: number, end = start + 1): boolean {
    if (start >= end) return true;
    const at = this.#countUpTo(start);
    return at % 2 === 1 && end <= this.#edges[at]!;
  }

  /** The parts of `[start, end)` that are in the set, in order. */
  *within(start: number, end: number): Generator<Range, void, undefined> {
    if (start >= end) return;
    const first = this.#countUpTo(start);
    for (let i = first - (first % 2); i < this.#edges.length && this.#edges[i]! < end; i += 2) {
      yield { start: Math.max(start, this.#edges[i]!), end: Math.min(end, this.#edges[i + 1]!) };
    }
  }

  /** The parts of `[start, end)` that are not in the set, in order. */
  *gaps(start: number, end: number): Generator<Range, void, undefined> {
    let at = start;
    for (const present of this.within(start, end)) {
      if (at < present.start) yield { start: at, end: present.start };
      at = present.end;
    }
    if (at < end) yield { start: at, end };
  }

  /** The intervals, in order. Not to be changed while they are walked. */
  *[Symbol.iterator](): Generator<Range, void, undefined> {
    for (let i = 0; i < this.#edges.length; i += 2)
      yield { start: this.#edges[i]!, end: this.#edges[i + 1]! };
  }

  /** How many edges are < value. Odd: value lies behind a start, up to and including that interval's end. */
  #countBelow(value: number): number {
    let low = 0;
    let high = this.#edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#edges[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many edges are <= value. Odd: value is in the set. */
  #countUpTo(value: number): number {
    const below = this.#countBelow(value);
    return this.#edges[below] === value ? below + 1 : below;
  }

  #splice(from: number, to: number, edges: readonly number[]): void {
    const removed = this.#edges.splice(from, to - from, ...edges);
    // Of the edges from `from` on, those at even places are starts; their order tells the sign.
    const sum = (list: readonly number[]): number =>
      list.reduce((total, edge, i) => total + ((from + i) % 2 === 0 ? -edge : edge), 0);
    this.#total += sum(edges) - sum(removed);
  }
}
