import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import type { FsmapKey, FsmapRow } from '../../src/format/fsmap.ts';
import { type FsmapFile, fsmap, fsmapPage } from '../../src/image/fsmap.ts';
import { Image } from '../../src/image/image.ts';
import { ReverseMap } from '../../src/image/reverse-map.ts';
import { tinyImage } from './tiny-image.ts';

/** A store with the tiny image's blob (its last block missing), the same blob with its table unknown, and two other files around. */
async function store(): Promise<{ files: FsmapFile[]; id: string; opened: string[] }> {
  const { bootstrap, table: bytes, record } = await tinyImage();
  const image = await Image.open(bootstrap);
  const users = [{ map: ReverseMap.of(image), blob: 0 }];
  const table = await BlockTable.open(bytes, record);
  const { tableLength, length } = record;
  const opened: string[] = [];
  const blob = (name: string, known: boolean): FsmapFile => ({
    name,
    length,
    flags: ['partial'],
    blob: async () => {
      opened.push(name);
      const stored = new Set(known ? [-1, 0, 1] : []);
      return { tableLength, table: known ? table : undefined, has: (block) => stored.has(block), users };
    },
  });
  const files: FsmapFile[] = [
    { name: 'a', length: 10, flags: ['journal'] },
    blob('b', true),
    blob('c', false),
    { name: 'd', length: 0, flags: ['journal'] },
    { name: 'e', length: 7, flags: ['metadata'] },
  ];
  return { files, id: image.id, opened };
}

async function walk(
  files: readonly FsmapFile[],
  keys: { low?: FsmapKey; high?: FsmapKey } = {},
): Promise<FsmapRow[]> {
  const rows: FsmapRow[] = [];
  for await (const row of fsmap(files, keys)) rows.push(row);
  return rows;
}

test('rows in physical order, with owners and flags', async () => {
  const { files, id: image } = await store();
  const none = { block: undefined, owners: [] };
  const head = 16 + 3 * 40;
  expect(await walk(files)).toEqual([
    { file: 'a', start: 0, end: 10, flags: ['journal'], ...none },
    { file: 'b', start: 0, end: head, flags: ['metadata', 'partial'], ...none },
    {
      file: 'b',
      start: head,
      end: head + 53,
      flags: ['shared', 'partial'],
      block: 0,
      owners: [
        { image, path: 'a.js', start: 0, end: 19 },
        { image, path: 'index.html', start: 0, end: 34 },
      ],
    },
    {
      file: 'b',
      start: head + 53,
      end: head + 53 + 4096,
      flags: ['partial'],
      block: 1,
      owners: [{ image, path: 'größe/data.bin', start: 0, end: 4096 }],
    },
    {
      file: 'b',
      start: head + 53 + 4096,
      end: head + 53 + 5000,
      flags: ['partial', 'free'],
      block: 2,
      owners: [{ image, path: 'größe/data.bin', start: 4096, end: 5000 }],
    },
    { file: 'c', start: 0, end: head, flags: ['metadata', 'partial', 'free'], ...none },
    { file: 'c', start: head, end: head + 53 + 5000, flags: ['partial', 'free'], ...none },
    { file: 'e', start: 0, end: 7, flags: ['metadata'], ...none },
  ]);
});

test('from any key to any key: the rows that begin there', async () => {
  const { files } = await store();
  const all = await walk(files);
  const ends = all.flatMap(({ file, start, end }) =>
    [start, start + 1, end].map((offset) => ({ file, offset })),
  );
  const keys: FsmapKey[] = [
    ...ends,
    { file: '', offset: 0 },
    { file: 'bb', offset: 5 },
    { file: 'f', offset: 0 },
  ];
  const atOrAfter = (row: FsmapRow, { file, offset }: FsmapKey): boolean =>
    row.file > file || (row.file === file && row.start >= offset);
  for (const low of keys) {
    for (const high of keys) {
      const expected = all.filter((row) => atOrAfter(row, low) && !atOrAfter(row, high));
      const rows = await walk(files, { low, high });
      if (JSON.stringify(rows) !== JSON.stringify(expected)) expect(rows).toEqual(expected);
    }
  }
});

test('pages put together are the whole, and open only what they need', async () => {
  const { files, opened } = await store();
  const all = await walk(files);
  for (let limit = 1; limit <= all.length + 1; limit++) {
    const rows: FsmapRow[] = [];
    let low: FsmapKey | undefined;
    do {
      const page = await fsmapPage(files, { limit, ...(low ? { low } : {}) });
      expect(page.rows.length).toBe(Math.min(limit, all.length - rows.length));
      rows.push(...page.rows);
      low = page.next;
    } while (low);
    expect(rows).toEqual(all);
  }
  opened.length = 0;
  await walk(files, { low: { file: 'bx', offset: 0 }, high: { file: 'e', offset: 0 } });
  expect(opened).toEqual(['c']);
});
