import { expect, test } from '@playwright/test';
import { runFuzz } from './fuzz/run-fuzz.ts';
import { fuzzTargets } from './fuzz/targets.ts';

/** `npm run torture -- fuzz` tries a million of each. */
const runs = 100;

for (const target of fuzzTargets) {
  test(`${runs} mutated inputs: ${target.name}`, async () => {
    const { finds, runs: tried, outcomes } = await runFuzz(target, { runs, seed: 1 });
    expect(finds).toEqual([]);
    expect(tried).toBe(runs);
    // They get past the first check.
    expect(outcomes).toBeGreaterThan(1);
  });
}
