/**
 * Overlapping intervals, and which of them a range touches. Built once from sorted arrays.
 *
 * The sorted array is its own balanced tree: the root of `[low, high)` is its middle. Each node also knows the highest end in its
 * subtree, so that a query leaves out whole subtrees that end before it begins: the *high keys* by which XFS's reverse-mapping
 * btree finds overlapping records. A query costs O(log n + what it finds) where no interval is much longer than the others; 8 bytes an
 * interval beside the arrays that are given.
 */
export class IntervalIndex {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  /** Highest end in the subtree of which i is the root. */
  readonly #highs: Float64Array;

  /** Interval i is `[starts[i], ends[i])`, not empty; starts ascend, equal ones in any order. The arrays are kept and must not change. */
  constructor(starts: Float64Array, ends: Float64Array) {
    this.#starts = starts;
    this.#ends = ends;
    this.#highs = new Float64Array(starts.length);
    this.#raise(0, starts.length);
  }

  get count(): number {
    return this.#starts.length;
  }

  start(i: number): number {
    return this.#starts[i]!;
  }

  end(i: number): number {
    return this.#ends[i]!;
  }

  /** Every i whose interval has a point in `[low, high)`, ascending. An empty range touches nothing. */
  *query(low: number, high: number): Generator<number, void, undefined> {
    if (low < high) yield* this.#visit(0, this.count, low, high);
  }

  *#visit(from: number, to: number, low: number, high: number): Generator<number, void, undefined> {
    if (from >= to) return;
    const root = (from + to) >>> 1;
    if (this.#highs[root]! <= low) return;
    yield* this.#visit(from, root, low, high);
    if (this.#starts[root]! >= high) return;
    if (this.#ends[root]! > low) yield root;
    yield* this.#visit(root + 1, to, low, high);
  }

  /** Fills the subtree over `[from, to)`; answers its highest end. */
  #raise(from: number, to: number): number {
    if (from >= to) return Number.NEGATIVE_INFINITY;
    const root = (from + to) >>> 1;
    const high = Math.max(this.#ends[root]!, this.#raise(from, root), this.#raise(root + 1, to));
    this.#highs[root] = high;
    return high;
  }
}
