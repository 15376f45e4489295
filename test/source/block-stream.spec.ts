import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { BlockStream, type BlockStreamOptions, type PartialBlock } from '../../src/source/block-stream.ts';
import { failure } from '../loader/engine-rig.ts';
import { makeSite } from '../loader/site-fixture.ts';
import { seededRandom } from '../support/random.ts';

const { blobs } = await makeSite([{ name: 'a', size: 50_000, shift: 13 }], 1 << 20);
const { record, bytes } = blobs[0]!;
const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);

interface Taken {
  readonly stream: BlockStream;
  readonly blocks: Map<number, Uint8Array>;
  readonly bad: number[];
  tables: number;
}

function open(options: Partial<BlockStreamOptions>): Taken {
  const taken: Taken = {
    blocks: new Map(),
    bad: [],
    tables: 0,
    stream: new BlockStream({
      record,
      table,
      start: record.tableLength,
      partial: undefined,
      wants: () => true,
      onTable: async () => {
        taken.tables += 1;
      },
      onArrived: () => {},
      onBlock: async (block, stored) => {
        expect(taken.blocks.has(block)).toBe(false);
        taken.blocks.set(block, stored);
      },
      onBad: (block) => taken.bad.push(block),
      ...options,
    }),
  };
  return taken;
}

/** Pushes `[start, end)` of the blob in pieces of random size. */
async function feed(stream: BlockStream, start: number, end: number, seed = 1, of = bytes): Promise<void> {
  const random = seededRandom(seed);
  for (let at = start; at < end; ) {
    const next = Math.min(end, at + 1 + Math.floor(random() * 9000));
    await stream.push({ offset: at, bytes: of.slice(at, next) });
    at = next;
  }
}

function expectBlocks(taken: Taken, blocks: readonly number[]): void {
  expect([...taken.blocks.keys()].toSorted((a, b) => a - b)).toEqual(blocks);
  for (const [block, stored] of taken.blocks) {
    const { start, end } = table.stored(block);
    expect(Buffer.compare(stored, bytes.subarray(start, end))).toBe(0);
  }
}

const all = Array.from({ length: record.blockCount }, (_, i) => i);

test('from byte 0: the table, then every block, however the bytes are cut', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const taken = open({ table: undefined, start: 0 });
    expect(taken.stream.position).toBe(0);
    await feed(taken.stream, 0, record.length, seed);
    await taken.stream.finish();
    expect(taken.tables).toBe(1);
    expectBlocks(taken, all);
  }
});

test('byte by byte', async () => {
  const taken = open({ table: undefined, start: 0 });
  for (let at = 0; at < record.tableLength + 9000; at++) {
    await taken.stream.push({ offset: at, bytes: bytes.slice(at, at + 1) });
  }
  await taken.stream.finish();
  expectBlocks(taken, [0]);
  expect(taken.stream.position).toBe(table.stored(1).start);
});

test('only wanted blocks are handed over', async () => {
  const taken = open({ wants: (block) => block % 2 === 1 });
  await feed(taken.stream, record.tableLength, record.length);
  await taken.stream.finish();
  expectBlocks(
    taken,
    all.filter((block) => block % 2 === 1),
  );
});

test('more than was asked for, before and after: what can be used is used', async () => {
  const taken = open({ start: table.stored(3).start });
  await feed(taken.stream, 0, record.length);
  await taken.stream.finish();
  expectBlocks(taken, all);
});

test('beginning in the middle of a block: that one is left out', async () => {
  const { start } = table.stored(2);
  const taken = open({ start: start + 1 });
  expect(taken.stream.position).toBe(start + 1);
  await feed(taken.stream, start + 1, record.length);
  await taken.stream.finish();
  expectBlocks(taken, all.slice(3));
});

test('a block left in the middle goes on in the next stream', async () => {
  const { start } = table.stored(2);
  const one = open({});
  await feed(one.stream, record.tableLength, start + 100);
  await one.stream.finish();
  const partial = one.stream.leftOver() as PartialBlock;
  expect(partial).toMatchObject({ block: 2, start, filled: 100 });
  const two = open({ start: start + 100, partial });
  expect(two.stream.position).toBe(start);
  await feed(two.stream, start + 100, record.length);
  await two.stream.finish();
  expectBlocks(one, [0, 1]);
  expectBlocks(two, all.slice(2));
  expect(two.stream.leftOver()).toBeUndefined();
});

test('a flipped bit spoils its own block only', async () => {
  const spoilt = bytes.slice();
  spoilt[table.stored(4).start + 5]! ^= 1;
  const taken = open({});
  await feed(taken.stream, record.tableLength, record.length, 3, spoilt);
  await taken.stream.finish();
  expect(taken.bad).toEqual([4]);
  expectBlocks(
    taken,
    all.filter((block) => block !== 4),
  );
});

test('a flipped bit in the table: integrity', async () => {
  const spoilt = bytes.slice();
  spoilt[20]! ^= 1;
  const taken = open({ table: undefined, start: 0 });
  expect((await failure(feed(taken.stream, 0, record.length, 3, spoilt))).code).toBe('integrity');
  expect(taken.blocks.size).toBe(0);
});

test('bytes out of order are refused', async () => {
  const taken = open({});
  await feed(taken.stream, record.tableLength, record.tableLength + 100);
  expect((await failure(taken.stream.push({ offset: 5, bytes: new Uint8Array(1) }))).code).toBe('bad-origin');
});

test('a consumer that fails ends the stream with its error', async () => {
  const taken = open({ onBlock: () => Promise.reject(new Error('disk')) });
  await expect(
    feed(taken.stream, record.tableLength, record.length).then(() => taken.stream.finish()),
  ).rejects.toThrow('disk');
});
