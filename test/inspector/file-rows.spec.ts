import { expect, test } from '@playwright/test';
import { BlockSpace } from '../../src/inspector/model/block-space.ts';
import { type FileQuery, FileRows, presentShare, queryFiles } from '../../src/inspector/model/file-rows.ts';
import { blockState, pinnedFlag } from '../../src/protocol/block-states.ts';
import { randomSharing } from '../image/random-sharing.ts';
import { seededRandom } from '../support/random.ts';
import { aRead } from './sample.ts';

const none: readonly never[] = [];

test('files tell how many of their blocks are here as counting them one by one does', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const { image } = await randomSharing(seed);
    const space = new BlockSpace(image.blobs());
    const files = new FileRows(image, space);
    const random = seededRandom(seed);
    for (let version = 1; version < 4; version++) {
      const states = Uint8Array.from(
        { length: space.length },
        () => Math.floor(random() * 7) + (random() < 0.5 ? pinnedFlag : 0),
      );
      const wanted = [...image.files()].map(({ inode, path }) => {
        const blocks = [...image.mapExtents(inode, 0, Number.POSITIVE_INFINITY)].flatMap(
          ({ blob, firstBlock, blockCount }) =>
            Array.from({ length: blockCount }, (_, i) => states[space.startOf(blob) + firstBlock + i]!),
        );
        return {
          path,
          size: image.inode(inode).size,
          blocks: blocks.length,
          present: blocks.filter((state) => (state & 7) >= blockState.inMemory).length,
          isPinned: blocks.length > 0 && blocks.every((state) => state & pinnedFlag),
          isMade: false,
        };
      });
      const rows = files.rows({ states, statesVersion: version, reads: [], made: none });
      expect(rows, `seed ${seed}`).toEqual(wanted.map((row) => expect.objectContaining(row)));
    }
  }
});

test('reads are counted by file: how many, which was first, how long they waited', async () => {
  const { image } = await randomSharing(3);
  const space = new BlockSpace(image.blobs());
  const files = new FileRows(image, space);
  const [one, two] = [...image.files()].map(({ path }) => path);
  const states = new Uint8Array(space.length);
  const before = files.rows({ states, statesVersion: 1, reads: [], made: none });
  expect(
    before.every(({ reads, order, waitedMs }) => reads === 0 && order === undefined && waitedMs === 0),
  ).toBe(true);
  const reads = [
    aRead({ path: two!, waitedMs: 5 }),
    aRead({ path: one! }),
    aRead({ path: two!, waitedMs: 7 }),
    aRead({ path: 'made at run time' }),
  ];
  const rows = files.rows({ states, statesVersion: 1, reads, made: none });
  const facts = (path: string) => rows.find((row) => row.path === path);
  expect(facts(two!)).toMatchObject({ reads: 2, order: 1, waitedMs: 12 });
  expect(facts(one!)).toMatchObject({ reads: 1, order: 2, waitedMs: 0 });
  expect(files.rows({ states, statesVersion: 1, reads, made: none })).toBe(rows);
});

test('files made at run time are among them, in the place of a published one of the same path', async () => {
  const { image } = await randomSharing(3);
  const space = new BlockSpace(image.blobs());
  const files = new FileRows(image, space);
  const published = [...image.files()].map(({ path }) => path);
  const snapshot = {
    states: new Uint8Array(space.length),
    statesVersion: 1,
    reads: [aRead({ path: 'own.txt' })],
  };
  const made = [
    { path: 'own.txt', size: 10, blocks: 2, present: 1 },
    { path: published[1]!, size: 0, blocks: 0, present: 0 },
  ];
  expect(files.rows({ ...snapshot, made: none })).toHaveLength(published.length);
  const rows = files.rows({ ...snapshot, made });
  expect(rows.map(({ path }) => path)).toEqual([
    'own.txt',
    published[1],
    ...published.filter((_, i) => i !== 1),
  ]);
  expect(rows[0]).toMatchObject({ size: 10, blocks: 2, present: 1, isMade: true, isPinned: false, reads: 1 });
  const all: FileQuery = { text: '', only: 'made', column: 'path', isDescending: false };
  expect(queryFiles(rows, all).map(({ path }) => path)).toEqual(['own.txt', published[1]]);
  expect(queryFiles(rows, { ...all, only: 'incomplete' })).toContain(rows[0]);
  expect(files.rows({ ...snapshot, made })).toBe(rows);
});

test('a query filters and sorts; what has no value comes last either way, and equal ones keep their order', () => {
  const row = (path: string, some: object) => ({
    path,
    size: 1,
    blocks: 2,
    present: 2,
    isPinned: false,
    isMade: false,
    reads: 0,
    order: undefined,
    waitedMs: 0,
    ...some,
  });
  const rows = [
    row('a/Index.html', { order: 2, reads: 1, size: 5 }),
    row('b.js', { present: 1, size: 9 }),
    row('c.js', { order: 1, reads: 4, waitedMs: 3 }),
    row('empty', { blocks: 0, present: 0 }),
  ];
  const all: FileQuery = { text: '', only: 'all', column: 'path', isDescending: false };
  const paths = (query: Partial<FileQuery>) => queryFiles(rows, { ...all, ...query }).map(({ path }) => path);
  expect(paths({})).toEqual(['a/Index.html', 'b.js', 'c.js', 'empty']);
  expect(paths({ isDescending: true })).toEqual(['empty', 'c.js', 'b.js', 'a/Index.html']);
  expect(paths({ text: ' index ' })).toEqual(['a/Index.html']);
  expect(paths({ only: 'incomplete' })).toEqual(['b.js']);
  expect(paths({ only: 'read' })).toEqual(['a/Index.html', 'c.js']);
  expect(paths({ only: 'waited' })).toEqual(['c.js']);
  expect(paths({ column: 'order' })).toEqual(['c.js', 'a/Index.html', 'b.js', 'empty']);
  expect(paths({ column: 'order', isDescending: true })).toEqual(['a/Index.html', 'c.js', 'b.js', 'empty']);
  expect(paths({ column: 'present' })).toEqual(['b.js', 'a/Index.html', 'c.js', 'empty']);
  expect(paths({ column: 'size', isDescending: true })).toEqual(['b.js', 'a/Index.html', 'c.js', 'empty']);
  expect(rows.map(presentShare)).toEqual([1, 0.5, 1, 1]);
});
