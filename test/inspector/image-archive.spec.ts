import { expect, test } from '@playwright/test';
import { unzipSync, zipSync } from 'fflate';
import { Image } from '../../src/image/image.ts';
import { checkImage } from '../../src/inspector/model/image-check.ts';
import { importImage } from '../../src/inspector/model/import-image.ts';
import { savedImage } from '../../src/inspector/model/save-image.ts';
import { ZipArchive } from '../../src/inspector/model/zip-archive.ts';
import { zipped } from '../../src/inspector/model/zip-writer.ts';
import type { ProvidedBlock } from '../../src/protocol/loader-api.ts';
import { type Fixture, makeSite } from '../loader/site-fixture.ts';
import { noise } from '../support/random.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const site = await makeSite(
  [
    { name: 'large.bin', size: 3_000_001, shift: 16 },
    { name: 'small.bin', size: 70_000, shift: 12 },
  ],
  1_400_000,
);
const image = await Image.open(site.bootstrap, { sha256: site.image });
const { signal } = new AbortController();
const quiet = (): void => {};

/** The blobs as a loader has them. */
function store(
  { blobs, bootstrap }: Fixture,
  change: (blob: number, bytes: Bytes) => Bytes = (_, bytes) => bytes,
) {
  const tableOf = (blob: number): Bytes => blobs[blob]!.bytes.slice(0, blobs[blob]!.record.tableLength);
  return {
    readBootstrap: async () => bootstrap,
    blockTable: async (blob: number): Promise<Bytes | undefined> => change(blob, tableOf(blob)),
    readBlocks: async ({ blob, first, count }: { blob: number; first: number; count: number }) => {
      const view = new DataView(tableOf(blob).buffer);
      const end = (block: number): number =>
        block < 0 ? tableOf(blob).length : view.getUint32(16 + block * 40, true);
      return Array.from({ length: count }, (_, i) =>
        change(blob, blobs[blob]!.bytes.slice(end(first + i - 1), end(first + i))),
      );
    },
  };
}

async function joined(pieces: AsyncIterable<Bytes>): Promise<Bytes> {
  const all: Bytes[] = [];
  for await (const piece of pieces) all.push(piece);
  return new Uint8Array(Buffer.concat(all));
}

function save(): Promise<Bytes> {
  return joined(savedImage(image, store(site), quiet, signal));
}

/** Of all batches that were given, in bytes. */
let largest = 0;

function imported(file: Bytes, given: ProvidedBlock[], here: (blob: number) => boolean = () => false) {
  const target = {
    image,
    isHere: here,
    provideBlocks: async (blocks: readonly ProvidedBlock[]) => {
      largest = Math.max(
        largest,
        blocks.reduce((sum, { bytes }) => sum + bytes.length, 0),
      );
      given.push(...blocks);
    },
  };
  return importImage(new Blob([file]), target, quiet, signal);
}

test('an image that is saved is a zip archive of the published files, and the same each time', async () => {
  const file = await save();
  const files = unzipSync(file);
  const names = [
    'sluice.json',
    `${site.image}.bin`,
    ...site.blobs.map(({ record }) => `${record.sha256}.bin`),
  ];
  expect(Object.keys(files)).toEqual(names);
  for (const { record, bytes } of site.blobs)
    expect(Buffer.compare(files[`${record.sha256}.bin`]!, bytes)).toBe(0);
  expect(Buffer.compare(await save(), file)).toBe(0);
});

test('what is saved and imported is every block, byte for byte, in bounded batches', async () => {
  const given: ProvidedBlock[] = [];
  const report = await imported(await save(), given);
  const total = site.blobs.reduce((sum, { record }) => sum + record.blockCount, 0);
  expect(report).toMatchObject({ blobs: site.blobs.length, blocks: total, skipped: 0, missing: 0 });
  // A megabyte, and the block that makes it full.
  expect(largest).toBeLessThan(2 ** 20 + 2 ** 16);
  for (const [i, { bytes }] of site.blobs.entries()) {
    const parts = given.flatMap((block) => ('blob' in block && block.blob === i ? [block.bytes] : []));
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
  }
});

test('a site directory that any tool has packed is imported, from a folder, compressed too', async () => {
  const files = unzipSync(await save());
  const inFolder = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`site/${name}`, bytes]));
  const given: ProvidedBlock[] = [];
  const report = await imported(new Uint8Array(zipSync(inFolder, { level: 1 })), given, (blob) => blob === 0);
  expect(report).toMatchObject({ blobs: site.blobs.length - 1, skipped: 1, missing: 0 });
  expect(given.some((block) => 'blob' in block && block.blob === 0)).toBe(false);
});

test('an archive of another image, a damaged one, and none at all are told apart', async () => {
  const other = await makeSite([{ name: 'other', size: 5000, shift: 12 }], 100_000, 9);
  const otherImage = await Image.open(other.bootstrap, { sha256: other.image });
  const given: ProvidedBlock[] = [];
  const wrong = await joined(savedImage(otherImage, store(other), quiet, signal));
  await expect(imported(wrong, given)).rejects.toMatchObject({
    code: 'EINVAL',
    message: expect.stringContaining(other.image),
  });

  const files = unzipSync(await save());
  const name = `${site.blobs[1]!.record.sha256}.bin`;
  files[name]![500_000]! ^= 1;
  const damaged = new Uint8Array(zipSync(files, { level: 0 }));
  await expect(imported(damaged, given)).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining(name),
  });

  const cut = (await save()).subarray(0, 100_000);
  for (const file of [noise(4, 3000), new Uint8Array(0), new Uint8Array(cut)])
    await expect(imported(file, given)).rejects.toMatchObject({ code: 'not-an-image' });
});

test('a block that the disk has spoiled is not saved', async () => {
  const spoiled = store(site, (blob, bytes) => (blob === 1 && bytes.length > 60_000 ? bytes.fill(0) : bytes));
  await expect(joined(savedImage(image, spoiled, quiet, signal))).rejects.toMatchObject({
    code: 'integrity',
  });
});

test('an archive with more files than 16 bits count is read back by its 64-bit records', async () => {
  const count = 70_000;
  async function* one(i: number): AsyncGenerator<Bytes> {
    yield Uint8Array.of(i & 255);
  }
  const inputs = Array.from({ length: count }, (_, i) => ({ name: `f${i}`, pieces: one(i) }));
  const archive = await ZipArchive.open(new Blob([await joined(zipped(inputs))]));
  expect([...archive.names]).toHaveLength(count);
  const last = await new Response(await archive.read('f69999')).arrayBuffer();
  expect(new Uint8Array(last)).toEqual(Uint8Array.of(69_999 & 255));
});

test('fsck finds a flipped byte of the bootstrap and of a table, and names what it hurts', async () => {
  const clean = await checkImage(site.image, store(site), quiet, signal);
  expect(clean).toMatchObject({ files: 2, tables: site.blobs.length, problems: [] });

  const flipped = store(site, (blob, bytes) => {
    if (blob === 1) bytes[20]! ^= 4;
    return bytes;
  });
  const { problems } = await checkImage(site.image, flipped, quiet, signal);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ where: site.blobs[1]!.record.sha256, paths: ['large.bin'] });

  const bootstrap = site.bootstrap.slice();
  bootstrap[bootstrap.length - 1]! ^= 1;
  const bad = await checkImage(
    site.image,
    { ...store(site), readBootstrap: async () => bootstrap },
    quiet,
    signal,
  );
  expect(bad.problems).toMatchObject([{ where: 'bootstrap', paths: ['/'] }]);
});

test('fsck leaves out tables that are not here, and ends with an error where nobody answers', async () => {
  const half = {
    ...store(site),
    blockTable: async (blob: number) => (blob === 0 ? undefined : store(site).blockTable(blob)),
  };
  expect(await checkImage(site.image, half, quiet, signal)).toMatchObject({
    tables: site.blobs.length - 1,
    problems: [],
  });
  const gone = { ...store(site), blockTable: () => Promise.reject(new Error('gone')) };
  await expect(checkImage(site.image, gone, quiet, signal)).rejects.toThrow('gone');
});
