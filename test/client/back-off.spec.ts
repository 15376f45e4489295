import { expect, test } from '@playwright/test';
import { backOffMs } from '../../src/client/back-off.ts';

test('doubles from a quarter of a second to half a minute', () => {
  const longest = [0, 1, 2, 7, 20, 2000].map((attempt) => backOffMs(attempt, () => 1));
  expect(longest).toEqual([250, 500, 1000, 30_000, 30_000, 30_000]);
});

test('spreads over the upper half', () => {
  expect(backOffMs(1, () => 0)).toBe(250);
  expect(backOffMs(1, () => 0.5)).toBe(375);
});
