import { expect, test } from '@playwright/test';
import { encodeBootstrap, type FileModel, type NodeModel } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { deflate, tinyImage } from './tiny-image.ts';

const empty: FileModel = { kind: 'file', name: 'f', size: 0, tag: new Uint8Array(8), extents: [] };
const encode = (root: readonly NodeModel[]) => encodeBootstrap({ root, blobs: [], codecs: [] }, deflate);

test('what the format does not allow is refused with its path', () => {
  const names = ['', '.', '..', 'a/b', 'a\0b', '\ud800', 'x'.repeat(256), 'ä'.repeat(128)];
  const wrong: readonly (readonly NodeModel[])[] = [
    ...names.map((name) => [{ ...empty, name }]),
    [empty, empty],
    [empty, { kind: 'directory', name: 'f', entries: [] }],
    [{ ...empty, meta: new Uint8Array(513) }],
    [{ ...empty, headers: [['Bad Name', 'x']] }],
    [{ ...empty, headers: [['X', 'a\r\nSet-Cookie: b']] }],
    [{ ...empty, size: 1 }],
  ];
  for (const root of wrong) {
    const refusal = expect.objectContaining({ code: 'EINVAL', path: expect.any(String) });
    expect(() => encode([{ kind: 'directory', name: 'in', entries: root }]), JSON.stringify(root)).toThrow(
      refusal,
    );
  }
});

test('extents that cannot be are refused', async () => {
  const { model } = await tinyImage();
  const page = model.root[0] as FileModel;
  const extent = page.extents[0]!;
  const wrong = [
    { blob: 1 },
    { fileOffset: 1 },
    { length: 33 },
    { length: 0 },
    { shift: 11 },
    { shift: 21 },
    { blockOffset: 4096 },
    { block: 3 },
    { storedOffset: 0 },
    { storedOffset: 10_000 },
    { storedLength: 0 },
    { storedLength: 4097 },
  ];
  for (const change of wrong) {
    const root = [{ ...page, extents: [{ ...extent, ...change }] }];
    expect(() => encodeBootstrap({ ...model, root }, deflate), JSON.stringify(change)).toThrow(
      expect.objectContaining({ code: 'EINVAL', path: 'index.html' }),
    );
  }
});

test('a launch set must end at a block that is there, or behind the last blob', async () => {
  const { model } = await tinyImage();
  const withSet = (blob: number, block: number) => () =>
    encodeBootstrap({ ...model, launchSet: { blob, block, bytes: 1 } }, deflate);
  for (const [blob, block] of [
    [0, 3],
    [1, 1],
    [2, 0],
  ] as const)
    expect(withSet(blob, block), `${blob} ${block}`).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  for (const [blob, block] of [
    [0, 2],
    [1, 0],
  ] as const)
    expect(withSet(blob, block)).not.toThrow();
});

test('a fallback must be a file that is there', () => {
  const root: NodeModel[] = [{ kind: 'directory', name: 'd', entries: [empty] }];
  const withFallback = (fallback: string) => () =>
    encodeBootstrap({ root, blobs: [], codecs: [], fallback }, deflate);
  for (const fallback of ['f', 'd', '', '/'])
    expect(withFallback(fallback)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(withFallback('/d/f')).not.toThrow();
});

test('equal strings and equal names are kept once', async () => {
  const file = (name: string): FileModel => ({
    ...empty,
    name,
    mime: 'text/plain',
    headers: [['X-Same', 'same']],
    meta: Uint8Array.of(9, 9),
  });
  const root = ['a', 'b', 'c'].map(
    (name): NodeModel => ({ kind: 'directory', name, entries: [file('index.txt'), file('a')] }),
  );
  const image = await Image.open(encode(root));
  expect(image.superblock.stringCount).toBe(3);
  expect(image.superblock.nameLength).toBe('abcindex.txt'.length);
  expect(image.inode(image.lookup('c/index.txt')!)).toMatchObject({
    mime: 'text/plain',
    headers: [['X-Same', 'same']],
  });
});

test('files of one extent array share its records', async () => {
  const { model } = await tinyImage();
  const page = model.root[0] as FileModel;
  const root = [page, { ...page, name: 'copy.html' }];
  const image = await Image.open(encodeBootstrap({ ...model, root }, deflate));
  expect(image.superblock.extentCount).toBe(1);
  const spans = ['index.html', 'copy.html'].map((path) => [...image.mapRange(image.lookup(path)!, 0, 34)]);
  expect(spans[0]).toEqual(spans[1]);
});

test('an image of nothing', async () => {
  const image = await Image.open(encode([]));
  expect([image.inodeCount, image.blobCount, [...image.files()], [...image.readdir(0)]]).toEqual([
    1,
    0,
    [],
    [],
  ]);
  expect([image.fallback, image.crossOriginIsolate, image.lookup('x')]).toEqual([
    undefined,
    false,
    undefined,
  ]);
});

test('features are declared by what is used', async () => {
  const incompat = async (
    codecs: readonly ('raw' | 'zstd' | 'lz4')[],
    squeeze: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ) =>
    (
      await Image.open(
        encodeBootstrap({ root: [empty, { ...empty, name: 'g'.repeat(255) }], blobs: [], codecs }, squeeze),
      )
    ).superblock.incompat;
  expect(await incompat(['raw'], (body) => body)).toBe(0);
  expect(await incompat(['raw'], deflate)).toBe(1);
  expect(await incompat(['raw', 'zstd'], deflate)).toBe(3);
  expect(await incompat(['lz4'], (body) => body)).toBe(4);
});
