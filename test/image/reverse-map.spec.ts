import { expect, test } from '@playwright/test';
import type { FileTree } from '../../src/image/file-tree.ts';
import { Image } from '../../src/image/image.ts';
import { ReverseMap } from '../../src/image/reverse-map.ts';
import { seededRandom } from '../support/random.ts';
import { type FlatOwner, randomSharing } from './random-sharing.ts';
import { tinyImage } from './tiny-image.ts';

/** Owners as lines, in one order: `expect` once a seed, it is slow. */
const lines = (owners: readonly FlatOwner[]): string[] =>
  owners
    .map(({ path, fileStart, fileEnd, blockOffset }) => `${path} ${fileStart}-${fileEnd}+${blockOffset}`)
    .sort();

test('files in one block, a file of two blocks, a file of none', async () => {
  const { bootstrap } = await tinyImage();
  const image = await Image.open(bootstrap);
  const map = ReverseMap.of(image);
  expect(map.size).toBe(3);
  const html = image.lookup('index.html')!;
  const script = image.lookup('a.js')!;
  const data = image.lookup('größe/data.bin')!;
  expect([...map.owners(0, 0, 1)].sort((a, b) => a.blockOffset - b.blockOffset)).toEqual([
    { inode: html, fileStart: 0, fileEnd: 34, block: 0, blockOffset: 0 },
    { inode: script, fileStart: 0, fileEnd: 19, block: 0, blockOffset: 34 },
  ]);
  expect([...map.owners(0, 2, 3)]).toEqual([
    { inode: data, fileStart: 4096, fileEnd: 5000, block: 2, blockOffset: 0 },
  ]);
  expect([...map.owners(0, 0, Number.POSITIVE_INFINITY)]).toHaveLength(3);
  expect(map.hurtPaths(0, 0, 1).sort()).toEqual(['a.js', 'index.html']);
  expect(map.hurtPaths(0, 1, 2)).toEqual(['größe/data.bin']);
  // The table of a blob has no owner, nor has what lies behind its last block.
  expect(map.hurtPaths(0, -1, 0)).toEqual([]);
  expect(map.hurtPaths(0, 3, 100)).toEqual([]);
  expect(map.hurtPaths(1, -5, 100)).toEqual([]);
});

test('tells the owners of every block as a flat array does, under random sharing', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const { image, flat } = await randomSharing(seed);
    const map = ReverseMap.of(image);
    const owners = flat.map((blocks, blob) =>
      blocks.map((_, block) =>
        lines(
          [...map.owners(blob, block, block + 1)].map((owner) => ({
            ...owner,
            path: image.pathOf(owner.inode),
          })),
        ),
      ),
    );
    expect(owners, `seed ${seed}`).toEqual(flat.map((blocks) => blocks.map(lines)));
  }
});

test('a range of blocks gives what its blocks give, clipped and put together', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const { image, flat } = await randomSharing(seed);
    const map = ReverseMap.of(image);
    const random = seededRandom(seed + 1000);
    const wrong: unknown[] = [];
    for (const [blob, blocks] of flat.entries()) {
      const first = Math.floor(random() * blocks.length);
      const end = first + 1 + Math.floor(random() * (blocks.length - first));
      const inRange = blocks.slice(first, end).flat();
      const hurt = [...new Set(inRange.map(({ path }) => path))].sort();
      if (`${map.hurtPaths(blob, first, end).sort()}` !== `${hurt}`) wrong.push([blob, first, end, hurt]);
      let bytes = 0;
      for (const { inode, fileStart, fileEnd, block, blockOffset } of map.owners(blob, first, end)) {
        const path = image.pathOf(inode);
        bytes += fileEnd - fileStart;
        const begins = blocks[block]!.some(
          (one) => one.path === path && one.fileStart === fileStart && one.blockOffset === blockOffset,
        );
        const ends = inRange.some((one) => one.path === path && one.fileEnd === fileEnd);
        if (block < first || !begins || !ends) wrong.push([blob, block, path, fileStart, fileEnd]);
      }
      const expected = inRange.reduce((sum, one) => sum + one.fileEnd - one.fileStart, 0);
      if (bytes !== expected) wrong.push([blob, first, end, bytes, expected]);
    }
    expect(wrong, `seed ${seed}`).toEqual([]);
  }
});

test('a file with several names has all of them', async () => {
  const { bootstrap } = await tinyImage();
  const image = await Image.open(bootstrap);
  const data = image.lookup('größe/data.bin')!;
  const linked: FileTree = Object.create(image, {
    pathOf: { value: (n: number) => image.pathOf(n) },
    inode: { value: (n: number) => image.inode(n) },
    mapExtents: { value: (n: number, start: number, end: number) => image.mapExtents(n, start, end) },
    files: {
      value: function* () {
        yield { inode: data, path: 'another.bin' };
        yield* image.files();
      },
    },
  });
  const map = ReverseMap.of(linked);
  expect(map.size).toBe(3);
  expect(map.paths(data)).toEqual(['another.bin', 'größe/data.bin']);
  expect(map.hurtPaths(0, 2, 3)).toEqual(['another.bin', 'größe/data.bin']);
});
