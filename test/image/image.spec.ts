import { expect, test } from '@playwright/test';
import { BlockTable, verifyBlock } from '../../src/format/block-table.ts';
import { Image } from '../../src/image/image.ts';
import { tinyImage } from './tiny-image.ts';

test('an image reads back as it was described', async () => {
  const { model, bootstrap, record, blob } = await tinyImage();
  const image = await Image.open(bootstrap);
  expect(image.inodeCount).toBe(7);
  expect(image.crossOriginIsolate).toBe(true);
  expect(image.superblock.logicalBytes).toBe(34 + 19 + 5000);
  expect(image.superblock.storedBytes).toBe(blob.length);
  expect(image.blob(0)).toEqual(record);
  expect(image.fallback).toBe(image.lookup('index.html'));

  expect([...image.readdir(0)]).toEqual([
    { name: 'a.js', inode: 1, kind: 'file' },
    { name: 'größe', inode: 2, kind: 'directory' },
    { name: 'index.html', inode: 3, kind: 'file' },
    { name: 'nothing', inode: 4, kind: 'file' },
  ]);
  const page = image.inode(image.lookup('/index.html')!);
  expect(page).toMatchObject({ kind: 'file', size: 34, mime: 'text/html', meta: undefined, parent: 0 });
  expect(page.headers).toEqual(model.root[0]!.kind === 'file' ? model.root[0]!.headers : []);
  expect(page.tag).toMatch(/^[0-9a-f]{16}$/);
  const data = image.inode(image.lookup('größe/data.bin')!);
  expect(data).toMatchObject({ size: 5000, mime: undefined, headers: [], meta: Uint8Array.of(0, 255, 10) });
  expect([...image.files()].map(({ path }) => path)).toEqual([
    'a.js',
    'größe/data.bin',
    'index.html',
    'nothing',
  ]);
  for (const { inode, path } of image.files()) {
    expect(image.pathOf(inode)).toBe(path);
    expect(image.lookup(path)).toBe(inode);
  }
});

test('a range of a file leads to its blocks', async () => {
  const { bootstrap, record, table: tableBytes, blob } = await tinyImage();
  const image = await Image.open(bootstrap);
  const table = await BlockTable.open(tableBytes, record);
  const data = image.lookup('größe/data.bin')!;
  const spans = [...image.mapRange(data, 4090, 4100)];
  expect(spans).toEqual([
    { blob: 0, block: 1, blockOffset: 4090, length: 6, fileOffset: 4090 },
    { blob: 0, block: 2, blockOffset: 0, length: 4, fileOffset: 4096 },
  ]);
  for (const span of spans) {
    const { start, end } = table.stored(span.block);
    const stored = blob.subarray(start, end);
    expect(await verifyBlock(table, span.block, stored)).toBe(true);
    expect(
      await verifyBlock(
        table,
        span.block,
        stored.map((byte) => byte ^ 1),
      ),
    ).toBe(false);
    expect(stored[span.blockOffset]).toBe((span.fileOffset * 7) & 0xff);
  }
  expect([...image.mapRange(data, 5000, 9000)]).toEqual([]);
  expect([...image.mapRange(image.lookup('nothing')!, 0, 10)]).toEqual([]);
});
