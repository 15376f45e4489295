import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '../../src/format/crc32.ts';
import { formatRelease } from '../../src/format/release.ts';
import { Image } from '../../src/image/image.ts';
import {
  type BuildReport,
  build,
  extract,
  fsck,
  inspect,
  type PackProgress,
  type TraceRead,
} from '../../src/pack/index.ts';
import { noise, seededRandom } from '../support/random.ts';
import { contents, expect, makeTree, prose, type TreeSpec, test } from './fixture.ts';

async function imageOf(site: string, { image }: BuildReport): Promise<Image> {
  return Image.open(new Uint8Array(readFileSync(join(site, `${image}.bin`))), { sha256: image });
}

/** Blocks that hold the bytes `[start, end)` of the file and are not in the launch set. */
function outside(image: Image, { path, start = 0, end = Number.POSITIVE_INFINITY }: TraceRead): string[] {
  const { blob: lastBlob, block: lastBlock } = image.launchSet ?? { blob: 0, block: 0 };
  return [...image.mapRange(image.lookup(path)!, start, end)]
    .filter(({ blob, block }) => blob > lastBlob || (blob === lastBlob && block >= lastBlock))
    .map(({ blob, block }) => `${path}: ${blob}/${block}`);
}

/** Where the bytes of a file lie, in the order of the file. */
const placesOf = (image: Image, path: string): string[] =>
  [...image.mapRange(image.lookup(path)!, 0, Number.POSITIVE_INFINITY)].map(
    ({ blob, block }) => `${blob}/${block}`,
  );

test('of a large file the blocks that a launch read lie in front in its order, the others behind the launch', async ({
  dir,
  runtimeDir,
}) => {
  const spec: TreeSpec = {
    'index.html': '<h1>x</h1>',
    'disk.img': noise(1, 6 * 65_536),
    'big.js': prose(2, 3_000_000),
    'rest.js': prose(3, 400_000),
  };
  const app = makeTree(join(dir, 'app'), spec);
  const at = (block: number): TraceRead => ({
    path: 'disk.img',
    block: 7,
    start: block * 65_536,
    end: (block + 1) * 65_536,
    size: 6 * 65_536,
  });
  const reads = [{ path: 'index.html' }, at(4), { path: 'big.js' }, at(1), at(2)];
  const out = join(dir, 'site');
  const report = await build(app, { out, runtimeDir, level: 1, traces: [{ reads }] });
  const image = await imageOf(out, report);
  const bigBlocks = placesOf(image, 'big.js').length;
  expect(placesOf(image, 'index.html')).toEqual(['0/0']);
  expect(placesOf(image, 'big.js')).toEqual(Array.from({ length: bigBlocks }, (_, i) => `0/${2 + i}`));
  const behind = 2 + bigBlocks;
  // The rest of it begins a blob, with what no launch read.
  expect(placesOf(image, 'rest.js')).toEqual(['1/0', '1/1']);
  expect(placesOf(image, 'disk.img')).toEqual(['1/2', `0/${behind}`, `0/${behind + 1}`, '1/3', '0/1', '1/4']);
  expect(image.launchSet).toMatchObject({ blob: 1, block: 0 });
  // Read whole: larger blocks than those of the file that nobody read.
  expect(bigBlocks).toBeLessThan(Math.ceil(3_000_000 / 2 ** 18));

  expect(report).toMatchObject({
    launchFiles: 3,
    launchBlocks: behind + 2,
    launchBytes: image.launchSet!.bytes,
  });
  const { launchSet } = await inspect(out);
  expect(launchSet).toEqual({ files: 3, blocks: report.launchBlocks, bytes: report.launchBytes });
  expect((await fsck(out)).problems).toEqual([]);
  await extract(out, { out: join(dir, 'again') });
  expect(contents(join(dir, 'again'))).toEqual(contents(app));
});

test('what a launch reads is compressed harder than the rest, unless a level is given', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), { 'a.js': prose(1, 300_000), 'b.js': prose(2, 300_000) });
  const traces = [{ reads: [{ path: 'a.js' }] }];
  const { launchBytes, storedBytes } = await build(app, { out: join(dir, 'site'), runtimeDir, traces });
  const nine = await build(app, { out: join(dir, 'nine'), runtimeDir, traces, level: 9 });
  const nineteen = await build(app, { out: join(dir, 'nineteen'), runtimeDir, traces, level: 19 });
  expect(launchBytes).toBe(nineteen.launchBytes);
  expect(storedBytes - launchBytes).toBe(nine.storedBytes - nine.launchBytes);
  expect(nineteen.launchBytes).toBeLessThan(nine.launchBytes);
  expect(nineteen.storedBytes - nineteen.launchBytes).toBeLessThan(nine.storedBytes - nine.launchBytes);
});

test('a file that changes between the pass over its front and the one over the file is an error', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), { 'a.bin': noise(1, 300_000), 'b.bin': noise(2, 300_001) });
  const reads = [{ path: 'a.bin', start: 0, end: 1, size: 300_000 }];
  let packed = 0;
  const building = build(app, {
    out: join(dir, 'site'),
    runtimeDir,
    threads: 0,
    traces: [{ reads }],
    onProgress: ({ phase }) => {
      if (phase !== 'pack' || packed++ > 0) return;
      makeTree(app, { 'a.bin': noise(3, 300_000) });
    },
  });
  await expect(building).rejects.toMatchObject({ code: 'changed', path: 'a.bin' });
});

test('fsck compares the launch set with the tables', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'a.js': prose(1, 100_000), 'b.js': prose(2, 100_000) });
  const out = join(dir, 'site');
  const { image, bytes } = await build(app, { out, runtimeDir, traces: [{ reads: [{ path: 'a.js' }] }] });
  // Published anew with another number, everything else made right again.
  const bootstrap = new Uint8Array(readFileSync(join(out, `${image}.bin`)));
  const view = new DataView(bootstrap.buffer);
  view.setUint32(112, 17, true);
  view.setUint32(124, crc32(bootstrap.subarray(0, 124)), true);
  const changed = createHash('sha256').update(bootstrap).digest('hex');
  makeTree(out, { [`${changed}.bin`]: bootstrap, 'sluice.json': formatRelease({ image: changed, bytes }) });
  const { problems } = await fsck(out);
  expect(problems.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/launch set of 17 bytes; its blocks have \d+/),
  );
});

test('random trees and traces: every range that a launch read is in the launch set, every file comes back', async ({
  dir,
  runtimeDir,
}) => {
  const random = seededRandom(4);
  const below = (n: number): number => Math.floor(random() * n);
  const shares: number[] = [];
  for (let round = 0; round < 25; round++) {
    const names = ['js', 'bin', 'png', 'wasm', 'zip', 'css'];
    const spec: Record<string, Uint8Array | string> = {};
    for (let i = 0; i < 12; i++) {
      const size = [below(200), below(70_000), 65_536 * below(6), below(1_500_000)][below(4)]!;
      const path = `${'d/'.repeat(below(3))}f${i}.${names[below(names.length)]}`;
      // Some are equal, in whole or in blocks.
      spec[path] =
        below(3) === 0 ? noise(below(3), size) : below(4) === 0 ? new Uint8Array(size) : prose(i, size);
    }
    const app = makeTree(join(dir, `app-${round}`), spec);
    const files = Object.entries(spec).map(([path, { length: size }]) => ({ path, size }));
    const readOf = (): TraceRead => {
      const { path, size } = files[below(files.length)]!;
      const start = below(size);
      if (below(3) === 0 || size === 0) return { path: below(9) === 0 ? 'gone.js' : path };
      return { path, start, end: start + 1 + below(size - start), size };
    };
    const traces = Array.from({ length: 1 + below(3) }, () => ({
      reads: Array.from({ length: below(12) }, readOf),
    }));
    const out = join(dir, `site-${round}`);
    const options = { out, runtimeDir, level: 1, blobSize: 2 ** (19 + below(3)), traces } as const;
    const progress: PackProgress[] = [];
    const report = await build(app, { ...options, onProgress: (now) => progress.push(now) });
    const { files: done, totalFiles, bytes, totalBytes } = progress.at(-1)!;
    expect([done, bytes]).toEqual([totalFiles, totalBytes]);
    const image = await imageOf(out, report);
    const reads = traces.flatMap(({ reads }) => reads).filter(({ path }) => path in spec);
    // One without a range means the whole file only where no other says more.
    const ranged = new Set(reads.filter(({ end }) => end !== undefined).map(({ path }) => path));
    const meant = reads.filter(({ path, end }) => end !== undefined || !ranged.has(path));
    expect(
      meant.flatMap((read) => outside(image, read)),
      `round ${round}`,
    ).toEqual([]);
    expect(report.launchFiles).toBe(new Set(meant.map(({ path }) => path)).size);
    expect((await fsck(out)).problems).toEqual([]);
    await extract(out, { out: join(dir, `again-${round}`) });
    expect(contents(join(dir, `again-${round}`))).toEqual(contents(app));
    const again = await build(app, { ...options, out: join(dir, `twice-${round}`) });
    expect(again.image).toBe(report.image);
    shares.push(report.launchBytes / report.storedBytes);
  }
  // Not everything is in front, or nothing.
  expect(shares.filter((share) => share > 0.1 && share < 0.9).length).toBeGreaterThan(10);
});
