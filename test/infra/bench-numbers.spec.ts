import { expect, test } from '@playwright/test';
import { figures } from '../../bench/figures.ts';
import { readOptions } from '../../bench/options.ts';
import { formatFigures, publication } from '../../bench/publication.ts';
import { newest } from '../../bench/results.ts';
import { rotated } from '../../bench/rotated.ts';
import { sideNames } from '../../bench/side.ts';
import { summarize } from '../../bench/statistics.ts';
import { formatTable } from '../../bench/table.ts';
import { launches, machine, result } from './bench-launches.ts';

test('a median is of the middle two where there is no middle one', () => {
  expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(summarize([7])).toEqual({ median: 7, min: 7, max: 7 });
});

test('each side begins as often as the others', () => {
  expect(rotated(['a', 'b', 'c'], 0)).toEqual(['a', 'b', 'c']);
  expect(rotated(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a']);
  expect(rotated(['a', 'b', 'c'], 5)).toEqual(['c', 'a', 'b']);
  expect(rotated([], 3)).toEqual([]);
});

test('options narrow what is launched, and say what they do not understand', () => {
  const all = readOptions([]);
  expect(all).toMatchObject({ links: ['medium'], sides: sideNames, runs: 5, timeline: false });
  expect(all.apps).toContain('modules');
  expect(all.visits).toEqual(['cold', 'warm', 'offline']);
  const some = readOptions(
    '--app demo --app pdfjs --link fast --link slow --side gzip --side sluice+trace --visit cold --runs 2'.split(
      ' ',
    ),
  );
  expect(some).toMatchObject({
    apps: ['demo', 'pdfjs'],
    links: ['fast', 'slow'],
    sides: ['gzip', 'sluice+trace'],
    visits: ['cold'],
    runs: 2,
  });
  for (const wrong of [
    '--app x',
    '--link x',
    '--side plain',
    '--visit hot',
    '--runs 0',
    '--runs 1.5',
    '--server x',
  ]) {
    expect(() => readOptions(wrong.split(' ')), wrong).toThrow(/one of|whole number/);
  }
  expect(() => readOptions(['--sides', 'gzip'])).toThrow();
});

test('of each combination the newest result counts, unless it was cut short', () => {
  const old = result('2026-01-01', [
    ...launches('gzip', 'cold', [1, 1, 1]),
    ...launches('gzip', 'warm', [1, 1, 1]),
    ...launches('sluice', 'cold', [1]),
  ]);
  const whole = result('2026-01-02', launches('gzip', 'cold', [2, 2, 2]));
  const short = result('2026-01-03', [...launches('gzip', 'cold', [3]), ...launches('sluice', 'cold', [3])]);
  const elsewhere = result('2026-01-04', launches('gzip', 'cold', [4]), { link: 'slow' });
  const found = newest([old, whole, short, elsewhere], 3).map(({ link, side, visit, date }) =>
    [link, side, visit, date].join(' '),
  );
  expect(found.sort()).toEqual([
    'medium gzip cold 2026-01-02',
    'medium gzip warm 2026-01-01',
    'medium sluice cold 2026-01-03',
    'slow gzip cold 2026-01-04',
  ]);
});

test('figures are ratios of medians, with targets as the link and the launch have them', () => {
  const all = [
    ...launches('gzip', 'cold', [1000, 2000, 9000]),
    ...launches('workbox', 'cold', [8000, 8000, 8000]),
    ...launches('workbox', 'warm', [1000, 1000, 1000]),
    ...launches('sluice+trace', 'cold', [1500, 100, 1500]),
    ...launches('sluice+trace', 'warm', [1200, 1200, 1200]),
  ];
  const found = figures(newest([result('2026-01-01', all), result('2026-01-01', all, { link: 'fast' })], 3));
  const of = (link: string, start: string) =>
    found.find((figure) => figure.link === link && figure.figure.startsWith(start));
  expect(of('medium', 'cold, with trace ÷ plain')).toMatchObject({ value: 0.75, target: 0.8 });
  expect(of('fast', 'cold, with trace ÷ plain')).toMatchObject({ value: 0.75, target: 1 });
  expect(of('medium', 'cold, with trace ÷ Workbox')).toMatchObject({ value: 1500 / 8000, target: 0.3 });
  expect(of('medium', 'bytes until ready')).toMatchObject({ value: 1.25, target: 1.1 });
  expect(of('medium', 'warm')).toMatchObject({ value: 1.2, target: 1 });
  expect(of('medium', 'share')).toMatchObject({ value: 0.1 });
  // What was not measured is not told of.
  expect(of('medium', 'cold, with trace ÷ the same with brotli')).toBe(undefined);
  expect(of('medium', 'cold, without trace')).toBe(undefined);
  expect(of('medium', 'offline')).toBe(undefined);
});

test('a launch that needs most of the app is not measured by what needs little', () => {
  const cold = [...launches('workbox', 'cold', [8]), ...launches('sluice+trace', 'cold', [4])];
  const most = cold.map((one) => (one.launch ? { ...one, launch: { blockBytes: 8, imageBytes: 10 } } : one));
  const [figure] = figures(newest([result('2026-01-01', most)], 1));
  expect(figure).toEqual({
    figure: 'cold, with trace ÷ Workbox precache, then launch',
    app: 'demo',
    link: 'medium',
    value: 0.5,
  });
});

test('what is published has everything in one order, and the table marks what misses its target', () => {
  const demo = result('2026-01-02', [
    ...launches('sluice+trace', 'cold', [900, 700, 800]),
    ...launches('gzip', 'warm', [500]),
    ...launches('gzip', 'cold', [1000, 1000, 1000]),
  ]);
  const pyodide = result(
    '2026-01-01',
    [...launches('gzip', 'cold', [100]), ...launches('sluice+trace', 'cold', [90])],
    {
      app: 'pyodide',
    },
  );
  const published = publication(newest([pyodide, demo], 3), machine);
  expect(published.date).toBe('2026-01-02');
  expect(published.measurements.map(({ app, side, visit }) => `${app} ${visit} ${side}`)).toEqual([
    'demo cold gzip',
    'demo cold sluice+trace',
    'demo warm gzip',
    'pyodide cold gzip',
    'pyodide cold sluice+trace',
  ]);
  expect(published.measurements[1]).toMatchObject({
    runs: 3,
    readyMs: { median: 800, min: 700, max: 900 },
    launch: { blockBytes: 800_000, imageBytes: 8_000_000 },
  });
  const table = formatFigures(published).split('\n');
  expect(table[0]).toBe('medium: 20 Mbit/s, 50 ms');
  expect(table[1]).toMatch(/^ +target +demo +pyodide$/);
  expect(table[2]).toMatch(/^cold, with trace ÷ plain server with gzip +≤ 0.8 +0.80 +0.90 ✗$/);
});

test('the table of one comparison pairs launches of one run', () => {
  const { launches: all } = result('2026-01-01', [
    ...launches('gzip', 'cold', [1000, 4000]),
    // The first did not come to its end.
    ...launches('sluice', 'cold', [0, 2000]).slice(1),
    ...launches('sluice', 'offline', [500, 700]),
  ]);
  const rows = formatTable({ launches: all, failures: [] })
    .split('\n')
    .map((row) => row.split(/ {2,}/));
  expect(rows[0]).toEqual(['', 'gzip', 'sluice']);
  expect(rows).toContainEqual(['cold', 'ready after, s', '2.50 (1.00–4.00)', '2.00 (2.00–2.00)']);
  expect(rows).toContainEqual(['cold', 'ready ÷ gzip', '1.00 (1.00–1.00)', '0.50 (0.50–0.50)']);
  expect(rows).toContainEqual(['offline', 'ready after, s', '–', '0.60 (0.50–0.70)']);
});
