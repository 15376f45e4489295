/** Consecutive blocks of one blob: `[first, first + count)`. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** The fewest runs that make up the blocks, which are in ascending order. */
export function runsOf(blocks: readonly number[]): Run[] {
  const runs: { first: number; count: number }[] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last && last.first + last.count === block) last.count += 1;
    else runs.push({ first: block, count: 1 });
  }
  return runs;
}

export function* blocksOf(run: Run): Generator<number> {
  for (let block = run.first; block < run.first + run.count; block++) yield block;
}
