import { expect, test } from '@playwright/test';
import { IntervalSet } from '../../src/extents/interval-set.ts';
import type { Range } from '../../src/extents/range.ts';
import { seededRandom } from '../support/random.ts';

const width = 200;

/** The runs of `[start, end)` whose entry in `flat` is `value`. */
function runs(flat: Uint8Array, value: number, start = 0, end = flat.length): Range[] {
  const found: { start: number; end: number }[] = [];
  for (let i = start; i < end; i++) {
    if (flat[i] !== value) continue;
    const last = found.at(-1);
    if (last?.end === i) last.end = i + 1;
    else found.push({ start: i, end: i + 1 });
  }
  return found;
}

for (const seed of [1, 2, 3, 4]) {
  test(`against a flat array, seed ${seed}`, () => {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const flat = new Uint8Array(width);
    const set = new IntervalSet();
    const wrong: string[] = [];
    for (let step = 0; step < 5000; step++) {
      const start = below(width + 1);
      // Short ones mostly, empty ones and ones that end before they start now and then.
      const end = Math.min(width, random() < 0.05 ? below(width) : start + below(seed % 2 === 0 ? 8 : 60));
      const add = random() < 0.5;
      if (add) set.add(start, end);
      else set.remove(start, end);
      flat.fill(add ? 1 : 0, start, Math.max(start, end));

      const state = JSON.stringify([...set]);
      if (state !== JSON.stringify(runs(flat, 1))) wrong.push(`step ${step}: ${state}`);
      if (set.total !== flat.reduce((sum, bit) => sum + bit, 0))
        wrong.push(`step ${step}: total ${set.total}`);
      if (set.size !== [...set].length) wrong.push(`step ${step}: size ${set.size}`);
      const from = below(width);
      const to = Math.min(width, from + below(40));
      if (set.has(from) !== (flat[from] === 1)) wrong.push(`step ${step}: has ${from}`);
      if (set.has(from, to) !== flat.subarray(from, to).every((bit) => bit === 1))
        wrong.push(`step ${step}: has ${from}, ${to}`);
      if (JSON.stringify([...set.within(from, to)]) !== JSON.stringify(runs(flat, 1, from, to)))
        wrong.push(`step ${step}: within`);
      if (JSON.stringify([...set.gaps(from, to)]) !== JSON.stringify(runs(flat, 0, from, to)))
        wrong.push(`step ${step}: gaps`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
  });
}

test('neighbours that touch are one interval; one integer between keeps them apart', () => {
  const set = new IntervalSet([
    { start: 0, end: 4 },
    { start: 8, end: 12 },
  ]);
  set.add(5, 8);
  expect([...set]).toEqual([
    { start: 0, end: 4 },
    { start: 5, end: 12 },
  ]);
  set.add(4, 5);
  expect([...set]).toEqual([{ start: 0, end: 12 }]);
  set.remove(4, 5);
  expect(set.size).toBe(2);
});

test('whole numbers as large as they are exact', () => {
  const set = new IntervalSet();
  set.add(2 ** 52, Number.MAX_SAFE_INTEGER);
  set.remove(2 ** 52 + 1, Number.MAX_SAFE_INTEGER - 1);
  expect(set.total).toBe(2);
  expect(set.has(2 ** 52)).toBe(true);
  expect(set.has(2 ** 52 + 1)).toBe(false);
});

test('100,000 intervals are added and found in no time', () => {
  const set = new IntervalSet();
  for (let i = 0; i < 100_000; i++) set.add(i * 2, i * 2 + 1);
  const began = performance.now();
  let present = 0;
  for (let i = 0; i < 200_000; i++) if (set.has(i)) present++;
  expect(present).toBe(100_000);
  expect(performance.now() - began).toBeLessThan(2000);
});
