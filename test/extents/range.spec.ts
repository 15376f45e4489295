import { expect, test } from '@playwright/test';
import { intersect, mergeNear } from '../../src/extents/range.ts';
import { seededRandom } from '../support/random.ts';

test('what two ranges have in common', () => {
  const at = (start: number, end: number) => ({ start, end });
  expect(intersect(at(0, 10), at(5, 20))).toEqual(at(5, 10));
  expect(intersect(at(5, 20), at(0, 10))).toEqual(at(5, 10));
  expect(intersect(at(0, 10), at(2, 3))).toEqual(at(2, 3));
  expect(intersect(at(0, 10), at(10, 20))).toBeUndefined();
  expect(intersect(at(0, 10), at(5, 5))).toBeUndefined();
});

test('near ranges become one, against a flat array', () => {
  const random = seededRandom(1);
  const below = (n: number): number => Math.floor(random() * n);
  const wrong: string[] = [];
  for (let round = 0; round < 2000; round++) {
    const maxGap = below(4);
    const ranges = Array.from({ length: below(8) }, () => {
      const start = below(60);
      return { start, end: start + below(6) };
    });
    const flat = new Uint8Array(70);
    for (const { start, end } of ranges) flat.fill(1, start, end);
    // Fill the gaps that are small enough, the stupid way.
    const text = flat
      .join('')
      .replaceAll(/(?<=1)0+(?=1)/g, (gap) => (gap.length <= maxGap ? '1'.repeat(gap.length) : gap));
    const expected = [...text.matchAll(/1+/g)].map((run) => ({
      start: run.index,
      end: run.index + run[0].length,
    }));
    const merged = mergeNear(ranges, maxGap);
    if (JSON.stringify(merged) !== JSON.stringify(expected))
      wrong.push(JSON.stringify({ ranges, maxGap, merged }));
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});
