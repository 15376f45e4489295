import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, extract, fsck } from '../../src/pack/index.ts';
import { noise } from '../support/random.ts';
import { contents, expect, makeTree, prose, test } from './fixture.ts';

const names: Record<string, string> = {
  'composed \u00e9.txt': 'é as one',
  'composed e\u0301.txt': 'é as two',
  '\u65e5\u672c\u8a9e/\u{1f30d}.txt': 'globe',
  '\ufeffbom first.txt': 'a name that begins with a byte order mark',
  'with space.txt': ' ',
  '100%.txt': '%',
  '%41.txt': 'a name that looks escaped',
  'a#b.txt': '#',
  'a?b.txt': '?',
  'a+b&c=d;e.txt': '+',
  'quote"\'<>|*:.txt': 'punctuation',
  'line\nbreak.txt': 'a newline in a name',
  '.hidden': 'dotfile',
  '.well-known/app.json': '{}',
  '...': 'three dots',
  ' ': 'a space for a name',
  [`${'n'.repeat(251)}.txt`]: '255 bytes',
  [`${'é'.repeat(127)}x`]: '255 bytes, 128 characters',
  [`${Array.from({ length: 150 }, (_, i) => `level-${i}`).join('/')}/deep.txt`]: 'deep',
  'no extension': 'x',
  'UPPER.HTML': '<title>Upper</title>',
  'sw.js': '// of the app',
};

const sizes: Record<string, Uint8Array | string> = {
  'size/empty.bin': '',
  'size/also-empty.txt': '',
  'size/one.bin': 'x',
  ...Object.fromEntries(
    [65_535, 65_536, 65_537, 131_072, 262_143, 262_144, 262_145, 1_000_003].flatMap((size) => [
      [`size/text-${size}.js`, prose(size, size)],
      [`size/noise-${size}.bin`, noise(size, size)],
    ]),
  ),
};

for (const codec of ['zstd', 'lz4', 'none'] as const) {
  test(`every name and size comes back, ${codec}`, async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), {
      'index.html': '<!doctype html><title>An app</title>',
      ...names,
      ...sizes,
      'empty/': '',
      'empty/inside/': '',
    });
    const site = join(dir, 'site');
    const report = await build(app, { out: site, runtimeDir, codec, level: 3, blobSize: 2 ** 20 });
    expect(report.files).toBe(1 + Object.keys(names).length + Object.keys(sizes).length);
    expect(report.blobs).toBeGreaterThanOrEqual(3);
    const check = await fsck(site);
    expect(check.problems).toEqual([]);
    expect(check).toMatchObject({
      files: report.files,
      blobs: report.blobs,
      blocks: report.blocks,
      unreferenced: [],
    });
    const again = join(dir, 'again');
    await extract(site, { out: again });
    expect(contents(again)).toEqual(contents(app));
  });
}

test('an empty directory is an app without files', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), {});
  const site = join(dir, 'site');
  expect(await build(app, { out: site, runtimeDir })).toMatchObject({ files: 0, blobs: 0, storedBytes: 0 });
  expect((await fsck(site)).problems).toEqual([]);
  await extract(site, { out: join(dir, 'again') });
  expect(contents(join(dir, 'again')).size).toBe(0);
});

test('links to files and directories inside of the tree are followed', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'real/data.txt': 'data', 'real/deeper/x.txt': 'x' });
  symlinkSync('real/data.txt', join(app, 'file-link.txt'));
  symlinkSync('real', join(app, 'linked'));
  mkdirSync(join(app, 'other'));
  symlinkSync(join(app, 'real/deeper'), join(app, 'other/absolute'));
  symlinkSync('../file-link.txt', join(app, 'other/link-to-link.txt'));
  const site = join(dir, 'site');
  const report = await build(app, { out: site, runtimeDir });
  expect(report).toMatchObject({ files: 7, directories: 6, blocks: 1, duplicateFiles: 5 });
  await extract(site, { out: join(dir, 'again') });
  expect(contents(join(dir, 'again'))).toEqual(contents(app));
  expect(contents(join(dir, 'again')).has('other/absolute/x.txt')).toBe(true);
});

test('thirty thousand small files', async ({ dir, runtimeDir }) => {
  const app = join(dir, 'app');
  for (let i = 0; i < 300; i++) {
    const folder = join(app, `d${i % 20}/e${i}`);
    mkdirSync(folder, { recursive: true });
    for (let j = 0; j < 100; j++)
      writeFileSync(join(folder, `f${j}.txt`), `file ${i} ${j}\n`.repeat(1 + ((i * j) % 40)));
  }
  const site = join(dir, 'site');
  const report = await build(app, { out: site, runtimeDir, level: 3 });
  expect(report).toMatchObject({ files: 30_000, directories: 320 });
  // What must arrive before the first byte: metadata of 30,000 files.
  expect(report.bytes).toBeLessThan(1_000_000);
  expect((await fsck(site)).problems).toEqual([]);
  await extract(site, { out: join(dir, 'again') });
  expect(contents(join(dir, 'again'))).toEqual(contents(app));
});

test('a sparse file of 300 MB is one block, and comes back', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'disk.img': '' });
  truncateSync(join(app, 'disk.img'), 300_000_000);
  const site = join(dir, 'site');
  const report = await build(app, { out: site, runtimeDir });
  // The last block is shorter.
  expect(report).toMatchObject({ blocks: 2, blobs: 1, logicalBytes: 300_000_000 });
  expect((await fsck(site)).problems).toEqual([]);
});
