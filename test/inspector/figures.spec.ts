import { expect, test } from '@playwright/test';
import { counters } from '../../src/inspector/model/counters.ts';
import { formatAgo, formatBytes, formatMs, formatShare } from '../../src/inspector/model/quantity.ts';
import { storageParts, useLimits } from '../../src/inspector/model/storage-parts.ts';
import { sortedBy, toggled } from '../../src/inspector/model/table-order.ts';
import { transferHistory } from '../../src/inspector/model/transfer-history.ts';
import { aFetch, anInspection } from './sample.ts';

test('figures are short, and 100 % is said only of all', () => {
  expect([0, 999, 1000, 34_240_000].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '34.2 MB']);
  expect([0.42, 12.3, 999.6, 3210, 61_000, 12_000_000].map(formatMs)).toEqual([
    '0.4 ms',
    '12 ms',
    '1.00 s',
    '3.21 s',
    '1 min 1 s',
    '3 h 20 min',
  ]);
  expect([0, 30_000, 3_600_000, 260_000_000].map(formatAgo)).toEqual([
    'just now',
    '30 s ago',
    '1 h ago',
    '3 days ago',
  ]);
  expect([formatShare(999, 1000), formatShare(1, 1000), formatShare(0, 1000)]).toEqual([
    '99 %',
    '< 1 %',
    '0 %',
  ]);
});

test('tables are sorted by numbers as numbers, names naturally, nothing last', () => {
  const rows = [{ n: 'b10' }, { n: 'b2' }, { n: undefined }, { n: 'a' }];
  expect(sortedBy(rows, ({ n }) => n, false).map(({ n }) => n)).toEqual(['a', 'b2', 'b10', undefined]);
  expect(sortedBy(rows, ({ n }) => n, true).map(({ n }) => n)).toEqual(['b10', 'b2', 'a', undefined]);
  expect(toggled(toggled(undefined, 'n'), 'n')).toEqual({ key: 'n', isDescending: true });
  expect(toggled({ key: 'n', isDescending: true }, 'm')).toEqual({ key: 'm', isDescending: false });
});

test('the rate of the last moments, from what requests have brought, evenly', () => {
  const fetches = [
    aFetch({ answered: 500, ended: 1500, bytes: 1000 }),
    aFetch({ answered: 1750, ended: undefined, bytes: 100 }),
    aFetch({ answered: undefined, ended: undefined, bytes: 0 }),
  ];
  const { rates, peak, now } = transferHistory(fetches, 2000, 2000, 4);
  expect(rates).toEqual([0, 1000, 1000, 200]);
  expect([peak, now]).toEqual([1000, 200]);
  expect(transferHistory(fetches.slice(0, 1), 90_000, 2000, 4).peak).toBe(0);
});

test('the quota is filled by images, journal, copies and what else the origin has', () => {
  expect(storageParts(anInspection()).map(({ kind, bytes }) => [kind, bytes])).toEqual([
    ['this', 1_000_000],
    ['other', 400_000],
    ['journal', 50_000],
    ['copies', 300_000],
    ['rest', 250_000],
  ]);
  expect(useLimits(anInspection().storage).map(({ name, use }) => [name, Math.round(use)])).toEqual([
    ['run', 9_000_000],
    ['cull', 9_300_000],
    ['stop', 9_700_000],
  ]);
});

test('every counter has a name of its own, and says what it means', () => {
  const rows = counters(anInspection());
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { meaning } of rows) expect(meaning).toMatch(/^[A-Z].{15,}\.$/);
  expect(rows.find(({ name }) => name === 'queue.background')?.value).toBe('8');
});
