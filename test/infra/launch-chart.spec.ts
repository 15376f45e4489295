import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { launchChart } from '../../bench/launch-chart.ts';
import { publication } from '../../bench/publication.ts';
import { readmeTable, withReadmeTable } from '../../bench/readme-table.ts';
import { newest } from '../../bench/results.ts';
import { launches, machine, result } from './bench-launches.ts';

const all = [
  ...launches('gzip', 'cold', [2000, 2000, 2400]),
  ...launches('brotli', 'cold', [1800]),
  ...launches('workbox', 'cold', [40_000]),
  ...launches('sluice', 'cold', [1900]),
  ...launches('sluice+trace', 'cold', [1000, 1200, 1100]),
  ...launches('sluice+trace', 'warm', [1]),
];
const published = publication(newest([result('2026-01-02T03:04:05Z', all)], 3), machine);

/** Lengths of bars by the class of their side. */
function bars(svg: string): Record<string, number> {
  const found = svg.matchAll(/<rect class="([\w-]+)" x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g);
  return Object.fromEntries([...found].map(([, side, width]) => [side, Number(width)]));
}

test('bars are as long as the medians, and one that would hide the others is cut', () => {
  const svg = launchChart(published, 'medium');
  const { gzip, workbox, ...rest } = bars(svg);
  expect(Object.keys(rest)).toEqual(['brotli', 'sluice', 'sluice-trace']);
  expect(rest['sluice-trace']! / gzip!).toBeCloseTo(0.55, 2);
  expect(workbox! / gzip!).toBeCloseTo(1.25, 2);
  expect(svg.match(/class="cut"/g)).toHaveLength(1);
  expect(svg).toContain('>40.0 s, 20.00 × gzip<');
  expect(svg).toContain('>1.1 s, 0.55 × gzip<');
  expect(svg).toContain('20 Mbit/s, 50 ms round trip; median of 1–3');
});

test('it is well-formed, has colours for both schemes, and says by what it was measured', () => {
  const svg = launchChart(published, 'medium');
  expect(svg).toContain('@media (prefers-color-scheme: dark)');
  expect(svg).toContain('Chromium 156.0, nginx 1.22.1, Workbox 7.4.1');
  expect(svg).toContain('2026-01-02');
  // Every element is closed, in its order.
  const open: string[] = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
    if (self) continue;
    if (close) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
  const words = svg.slice(svg.indexOf('</style>')).replaceAll(/<[^<>]*>/g, '');
  expect(words).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
  // Nothing leaves the picture.
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  for (const [, y] of svg.matchAll(/ y="([\d.]+)"/g)) expect(Number(y)).toBeLessThan(Number(height));
  for (const [, x] of svg.matchAll(/ x="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(Number(width));
});

test('a link that was not measured makes no picture', () => {
  expect(() => launchChart(published, 'slow')).toThrow('no cold launch was measured on the slow link');
});

test('the table for the README has seconds and ratios, and a dash for what was not measured', () => {
  const lines = readmeTable(published, 'medium').split('\n');
  const [head, rule, demo, ...rest] = lines.filter((line) => line.startsWith('|'));
  expect(rest).toEqual([]);
  expect(rule!.split('|').length).toBe(head!.split('|').length);
  const cells = demo!.split('|').map((cell) => cell.trim());
  expect(cells.slice(2)).toEqual([
    '2.0 s',
    '1.8 s (0.90)',
    '40.0 s (20.00)',
    '1.9 s (0.95)',
    '1.1 s (0.55)',
    '–',
    '0.0 s',
    '',
  ]);
  expect(lines.join(' ')).toContain('at 20 Mbit/s and 50 ms; medians of 1–3');
});

test('the table takes the place of the one before, and touches nothing else', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const once = withReadmeTable(readme, published, 'medium');
  expect(once).toContain('1.1 s (0.55)');
  expect(withReadmeTable(once, published, 'medium')).toBe(once);
  const around = (text: string) => text.replace(/<!-- npm run bench[\s\S]*<!-- until here -->/, '');
  expect(around(once)).toBe(around(readme));
  expect(() => withReadmeTable('# Sluice', published, 'medium')).toThrow('README.md lacks');
});
