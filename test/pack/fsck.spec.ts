import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type FsckReport, fsck, publishedMap } from '../../src/pack/index.ts';
import { defaultDirectory, readRuntimeFiles } from '../../src/pack/runtime-files.ts';
import { noise } from '../support/random.ts';
import { expect, makeTree, prose, test } from './fixture.ts';

/** One file in a block of its own, the others in shared blocks. */
const tree = {
  'index.html': '<!doctype html><title>x</title>',
  'one.txt': prose(1, 800),
  'two.txt': prose(2, 900),
  'photo.jpg': noise(3, 1500),
  'big.bin': noise(4, 150_000),
};

interface Site {
  readonly site: string;
  readonly bootstrap: string;
  readonly blobs: readonly string[];
}

async function makeSite(
  dir: string,
  runtimeDir: string,
  spec: Record<string, string | Uint8Array>,
  blobSize = 2 ** 19,
): Promise<Site> {
  const site = join(dir, 'site');
  const { image } = await build(makeTree(join(dir, 'app'), spec), { out: site, runtimeDir, blobSize });
  const bootstrap = `${image}.bin`;
  const blobs = readdirSync(site).filter((name) => name.endsWith('.bin') && name !== bootstrap);
  return { site, bootstrap, blobs };
}

const damagedPaths = (report: FsckReport): string[] =>
  [...new Set(report.problems.flatMap(({ paths }) => paths))].sort();

test('every flipped byte of bootstrap and blob is found', async ({ dir, runtimeDir }) => {
  const { site, bootstrap, blobs } = await makeSite(dir, runtimeDir, {
    'index.html': '<!doctype html>',
    'a.txt': prose(1, 400),
    'b.png': noise(2, 60),
  });
  expect((await fsck(site)).problems).toEqual([]);
  for (const name of [bootstrap, ...blobs]) {
    const path = join(site, name);
    const good = readFileSync(path);
    const missed: number[] = [];
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good);
      bad[i]! ^= 1 << (i % 8);
      writeFileSync(path, bad);
      const { problems } = await fsck(site);
      if (!problems.some(({ file }) => file === name)) missed.push(i);
    }
    writeFileSync(path, good);
    expect(missed, name).toEqual([]);
    expect(good.length).toBeGreaterThan(100);
  }
  expect((await fsck(site)).problems).toEqual([]);
});

test('a flipped byte names the paths of its block, and no others', async ({ dir, runtimeDir }) => {
  const { site, blobs } = await makeSite(dir, runtimeDir, tree);
  expect(blobs).toHaveLength(1);
  const path = join(site, blobs[0]!);
  const good = readFileSync(path);
  const seen = new Set<string>();
  for (let at = 300; at < good.length; at += 499) {
    const bad = Buffer.from(good);
    bad[at]! ^= 0x10;
    writeFileSync(path, bad);
    const report = await fsck(site);
    expect(report.problems).toHaveLength(1);
    seen.add(damagedPaths(report).join(' '));
  }
  expect([...seen].sort()).toEqual(['big.bin', 'index.html one.txt two.txt', 'photo.jpg']);
});

test('a bad block names every file that shares it: stored once for several, or beside others in it', async ({
  dir,
  runtimeDir,
}) => {
  const shared = noise(1, 200_000);
  const { site, blobs } = await makeSite(dir, runtimeDir, {
    ...tree,
    'twice/big.bin': tree['big.bin'],
    'twice/one.txt': tree['one.txt'],
    'level-1.bin': shared,
    'level-2.bin': new Uint8Array([...shared.subarray(0, 131_072), ...noise(2, 50_000)]),
  });
  expect(blobs).toHaveLength(1);
  const path = join(site, blobs[0]!);
  const good = readFileSync(path);
  const owners = new Map<number, string>();
  for await (const { file, block, start, owners: rowOwners } of (await publishedMap(site)).rows) {
    if (file === blobs[0] && block !== undefined)
      owners.set(start, [...new Set(rowOwners.map((owner) => owner.path))].sort().join(' '));
  }
  const found: string[] = [];
  for (const start of owners.keys()) {
    const bad = Buffer.from(good);
    bad[start]! ^= 0x10;
    writeFileSync(path, bad);
    found.push(damagedPaths(await fsck(site)).join(' '));
  }
  expect(found).toEqual([...owners.values()]);
  expect(found).toContain('index.html one.txt twice/one.txt two.txt');
  expect(found).toContain('big.bin twice/big.bin');
  expect(found).toContain('level-1.bin level-2.bin');
  expect(found).toContain('level-2.bin');
});

test('a blob that is missing, cut, longer, renamed or swapped', async ({ dir, runtimeDir }) => {
  const files = { 'index.html': 'x', 'a.bin': noise(1, 500_000), 'b.bin': noise(2, 500_000), 'c.txt': 'c' };
  const { site, blobs } = await makeSite(dir, runtimeDir, files);
  expect(blobs).toHaveLength(2);
  const [first, second] = blobs as [string, string];
  const damage = async (change: (site: string) => void): Promise<FsckReport> => {
    const copy = join(dir, 'copy');
    cpSync(site, copy, { recursive: true });
    change(copy);
    const report = await fsck(copy);
    rmSync(copy, { recursive: true });
    return report;
  };

  const missing = await damage((copy) => rmSync(join(copy, first)));
  expect(missing.problems).toEqual([
    { file: first, message: 'the blob is missing', paths: expect.anything() },
  ]);
  const inFirst = damagedPaths(missing);
  expect(inFirst.length).toBeGreaterThan(0);

  const cut = await damage((copy) => truncateSync(join(copy, first), 300_000));
  expect(cut.problems[0]).toMatchObject({ file: first, message: expect.stringContaining('truncated') });
  expect(damagedPaths(cut).length).toBeGreaterThan(0);
  for (const path of damagedPaths(cut)) expect(inFirst).toContain(path);

  const cutToNothing = await damage((copy) => truncateSync(join(copy, first), 0));
  expect(damagedPaths(cutToNothing)).toEqual(inFirst);

  const longer = await damage((copy) => writeFileSync(join(copy, first), 'x', { flag: 'a' }));
  expect(longer.problems).toEqual([{ file: first, message: expect.stringContaining('longer'), paths: [] }]);

  const wrongName = `${'0'.repeat(64)}.bin`;
  const renamed = await damage((copy) => renameSync(join(copy, first), join(copy, wrongName)));
  expect(renamed.problems.map(({ file }) => file)).toEqual([first, wrongName]);
  expect(renamed.problems[1]!.message).toContain(first);
  expect(renamed.unreferenced).toEqual([wrongName]);

  const swapped = await damage((copy) => cpSync(join(copy, second), join(copy, first)));
  expect(swapped.problems[0]).toMatchObject({ file: first });
  expect(damagedPaths(swapped)).toEqual(inFirst);

  const older = await damage((copy) =>
    cpSync(join(dir, 'runtime/sw.js'), join(copy, `${'1'.repeat(64)}.bin`)),
  );
  expect(older.problems).toHaveLength(1);
});

test('a blob of another version is a note, not a problem', async ({ dir, runtimeDir }) => {
  const { site } = await makeSite(dir, runtimeDir, tree);
  const app = makeTree(join(dir, 'app-2'), { 'index.html': 'another' });
  await build(app, { out: join(dir, 'site-2'), runtimeDir });
  const others = readdirSync(join(dir, 'site-2')).filter((name) => name.endsWith('.bin'));
  for (const name of others) cpSync(join(dir, 'site-2', name), join(site, name));
  const report = await fsck(site);
  expect(report.problems).toEqual([]);
  expect([...report.unreferenced].sort()).toEqual(others.sort());
});

test('a bootstrap that is missing, cut or longer', async ({ dir, runtimeDir }) => {
  const { site, bootstrap } = await makeSite(dir, runtimeDir, tree);
  const path = join(site, bootstrap);
  const good = readFileSync(path);
  for (const bad of [
    good.subarray(0, -1),
    good.subarray(0, 50),
    Buffer.alloc(0),
    Buffer.concat([good, Buffer.of(0)]),
  ]) {
    writeFileSync(path, bad);
    expect((await fsck(site)).problems).toMatchObject([{ file: bootstrap }]);
  }
  rmSync(path);
  expect((await fsck(site)).problems).toMatchObject([
    { file: bootstrap, message: expect.stringContaining('ENOENT') },
  ]);
});

test('pages and runtime files that are missing or of another build', async ({ dir, runtimeDir }) => {
  const { site } = await makeSite(dir, runtimeDir, { ...tree, 'docs/page.html': '<title>p</title>' });
  const page = join(site, 'docs/page.html');
  const good = readFileSync(page, 'utf8');
  writeFileSync(page, good.replace(/[0-9a-f]{64}/, '0'.repeat(64)));
  rmSync(join(site, 'sw.js'));
  rmSync(join(site, 'index.html'));
  rmSync(join(site, '__sluice/zstd.wasm'));
  const { problems } = await fsck(site);
  const wrong = ['__sluice/zstd.wasm', 'docs/page.html', 'index.html', 'sw.js'];
  expect(problems.map(({ file }) => file).sort()).toEqual(wrong);
});

test('the page for unknown paths that a single-page app has', async ({ dir, runtimeDir }) => {
  const site = join(dir, 'site');
  const app = makeTree(join(dir, 'app'), tree);
  await build(app, { out: site, runtimeDir, fallback: 'index.html' });
  expect((await fsck(site)).problems).toEqual([]);
  rmSync(join(site, '404.html'));
  const { problems } = await fsck(site);
  expect(problems).toMatchObject([{ file: '404.html', message: 'the boot page is missing' }]);
});

test('the files below __sluice/, the inspector’s too, are those that sw.js was built with', async ({
  dir,
  runtimeDir,
}) => {
  const { site } = await makeSite(dir, runtimeDir, tree);
  const names = ['client.js', 'icon.svg', 'index.html', 'inspector.js', 'loader.js', 'zstd.wasm'];
  for (const name of names) {
    const path = join(site, '__sluice', name);
    const good = readFileSync(path);
    for (const [damage, words] of [
      [() => rmSync(path), /missing/],
      [() => truncateSync(path, good.length - 1), /not the one that sw\.js was built with/],
      [() => writeFileSync(path, Buffer.concat([good, good])), /not the one that sw\.js was built with/],
    ] as const) {
      damage();
      const { problems } = await fsck(site);
      expect(problems, name).toEqual([
        { file: `__sluice/${name}`, message: expect.stringMatching(words), paths: [] },
      ]);
      // What it leads to, and what is to be done.
      const isOfInspector = ['index.html', 'inspector.js'].includes(name);
      expect(problems[0]!.message).toMatch(isOfInspector ? /the inspector/ : /the app/);
      expect(problems[0]!.message).toMatch(/publish all files of one build$/);
      writeFileSync(path, good);
    }
  }
  expect((await fsck(site)).problems).toEqual([]);

  // One that was cut off names none of them.
  truncateSync(join(site, 'sw.js'), 20);
  const { problems } = await fsck(site);
  expect(problems).toEqual([
    {
      file: 'sw.js',
      message: expect.stringMatching(/names no digest.*publish all files of one build$/),
      paths: [],
    },
  ]);
});

test('the built service worker names the digests of the files beside it as they are read', async ({
  dir,
}) => {
  const { files } = readRuntimeFiles();
  const { site } = await makeSite(dir, defaultDirectory(), tree);
  expect((await fsck(site)).problems).toEqual([]);
  const beside = files.map(({ path }) => path).filter((path) => path.startsWith('__sluice/'));
  for (const path of beside) writeFileSync(join(site, path), '');
  expect((await fsck(site)).problems.map(({ file }) => file).sort()).toEqual(beside);
});

test('what is no site at all is an error, not a finding', async ({ dir, runtimeDir }) => {
  await expect(fsck(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(fsck(runtimeDir)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(fsck(join(runtimeDir, 'sw.js'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  for (const [text, code] of [
    ['<html>', 'not-an-image'],
    ['{"sluice":2}', 'unsupported-image'],
    ['{"sluice":1}', 'corrupt-image'],
  ] as const) {
    const site = makeTree(join(dir, `site-${code}`), { 'sluice.json': text });
    await expect(fsck(site)).rejects.toMatchObject({ code, message: expect.stringContaining('sluice.json') });
  }
});
