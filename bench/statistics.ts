export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one value. */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor((sorted.length - 1) / 2);
  const median = (sorted[middle]! + sorted[sorted.length - 1 - middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
