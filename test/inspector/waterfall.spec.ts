import { expect, test } from '@playwright/test';
import { launchPicture } from '../../src/inspector/model/launch-picture.ts';
import { readRow, waterfallRows } from '../../src/inspector/model/waterfall-rows.ts';
import {
  launchMarks,
  launchSpan,
  moved,
  ticks,
  wholeSpan,
  zoomed,
} from '../../src/inspector/model/waterfall-span.ts';
import { waterfallTotals } from '../../src/inspector/model/waterfall-totals.ts';
import { aFetch, aRead } from './sample.ts';

const waited = aRead({
  serial: 2,
  waitedMs: 60,
  steps: { sent: 1010, answered: 1040, arrived: 1055, verified: 1060 },
  decodeMs: 4,
});

test('a read that waited is drawn step by step, without gaps', () => {
  const { segments, start, end } = readRow(waited);
  expect(segments).toEqual([
    { phase: 'queued', start: 1000, end: 1010 },
    { phase: 'requested', start: 1010, end: 1040 },
    { phase: 'receiving', start: 1040, end: 1055 },
    { phase: 'verifying', start: 1055, end: 1060 },
    { phase: 'decoding', start: 1060, end: 1064 },
  ]);
  expect([start, end]).toEqual([1000, 1064]);
});

test('of a request that was under way before the read, only what the read waited for is drawn', () => {
  const { segments } = readRow(
    aRead({ waitedMs: 9, steps: { sent: 900, answered: 950, arrived: 1008, verified: 1009 } }),
  );
  expect(segments).toEqual([
    { phase: 'receiving', start: 1000, end: 1008 },
    { phase: 'verifying', start: 1008, end: 1009 },
  ]);
});

test('a wait of which no step is known is one bar, a hit is none', () => {
  expect(readRow(aRead({ waitedMs: 30 })).segments).toEqual([{ phase: 'waiting', start: 1000, end: 1030 }]);
  expect(readRow(aRead()).segments).toEqual([]);
});

test('reads and requests are one list by their begin; what is under way ends now', () => {
  const open = aFetch({ serial: 3, sent: 1100, answered: undefined, ended: undefined });
  const rows = waterfallRows([waited, aRead({ serial: 3, at: 1200 })], [aFetch(), open], 1500);
  expect(rows.map(({ key }) => key)).toEqual(['f1', 'r2', 'f3', 'r3']);
  expect(rows[2]!.segments).toEqual([{ phase: 'requested', start: 1100, end: 1500 }]);
});

test('the launch ends where nothing begins for a while; the whole is all', () => {
  const late = aRead({ serial: 9, at: 90_000 });
  const rows = waterfallRows([waited, late], [aFetch()], 0);
  expect(launchSpan(rows)!.end).toBeLessThan(1100);
  expect(wholeSpan(rows)!.end).toBeGreaterThan(90_000);
  expect(launchMarks(rows)).toEqual([
    { name: 'first request', at: 1000 },
    { name: 'first read', at: 1000 },
    { name: 'last wait over', at: 1064 },
  ]);
  expect(launchSpan([])).toBeUndefined();
  const behind = aFetch({ serial: 5, kind: 'background', sent: 1060, answered: 1100, ended: 80_000 });
  expect(launchSpan(waterfallRows([waited], [behind], 0))!.end).toBeLessThan(1100);
  expect(launchSpan(waterfallRows([], [behind], 0))!.end).toBeGreaterThan(80_000);
});

test('zooming keeps the moment under the pointer, and neither it nor moving leaves the bounds', () => {
  const bounds = { start: 0, end: 1000 };
  const closer = zoomed(bounds, 0.5, 250, bounds);
  expect(closer).toEqual({ start: 125, end: 625 });
  expect(zoomed(closer, 100, 250, bounds)).toEqual(bounds);
  expect(zoomed(closer, 1e-9, 250, bounds).end - 250).toBeLessThanOrEqual(1);
  expect(moved(closer, -1e6, bounds)).toEqual({ start: 0, end: 500 });
  expect(moved(closer, 1e6, bounds)).toEqual({ start: 500, end: 1000 });
});

test('ticks are round numbers since the origin', () => {
  expect(ticks({ start: 1000, end: 1100 }, 1010, 5)).toEqual([0, 20, 40, 60, 80]);
  expect(ticks({ start: 0, end: 7000 }, 0, 4)).toEqual([0, 2000, 4000, 6000]);
});

test('totals: reads, who waited, the longest wait, what came', () => {
  const reads = [waited, aRead(), aRead({ waitedMs: 5, failed: 'offline' }), aRead({ waitedMs: 200 })];
  expect(waterfallTotals(reads, [aFetch(), aFetch({ bytes: 24 })])).toEqual({
    reads: 4,
    waited: 3,
    longestWait: 200,
    medianWait: 60,
    failed: 1,
    requests: 2,
    bytes: 1024,
  });
});

test('a picture has the rows that its filter lets through, and begins with the navigation where that is known', () => {
  const rows = waterfallRows([waited, aRead({ serial: 3, at: 1100, path: 'Level/2.bin' })], [aFetch()], 0);
  const keys = (some: object): string[] => {
    const filter = { shown: 'all', waitedOnly: false, text: '', byDuration: false } as const;
    return launchPicture(rows, [], { ...filter, ...some })!.rows.map(({ key }) => key);
  };
  expect(keys({})).toEqual(['f1', 'r2', 'r3']);
  expect(keys({ shown: 'read' })).toEqual(['r2', 'r3']);
  expect(keys({ waitedOnly: true })).toEqual(['r2']);
  expect(keys({ text: ' level/ ' })).toEqual(['r3']);
  expect(keys({ byDuration: true })).toEqual(['r2', 'f1', 'r3']);

  const filter = { shown: 'all', waitedOnly: false, text: '', byDuration: false } as const;
  const marks = [
    { name: 'navigationStart', at: 900 },
    { name: 'navigationStart', at: 900 - 3_600_000 },
  ];
  const { origin, bounds, launch } = launchPicture(rows, marks, filter)!;
  expect([origin, bounds.start, launch.start]).toEqual([900, 900, 900]);
  expect(launchPicture([], marks, filter)).toBeUndefined();
});
