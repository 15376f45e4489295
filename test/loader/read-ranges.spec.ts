import { expect, test } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import type { BlockSpan, ExtentSpan } from '../../src/image/map-range.ts';
import { MountedTree } from '../../src/image/mounted-tree.ts';
import { withRanges } from '../../src/loader/read-ranges.ts';
import { Overlay } from '../../src/overlay/overlay.ts';
import { tinyImage } from '../image/tiny-image.ts';

async function tree(): Promise<MountedTree> {
  const { bootstrap } = await tinyImage();
  return new MountedTree(await Image.open(bootstrap), new Overlay());
}

const read = (path: string, block: number, blob = 0) => ({ path, blob, block, atMs: 1, waitedMs: 0 });

test('each read of a log tells which bytes of its file lie in the block', async () => {
  const reads = [
    read('größe/data.bin', 2),
    read('/größe/data.bin', 1),
    read('index.html', 0),
    { ...read('a.js', 0), failed: 'read-timeout' },
  ];
  const ranges = [
    { start: 4096, end: 5000, size: 5000 },
    { start: 0, end: 4096, size: 5000 },
    { start: 0, end: 34, size: 34 },
    // Behind the page in the block that they share.
    { start: 0, end: 19, size: 19 },
  ];
  expect(withRanges(await tree(), reads)).toEqual(reads.map((one, i) => ({ ...one, ...ranges[i] })));
});

test('a table, a file that is gone, a directory, and a block of another file tell none', async () => {
  const reads = [read('a.js', -1), read('gone.js', 0), read('größe', 0), read('a.js', 1), read('a.js', 0, 7)];
  expect(withRanges(await tree(), reads)).toEqual(reads);
});

test('ranges and mapping agree, also where a file begins within a block and lies in several runs', () => {
  // A file of 3 runs: from within block 5 on, then blocks 2 and 3, then block 9.
  const extents: ExtentSpan[] = [
    { blob: 1, firstBlock: 5, blockCount: 2, blockOffset: 4000, length: 96 + 4096, fileOffset: 0 },
    { blob: 0, firstBlock: 2, blockCount: 2, blockOffset: 0, length: 8192, fileOffset: 4192 },
    { blob: 1, firstBlock: 9, blockCount: 1, blockOffset: 0, length: 7, fileOffset: 12_384 },
  ].map((span) => ({ ...span, shift: 12, storedOffset: 0, storedLength: 1, storedExact: true }));
  const size = 12_391;
  const stub = {
    lookup: () => 1,
    inode: () => ({ kind: 'file', size }),
    mapExtents: () => extents,
  } as unknown as MountedTree;
  const spans: Pick<BlockSpan, 'blob' | 'block' | 'fileOffset' | 'length'>[] = [
    { blob: 1, block: 5, fileOffset: 0, length: 96 },
    { blob: 1, block: 6, fileOffset: 96, length: 4096 },
    { blob: 0, block: 2, fileOffset: 4192, length: 4096 },
    { blob: 0, block: 3, fileOffset: 8288, length: 4096 },
    { blob: 1, block: 9, fileOffset: 12_384, length: 7 },
  ];
  const reads = spans.map(({ blob, block }) => read('f', block, blob));
  expect(withRanges(stub, reads).map(({ start, end }) => [start, end])).toEqual(
    spans.map(({ fileOffset, length }) => [fileOffset, fileOffset + length]),
  );
});
