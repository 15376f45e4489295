/** Half-open: `[start, end)`. Empty where `start === end`. The unit is the user's: bytes, blocks. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What both have in common; undefined where that is nothing. */
export function intersect(a: Range, b: Range): Range | undefined {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.end, b.end);
  return start < end ? { start, end } : undefined;
}

/** `ranges`, sorted by start, with those merged that overlap or are no more than `maxGap` apart. Empty ones are left out. */
export function mergeNear(ranges: readonly Range[], maxGap = 0): Range[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of ranges
    .filter((range) => range.start < range.end)
    .sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start - last.end <= maxGap) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
