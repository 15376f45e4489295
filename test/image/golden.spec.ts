import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { encodeBootstrap } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { golden } from '../golden/golden.ts';
import { tinyImage } from './tiny-image.ts';

/**
 * The bytes of one tiny image, kept for good. If a test here fails, the format (or the deflater) has changed: published
 * images must still open, so think about a feature bit before you think about new golden bytes.
 */
for (const name of ['tiny-raw', 'tiny-deflated']) {
  test(`${name}: the golden bootstrap opens and says what it said`, async () => {
    const image = await Image.open(await golden(name));
    expect([...image.files()].map(({ inode, path }) => [path, inode, image.inode(inode).size])).toEqual([
      ['a.js', 1, 19],
      ['größe/data.bin', 5, 5000],
      ['index.html', 3, 34],
      ['nothing', 4, 0],
    ]);
    expect(image.inode(3)).toEqual({
      kind: 'file',
      size: 34,
      tag: '35965bcb447b7982',
      mime: 'text/html',
      headers: [
        ['X-One', '1'],
        ['X-Two', 'a: b'],
      ],
      meta: undefined,
      parent: 0,
      links: 1,
    });
    expect([...image.mapRange(5, 0, 5000)]).toEqual([
      { blob: 0, block: 1, blockOffset: 0, length: 4096, fileOffset: 0 },
      { blob: 0, block: 2, blockOffset: 0, length: 904, fileOffset: 4096 },
    ]);
    const table = await BlockTable.open(await golden('tiny-table'), image.blob(0));
    expect([table.count, table.stored(2)]).toEqual([3, { start: 4285, end: 5189 }]);
    expect([image.crossOriginIsolate, image.fallback]).toEqual([true, 3]);
  });
}

test('tiny-launch: the golden bootstrap with a launch set says where it ends; the older ones have none', async () => {
  const image = await Image.open(await golden('tiny-launch'));
  expect(image.launchSet).toEqual({ blob: 0, block: 1, bytes: 53 });
  expect(image.lookup('größe/data.bin')).toBe(5);
  expect((await Image.open(await golden('tiny-raw'))).launchSet).toBeUndefined();
  expect((await Image.open(await golden('tiny-deflated'))).launchSet).toBeUndefined();
});

test('the same description still makes the same bytes', async () => {
  const { model, bootstrap, table, blob } = await tinyImage();
  expect(Buffer.compare(blob, await golden('tiny-blob'))).toBe(0);
  expect(Buffer.from(table).toString('hex')).toBe(Buffer.from(await golden('tiny-table')).toString('hex'));
  const raw = encodeBootstrap(model, (body) => body);
  expect(Buffer.from(raw).toString('hex')).toBe(Buffer.from(await golden('tiny-raw')).toString('hex'));
  expect(Buffer.from(bootstrap).toString('hex')).toBe(
    Buffer.from(await golden('tiny-deflated')).toString('hex'),
  );
  const launch = encodeBootstrap({ ...model, launchSet: { blob: 0, block: 1, bytes: 53 } }, (body) => body);
  expect(Buffer.from(launch).toString('hex')).toBe(Buffer.from(await golden('tiny-launch')).toString('hex'));
});
