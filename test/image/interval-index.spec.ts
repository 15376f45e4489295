import { expect, test } from '@playwright/test';
import { IntervalIndex } from '../../src/image/interval-index.ts';
import { seededRandom } from '../support/random.ts';

type Interval = readonly [start: number, end: number];

function indexOf(intervals: readonly Interval[]): IntervalIndex {
  return new IntervalIndex(
    Float64Array.from(intervals, ([start]) => start),
    Float64Array.from(intervals, ([, end]) => end),
  );
}

test('ends touch nothing, points inside do', () => {
  const index = indexOf([
    [0, 10],
    [5, 6],
    [10, 12],
  ]);
  expect(index.count).toBe(3);
  expect([index.start(1), index.end(1)]).toEqual([5, 6]);
  expect([...index.query(0, 1)]).toEqual([0]);
  expect([...index.query(5, 6)]).toEqual([0, 1]);
  expect([...index.query(6, 10)]).toEqual([0]);
  expect([...index.query(9, 11)]).toEqual([0, 2]);
  expect([...index.query(12, 100)]).toEqual([]);
  expect([...index.query(5, 5)]).toEqual([]);
  expect([...index.query(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)]).toEqual([0, 1, 2]);
  expect([...indexOf([]).query(0, 1)]).toEqual([]);
});

test('answers as a look at every interval does, for random sets of them', () => {
  const wrong: string[] = [];
  for (let seed = 0; seed < 200; seed++) {
    const random = seededRandom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const space = 1 + below(300);
    const intervals = Array.from({ length: below(60) }, (): Interval => {
      const start = below(space);
      // Most are short, some reach over everything: what high keys are for.
      return [start, start + 1 + below(random() < 0.1 ? space : 5)];
    }).sort(([a], [b]) => a - b);
    const index = indexOf(intervals);
    for (let i = 0; i < 100; i++) {
      const low = below(space + 10) - 5;
      const high = low + below(20);
      const expected = intervals.flatMap(([start, end], n) =>
        start < high && end > low && low < high ? [n] : [],
      );
      if (`${[...index.query(low, high)]}` !== `${expected}`) wrong.push(`seed ${seed}: [${low}, ${high})`);
    }
  }
  expect(wrong).toEqual([]);
});

test('a query visits few of many intervals, wherever it begins', () => {
  const count = 200_000;
  const starts = Float64Array.from({ length: count }, (_, i) => i);
  const index = new IntervalIndex(
    starts,
    starts.map((start) => start + 1),
  );
  const begin = performance.now();
  let wrong = 0;
  for (let i = 0; i < count; i += 4) if (`${[...index.query(i, i + 2)]}` !== `${i},${i + 1}`) wrong++;
  expect(wrong).toBe(0);
  // A look at every interval, ten thousand million in all, would take longer than that on any machine.
  expect(performance.now() - begin).toBeLessThan(4000);
});
