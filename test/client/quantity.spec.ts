import { expect, test } from '@playwright/test';
import { formatBytes, formatRate, percent } from '../../src/client/quantity.ts';

for (const [bytes, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [34_240_000, '34.2 MB'],
  [99_949_999, '99.9 MB'],
  [99_960_000, '100 MB'],
  [999_400_000, '999 MB'],
  [999_600_000, '1.0 GB'],
  [5e12, '5.0 TB'],
  [5e15, '5000 TB'],
] as const) {
  test(`${bytes} bytes are ${text}`, () => expect(formatBytes(bytes)).toBe(text));
}

test('rates', () => expect(formatRate(2_500_000)).toBe('2.5 MB/s'));

test('100 % is said only when everything is there', () => {
  expect(percent(999, 1000)).toBe(99);
  expect(percent(1000, 1000)).toBe(100);
  expect(percent(0, 0)).toBe(100);
});
