import { expect, test } from '@playwright/test';
import { launchOrder } from '../../src/pack/launch-order.ts';
import { pageLinks } from '../../src/pack/page-links.ts';
import { plan } from '../../src/pack/plan.ts';
import type { TreeFile } from '../../src/pack/tree.ts';

function file(path: string, size = 10): TreeFile {
  return { kind: 'file', name: path.split('/').at(-1)!, path, source: `/${path}`, size };
}

const paths = (files: readonly TreeFile[]): string[] => files.map(({ path }) => path);

test('without a trace: entry, pages, scripts, styles, wasm, the rest by path', () => {
  const files = [
    'z.txt',
    'a/b.png',
    'main.wasm',
    'x.css',
    'lib/z.mjs',
    'a.js',
    'b.html',
    'index.html',
    'sub/index.html',
  ].map((path) => file(path));
  const { files: ordered, launchCount } = launchOrder(files, []);
  expect(launchCount).toBe(0);
  expect(paths(ordered)).toEqual([
    'index.html',
    'b.html',
    'a.js',
    'lib/z.mjs',
    'x.css',
    'main.wasm',
    'a/b.png',
    'sub/index.html',
    'z.txt',
  ]);
});

test('without a trace: what the entry page names comes right behind it, in its order, small and large alike', () => {
  const html = `<!doctype html><!-- <script src="old.js"></script> --><link rel=stylesheet href=css/a.css>
    <script data-x="a>b" defer src='./lib/big%20one.js?v=1#x'></script><script>const src = "no.js";</script>
    <img alt="" src="/pic.png"><a href="other.html">away</a><script src="https://cdn.example/x.js"></script>
    <script src=""></script><link href="gone.css"><script type=module src="lib/main.js"></script><img src="%ff">`;
  const linked = pageLinks(new TextEncoder().encode(html), 'index.html');
  expect(linked).toEqual(['old.js', 'css/a.css', 'lib/big one.js', 'pic.png', 'gone.css', 'lib/main.js']);
  expect(pageLinks(new TextEncoder().encode('<img src=../a.png>'), 'sub/dir/b.html')).toEqual(['sub/a.png']);
  const files = ['pic.png', 'a.js', 'lib/main.js', 'lib/big one.js', 'css/a.css', 'index.html', 'b.html'];
  const { files: ordered, launchCount } = launchOrder(
    files.map((path) => file(path)),
    [],
    linked,
  );
  expect(launchCount).toBe(0);
  expect(paths(ordered)).toEqual([
    'index.html',
    'css/a.css',
    'lib/big one.js',
    'pic.png',
    'lib/main.js',
    'b.html',
    'a.js',
  ]);
});

test('a trace comes first in its order, ranged files after whole ones, unknown paths left out', () => {
  const files = ['index.html', 'late.png', 'app.js', 'data.pck', 'z.json'].map((path) => file(path));
  const read = (path: string) => ({ path, blob: 0, block: 0, atMs: 0, waitedMs: 0 });
  const traces = [
    { reads: ['data.pck', 'z.json', '/late.png', 'gone.js', 'z.json', ''].map(read) },
    { reads: ['app.js', '../etc/passwd', 'late.png'].map(read) },
  ];
  const { files: ordered, launchCount } = launchOrder(files, traces);
  expect(paths(ordered)).toEqual(['z.json', 'late.png', 'app.js', 'data.pck', 'index.html']);
  expect(launchCount).toBe(4);
});

test('every file is planned once; shared blocks hold one kind and no more than fits', () => {
  const files = Array.from({ length: 500 }, (_, i) =>
    file(`f${i}.${i % 3 === 0 ? 'png' : 'js'}`, (i * 7919) % 70_000),
  );
  const { units, launchUnits } = plan(files, 100);
  const planned = units.flatMap((unit) => (unit.kind === 'file' ? [unit.file] : unit.files));
  expect(paths(planned).sort()).toEqual(paths(files).sort());
  for (const [i, unit] of units.entries()) {
    const inFront = unit.kind === 'file' ? [unit.file] : unit.files;
    for (const one of inFront) expect(files.indexOf(one) < 100).toBe(i < launchUnits);
    if (unit.kind === 'file') {
      expect(unit.file.size).toBeGreaterThanOrEqual(65_536);
      continue;
    }
    expect(unit.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(2 ** unit.shift);
    expect(new Set(unit.files.map(({ path }) => path.endsWith('.png')))).toEqual(new Set([unit.compressed]));
  }
});

test('a small file never comes later than its turn among the units', () => {
  const files = [
    file('a.js'),
    file('big.wasm', 900_000),
    file('b.js'),
    file('c.png'),
    file('huge.js', 900_001),
    file('d.png'),
  ];
  const units = plan(files, 0).units.map((unit) =>
    unit.kind === 'file' ? unit.file.path : paths(unit.files).join('+'),
  );
  expect(units).toEqual(['a.js+b.js', 'big.wasm', 'c.png+d.png', 'huge.js']);
});

test('whole-read files have large blocks, range-read ones small; files of one size are cut alike', () => {
  const files = [
    file('a.js', 100_000),
    file('b.mp4', 200_000),
    file('c.sqlite', 300_000),
    file('same.data', 100_000),
  ];
  const shifts = plan(files, 0).units.map(({ shift }) => shift);
  expect(shifts).toEqual([18, 16, 16, 18]);
});
