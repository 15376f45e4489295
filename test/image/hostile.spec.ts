import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { encodeBootstrap, type NodeModel } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { noise, seededRandom } from '../support/random.ts';
import { deflate, tinyImage } from './tiny-image.ts';
import { useTree } from './use-tree.ts';

function seal(bootstrap: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(bootstrap.buffer).setUint32(124, crc32(bootstrap.subarray(0, 124)), true);
  return bootstrap;
}

async function bootstrap(squeeze: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) {
  const { model } = await tinyImage();
  const deep = (levels: number): NodeModel[] =>
    levels === 0
      ? [...model.root]
      : [{ kind: 'directory', name: `d${levels}`, entries: deep(levels - 1) }, ...model.root];
  return encodeBootstrap({ ...model, root: deep(2) }, squeeze);
}

/** What is asked of every image. */
const paths = ['', 'index.html', 'd2/d1/größe/data.bin', 'größe/', 'zzz', 'd2/a.js'];

const interesting = [
  0,
  1,
  2,
  7,
  8,
  12,
  40,
  127,
  255,
  256,
  4096,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 8,
  2 ** 32 - 1,
];

for (const [name, squeeze, rounds] of [
  ['a raw body', (body: Uint8Array<ArrayBuffer>) => body, 16_000],
  ['a deflated body', deflate, 4000],
] as const) {
  test(`${rounds} damages of a bootstrap with ${name} end in a SluiceError or in an image that can be used`, async () => {
    const good = await bootstrap(squeeze);
    // Files are no directories and directories no files, also in a sound image.
    const usual = useTree(await Image.open(good), paths);
    expect(usual).toBeGreaterThan(0);
    const random = seededRandom(7);
    const below = (n: number): number => Math.floor(random() * n);
    const ends = { refused: 0, damaged: 0, harmless: 0 };
    let slowest = 0;
    for (let round = 0; round < rounds; round++) {
      let hostile = good.slice();
      const view = new DataView(hostile.buffer);
      for (let changes = 1 + below(3); changes > 0; changes--) {
        // One in three in the superblock, whose fields move everything else.
        const end = random() < 0.3 ? 128 : hostile.length;
        const at = below(end - 4);
        const kind = random();
        if (kind < 0.3) hostile[at] = below(256);
        else if (kind < 0.4) hostile[at]! ^= 1 << below(8);
        else view.setUint32(at & ~3, kind < 0.8 ? interesting[below(interesting.length)]! : below(200), true);
      }
      if (random() < 0.03) hostile = hostile.slice(0, Math.max(128, below(hostile.length)));
      seal(hostile);
      const began = performance.now();
      try {
        const errors = useTree(await Image.open(hostile), paths);
        if (errors !== usual) ends.damaged++;
        else ends.harmless++;
      } catch (error) {
        if (!(error instanceof SluiceError)) throw new Error(`round ${round}`, { cause: error });
        ends.refused++;
      }
      slowest = Math.max(slowest, performance.now() - began);
    }
    console.log(`${name}: ${JSON.stringify(ends)}, slowest ${slowest.toFixed(0)} ms`);
    expect(Math.min(...Object.values(ends))).toBeGreaterThan(30);
    expect(slowest).toBeLessThan(5000);
  });
}

test('any single flipped byte is found by the digest, any cut or addition too', async () => {
  const good = await bootstrap(deflate);
  const { id } = await Image.open(good);
  let missed = 0;
  for (let at = 0; at < good.length; at++) {
    good[at]! ^= 0x10;
    await Image.open(good, { sha256: id }).then(
      () => missed++,
      (error: SluiceError) => error.code === 'integrity' || missed++,
    );
    good[at]! ^= 0x10;
  }
  expect(missed).toBe(0);
  expect((await Image.open(good, { sha256: id })).id).toBe(id);
  for (const other of [good.subarray(1), good.subarray(0, -1), new Uint8Array(0), noise(1, 500)]) {
    await expect(Image.open(other, { sha256: id })).rejects.toMatchObject({ code: 'integrity' });
  }
});

test('without a digest, the kinds of wrong are told apart', async () => {
  const good = await bootstrap(deflate);
  const open = (change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) =>
    Image.open(change(good.slice()));
  await expect(open(() => noise(2, 5000))).rejects.toMatchObject({ code: 'not-an-image' });
  await expect(open((bytes) => bytes.subarray(0, 100))).rejects.toMatchObject({ code: 'corrupt-image' });
  await expect(open((bytes) => bytes.subarray(0, -1))).rejects.toMatchObject({ code: 'corrupt-image' });
  await expect(open((bytes) => new Uint8Array([...bytes, 0]))).rejects.toMatchObject({
    code: 'corrupt-image',
  });
  await expect(open((bytes) => bytes.fill(0xaa, 40, 41))).rejects.toMatchObject({ code: 'corrupt-image' });
  await expect(open((bytes) => seal(bytes.fill(0x80, 23, 24)))).rejects.toMatchObject({
    code: 'unsupported-image',
    message: expect.stringContaining('incompat bit 31'),
  });
  await expect(open((bytes) => seal(bytes.fill(9, 8, 9)))).rejects.toMatchObject({
    code: 'unsupported-image',
  });
});

/** A raw image of `root` whose body is then changed by hand. */
async function tampered(
  root: readonly NodeModel[],
  change: (view: DataView<ArrayBuffer>, image: Image) => void,
): Promise<Image> {
  const bytes = encodeBootstrap({ root, blobs: [], codecs: [] }, (body) => body);
  change(new DataView(bytes.buffer, 128), await Image.open(bytes));
  return await Image.open(seal(bytes));
}

const directory = (name: string, entries: readonly NodeModel[]): NodeModel => ({
  kind: 'directory',
  name,
  entries,
});
const file = (name: string): NodeModel => ({
  kind: 'file',
  name,
  size: 0,
  tag: new Uint8Array(8),
  extents: [],
});
const corrupt = expect.objectContaining({ code: 'corrupt-image' });

test('a launch set that reaches behind the blobs, or behind the blocks of its last one, is corrupt', async () => {
  const { bootstrap: good } = await tinyImage();
  const opened = (blob: number, block: number, bytes: number): Promise<Image> => {
    const view = new DataView(good.slice().buffer);
    view.setUint32(104, blob, true);
    view.setUint32(108, block, true);
    view.setUint32(112, bytes, true);
    return Image.open(seal(new Uint8Array(view.buffer)));
  };
  expect((await opened(0, 2, 4149)).launchSet).toEqual({ blob: 0, block: 2, bytes: 4149 });
  expect((await opened(1, 0, 5053)).launchSet).toEqual({ blob: 1, block: 0, bytes: 5053 });
  for (const [blob, block, bytes] of [
    [2, 0, 9],
    [1, 1, 9],
    [2 ** 32 - 1, 2 ** 32 - 1, 9],
    [0, 1, 6000],
  ] as const) {
    await expect(opened(blob, block, bytes), `${blob} ${block} ${bytes}`).rejects.toThrow(corrupt);
  }
  // A blob's block count is read with its record, when somebody asks.
  const image = await opened(0, 3, 5053);
  expect(() => image.launchSet).toThrow(corrupt);
});

test('directories that contain themselves end in an error', async () => {
  // a/b: the entry of b is made to name a.
  const image = await tampered([directory('a', [directory('b', [])])], (view, { superblock }) => {
    view.setUint32(superblock.direntOffset + 12 + 4, 1, true);
  });
  expect(() => [...image.files()]).toThrow(corrupt);
  // Looking up is bounded by the path.
  expect(image.lookup('a/b/b/b/b')).toBe(1);

  const circle = await tampered([directory('a', [directory('b', [])])], (view, { superblock }) => {
    // a is in b, b is in a.
    view.setUint32(superblock.direntOffset + 4, 1, true);
    view.setUint32(40 + 36, 2, true);
    view.setUint32(2 * 40 + 16, 0, true);
    view.setUint32(2 * 40 + 20, 1, true);
  });
  expect(() => circle.pathOf(1)).toThrow(corrupt);
});

test('one directory under many names does not multiply the walk', async () => {
  // Every directory's two entries name the same child: 2^60 paths.
  let root: NodeModel[] = [file('end')];
  for (let level = 0; level < 60; level++) root = [directory('x', root), directory('y', [])];
  const image = await tampered(root, (view, { superblock }) => {
    const { direntOffset, direntCount } = superblock;
    for (let i = 0; i + 1 < direntCount; i += 2) {
      view.setUint32(direntOffset + (i + 1) * 12 + 4, view.getUint32(direntOffset + i * 12 + 4, true), true);
    }
  });
  expect(() => [...image.files()]).toThrow(corrupt);
});

test('a name that would lead out of a directory is never given out', async () => {
  for (const name of ['..', '/x', '.\0', '\xff\xfe']) {
    const image = await tampered([file('ab')], (view, { superblock }) => {
      [...name].forEach((character, i) => {
        view.setUint8(superblock.nameOffset + i, character.charCodeAt(0));
      });
    });
    expect(() => [...image.readdir(0)], name).toThrow(corrupt);
    expect(() => [...image.files()], name).toThrow(corrupt);
    expect(() => image.pathOf(1), name).toThrow(corrupt);
  }
});

test('names out of order, or twice, are found when they are listed', async () => {
  for (const second of ['a', 'A']) {
    const image = await tampered([file('a'), file('b')], (view, { superblock }) => {
      view.setUint8(superblock.nameOffset + 1, second.charCodeAt(0));
    });
    expect(() => [...image.readdir(0)]).toThrow(corrupt);
  }
});
