import { expect, test } from '@playwright/test';
import { launchOrder } from '../../src/pack/launch-order.ts';
import { launchReads } from '../../src/pack/launch-reads.ts';
import { pageLinks } from '../../src/pack/page-links.ts';
import { type PackUnit, plan } from '../../src/pack/plan.ts';
import type { TreeFile } from '../../src/pack/tree.ts';

function file(path: string, size = 10): TreeFile {
  return { kind: 'file', name: path.split('/').at(-1)!, path, source: `/${path}`, size };
}

const paths = (files: readonly TreeFile[]): string[] => files.map(({ path }) => path);

const filesOf = (unit: PackUnit): readonly TreeFile[] => (unit.kind === 'shared' ? unit.files : [unit.file]);
const told = (unit: PackUnit): string =>
  paths(filesOf(unit)).join('+') + (unit.kind === 'part' ? `[${unit.blocks}]` : '');
const blobSize = 2 ** 23;
const noReads = launchReads([], []);

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
  const ordered = launchOrder(files);
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
  const ordered = launchOrder(
    files.map((path) => file(path)),
    linked,
  );
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

test('what launches read comes first in the order of first read, unknown paths left out', () => {
  const files = ['index.html', 'late.png', 'app.js', 'data.pck', 'z.json'].map((path) => file(path, 70_000));
  const reads = launchReads(files, [
    { reads: ['data.pck', 'z.json', '/late.png', 'gone.js', 'z.json', ''].map((path) => ({ path })) },
    { reads: ['app.js', '../etc/passwd', 'late.png'].map((path) => ({ path })) },
  ]);
  const { units, launchUnits, launchFiles } = plan(launchOrder(files), reads, blobSize);
  expect(units.map(told)).toEqual(['data.pck', 'z.json', 'app.js', 'late.png', 'index.html']);
  expect([launchUnits, launchFiles]).toEqual([4, 4]);
});

test('of a large file read by ranges the blocks that were read are in front, the file itself comes in its turn', () => {
  const files = [file('index.html'), file('disk.img', 1_000_000), file('a.js', 100_000)];
  const at = (start: number, end: number) => ({ path: 'disk.img', start, end, size: 1_000_000 });
  const trace = {
    reads: [at(700_000, 700_001), { path: 'index.html' }, at(0, 65_537), at(131_072, 131_073)],
  };
  const { units, launchUnits } = plan(launchOrder(files), launchReads(files, [trace]), blobSize);
  expect(units.map(told)).toEqual(['disk.img[10]', 'index.html', 'disk.img[0,1,2]', 'a.js', 'disk.img']);
  expect(launchUnits).toBe(3);
});

test('every file is planned once; shared blocks hold one kind and no more than fits', () => {
  const files = Array.from({ length: 500 }, (_, i) =>
    file(`f${i}.${i % 3 === 0 ? 'png' : 'js'}`, (i * 7919) % 70_000),
  );
  const launch = new Set(files.slice(0, 100));
  const trace = { reads: Array.from(launch, ({ path }) => ({ path })) };
  const { units, launchUnits } = plan(files, launchReads(files, [trace]), blobSize);
  expect(paths(units.flatMap(filesOf)).sort()).toEqual(paths(files).sort());
  for (const [i, unit] of units.entries()) {
    expect(filesOf(unit).filter((one) => launch.has(one) !== i < launchUnits)).toEqual([]);
    if (unit.kind !== 'shared') {
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
  expect(plan(files, noReads, blobSize).units.map(told)).toEqual([
    'a.js+b.js',
    'big.wasm',
    'c.png+d.png',
    'huge.js',
  ]);
});

test('whole-read files have large blocks, range-read ones small; files of one size are cut alike', () => {
  const files = [
    file('a.js', 100_000),
    file('b.mp4', 200_000),
    file('c.sqlite', 300_000),
    file('same.data', 100_000),
  ];
  const shifts = plan(files, noReads, blobSize).units.map(({ shift }) => shift);
  expect(shifts).toEqual([18, 16, 16, 18]);
});

test('blocks are as large as launches read the file, whatever it is called', () => {
  const files = [
    file('model.onnx', 500_000),
    file('vendor.js', 600_000),
    file('rare.js', 600_001),
    file('same.js', 500_000),
    file('lib.zip', 700_000),
  ];
  const trace = {
    reads: [
      { path: 'lib.zip' },
      { path: 'model.onnx', start: 0, end: 499_000, size: 500_000 },
      { path: 'vendor.js', start: 0, end: 9, size: 600_000 },
    ],
  };
  const shifts = plan(files, launchReads(files, [trace]), blobSize).units.map((unit) => [
    told(unit),
    unit.shift,
  ]);
  expect(shifts).toEqual([
    // It does not shrink in large blocks either.
    ['lib.zip', 18],
    ['model.onnx', 20],
    ['vendor.js[0]', 16],
    ['vendor.js', 16],
    ['rare.js', 18],
    ['same.js', 20],
  ]);
});

test('no block is larger than a blob', () => {
  const files = [file('a.js', 3_000_000)];
  const reads = launchReads(files, [{ reads: [{ path: 'a.js' }] }]);
  const shifts = [2 ** 23, 2 ** 20 + 56, 2 ** 20 + 55, 2 ** 19].map(
    (size) => plan(files, reads, size).units[0]!.shift,
  );
  expect(shifts).toEqual([20, 20, 19, 18]);
});

test('small files of a launch share larger and larger blocks, which end where a large file comes in between', () => {
  const files = [
    ...Array.from({ length: 60 }, (_, i) => file(`a${i}.js`, 50_000)),
    file('big.js', 5_000_000),
    file('b.js', 50_000),
    file('big.wasm', 5_000_001),
    file('c.js', 50_000),
    file('d.js', 50_000),
  ];
  const shared = (traced: readonly TreeFile[], size = blobSize) =>
    plan(files, launchReads(files, [{ reads: traced.map(({ path }) => ({ path })) }]), size).units.flatMap(
      (unit) => (unit.kind === 'shared' ? [[unit.shift, unit.files.length]] : []),
    );
  // 20 of 50 kB in a block of 1 MiB; b, c and d in one, since so little need not end where a large file comes.
  expect(shared(files)).toEqual([
    [17, 2],
    [18, 5],
    [19, 10],
    [20, 20],
    [20, 20],
    [20, 3],
    [20, 3],
  ]);
  expect(shared(files, 2 ** 19).map(([shift]) => shift)).toEqual([
    17,
    18,
    ...Array.from({ length: 12 }, () => 18),
  ]);
  // Without a launch all are alike.
  expect(new Set(shared([]).map(([shift]) => shift))).toEqual(new Set([17]));
});
