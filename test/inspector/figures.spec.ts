import { expect, test } from '@playwright/test';
import { counters } from '../../src/inspector/model/counters.ts';
import { formatBlock, linkRate } from '../../src/inspector/model/labels.ts';
import { storageParts, useLimits } from '../../src/inspector/model/storage-parts.ts';
import { sortedBy, toggled } from '../../src/inspector/model/table-order.ts';
import { transferHistory } from '../../src/inspector/model/transfer-history.ts';
import { aFetch, anInspection } from './sample.ts';

test('a link that was not measured has no rate; a table has no number of a block', () => {
  expect([linkRate(0), linkRate(2_500_000)]).toEqual(['not known yet', '2.5 MB/s']);
  expect([formatBlock(12, 345), formatBlock(12, -1)]).toEqual(['12:345', '12:table']);
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
