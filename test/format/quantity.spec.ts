import { expect, test } from '@playwright/test';
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatMs,
  formatNumberOf,
  formatRate,
  formatShare,
  percent,
} from '../../src/format/quantity.ts';

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

test('counts, with what they are of', () => {
  expect([formatNumberOf(1, 'file'), formatNumberOf(2000, 'directory')]).toEqual([
    '1 file',
    '2,000 directories',
  ]);
});

test('percent is rounded down, and exact: 100 is said only when everything is there', () => {
  for (let part = 0; part <= 100; part++) expect(percent(part, 100)).toBe(part);
  expect(percent(999, 1000)).toBe(99);
  expect(percent(1000, 1000)).toBe(100);
  expect(percent(0, 0)).toBe(100);
});

test('shares: 100 % is said only of all, 0 % only of nothing, whatever the digits', () => {
  const shares = [
    [1000, 1000],
    [999, 1000],
    [203, 1000],
    [1, 1001],
    [0, 1000],
    [0, 0],
    [2000, 1000],
  ] as const;
  expect(shares.map(([part, whole]) => formatShare(part, whole))).toEqual([
    '100 %',
    '99 %',
    '20 %',
    '< 1 %',
    '0 %',
    '100 %',
    '200 %',
  ]);
  expect(shares.map(([part, whole]) => formatShare(part, whole, 1))).toEqual([
    '100.0 %',
    '99.9 %',
    '20.3 %',
    '< 0.1 %',
    '0.0 %',
    '100.0 %',
    '200.0 %',
  ]);
});

test('times between two moments, with no more digits than are read', () => {
  expect([0, 0.42, 12.3, 999.6, 3210, 12_340, 61_000, 119_700, 12_000_000].map(formatMs)).toEqual([
    '0 ms',
    '0.4 ms',
    '12 ms',
    '1.00 s',
    '3.21 s',
    '12.3 s',
    '1 min 1 s',
    '2 min 0 s',
    '3 h 20 min',
  ]);
});

test('how long ago, and when', () => {
  expect([0, 30_000, 3_600_000, 260_000_000].map(formatAgo)).toEqual([
    'just now',
    '30 s ago',
    '1 h ago',
    '3 days ago',
  ]);
  expect(formatClock(new Date(2026, 0, 2, 3, 4, 5, 6).getTime())).toBe('03:04:05.006');
});
