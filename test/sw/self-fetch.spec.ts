import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { SelfFetch } from '../../sw/self-fetch.ts';
import { noise } from '../support/random.ts';
import { MemorySource, smallImage } from './small-image.ts';

const content = noise(3, 20 * 4096);
const patience = { timeoutMs: 10_000, signal: new AbortController().signal };

/** One blob of 20 raw blocks of 4 KiB. */
async function fixture() {
  const small = await smallImage({ 'a.bin': { bytes: content } }, { blocksPerBlob: 20 });
  const source = new MemorySource(small);
  const selfFetch = new SelfFetch(source, { random: () => 0.5 });
  const read = async (first: number, count: number): Promise<number[]> => {
    const got: number[] = [];
    await selfFetch.read(
      small.image,
      0,
      { first, count },
      (block, { bytes }) => {
        expect(Buffer.compare(bytes, content.subarray(block * 4096, (block + 1) * 4096))).toBe(0);
        got.push(block);
      },
      patience,
    );
    return got.toSorted((a, b) => a - b);
  };
  const { record } = small.blobs[0]!;
  return { small, source, selfFetch, read, record, tableLength: record.tableLength };
}

/** The blocks handed over, -1 for the table: sorted, since they are verified side by side and come as they are ready. */
function blocksOf(message: ReturnType<SelfFetch['handOver']>[number] | undefined): number[] {
  return (message?.blocks ?? []).map(({ block }) => block).toSorted((a, b) => a - b);
}

/** The bytes of the blob with the lowest bit of byte `at` inverted. */
function flipped(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

test('table and run are one request each, and are remembered', async () => {
  const { read, source, tableLength } = await fixture();
  expect(await read(2, 3)).toEqual([2, 3, 4]);
  expect(source.requests.map(({ start, end }) => [start, end])).toEqual([
    [0, tableLength],
    [tableLength + 2 * 4096, tableLength + 5 * 4096],
  ]);
  expect(await read(3, 1)).toEqual([3]);
  expect(source.requests.length).toBe(2);
  expect(await read(1, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(source.requests.slice(2).map(({ start }) => (start - tableLength) / 4096)).toEqual([1, 5]);
});

test('one table serves all who wait for it', async () => {
  const { read, source } = await fixture();
  await Promise.all([read(0, 1), read(5, 1), read(9, 1)]);
  expect(source.requests.filter(({ start }) => start === 0).length).toBe(1);
});

test('what was fetched is handed over, table included', async () => {
  const { read, selfFetch, small } = await fixture();
  expect(selfFetch.handOver()).toEqual([]);
  await read(7, 2);
  const [message] = selfFetch.handOver();
  expect(message?.image).toBe(small.image.id);
  expect(blocksOf(message)).toEqual([-1, 7, 8]);
  expect(message?.blocks.every(({ blob }) => blob === 0)).toBe(true);
  // It is the loader's now.
  expect(selfFetch.handOver()).toEqual([]);
});

test('a flipped bit: one refetch, then integrity; the neighbours come', async () => {
  const { read, source, tableLength, selfFetch, small } = await fixture();
  const bad = tableLength + 3 * 4096 + 5;
  source.hook = async (_request, bytes) => flipped(bytes, bad);
  const got: number[] = [];
  const reading = selfFetch.read(
    small.image,
    0,
    { first: 2, count: 3 },
    (block) => got.push(block),
    patience,
  );
  await expect(reading).rejects.toMatchObject({ code: 'integrity' });
  expect(got.toSorted((a, b) => a - b)).toEqual([2, 4]);
  expect(source.requests.map(({ start }) => start)).toEqual([
    0,
    tableLength + 2 * 4096,
    tableLength + 3 * 4096,
  ]);
  expect(blocksOf(selfFetch.handOver()[0])).toEqual([-1, 2, 4]);
  source.hook = undefined;
  expect(await read(3, 1)).toEqual([3]);
});

test('a bit that was flipped once on the way does no harm', async () => {
  const { read, source, tableLength } = await fixture();
  let spoilt = false;
  source.hook = async ({ start }, bytes) => {
    if (spoilt || start === 0) return bytes;
    spoilt = true;
    return flipped(bytes, tableLength + 1);
  };
  expect(await read(0, 1)).toEqual([0]);
});

test('a spoilt table is fetched again once, and then is integrity', async () => {
  const { read, source } = await fixture();
  source.hook = async (_request, bytes) => flipped(bytes, 20);
  await expect(read(0, 1)).rejects.toMatchObject({ code: 'integrity' });
  expect(source.requests.length).toBe(2);
  source.hook = undefined;
  expect(await read(0, 1)).toEqual([0]);
});

test('a connection that drops is tried again once', async () => {
  const { read, source } = await fixture();
  let failures = 1;
  source.hook = async (_request, bytes) => {
    if (failures-- > 0) throw new SluiceError('offline', 'dropped');
    return bytes;
  };
  expect(await read(0, 1)).toEqual([0]);
  source.requests.length = 0;
  failures = Number.POSITIVE_INFINITY;
  await expect(read(4, 1)).rejects.toMatchObject({ code: 'offline' });
  expect(source.requests.length).toBe(2);
});

test('a busy server is asked again, only for what is missing', async () => {
  const { read, source, tableLength } = await fixture();
  let busy = 2;
  source.hook = async ({ start }, bytes) => {
    if (start > 0 && busy-- > 0) throw new OriginError('503', { retryable: true });
    return bytes;
  };
  expect(await read(0, 2)).toEqual([0, 1]);
  expect(source.requests.map(({ start }) => start)).toEqual([0, tableLength, tableLength, tableLength]);
  source.hook = async () => {
    throw new OriginError('404');
  };
  source.requests.length = 0;
  await expect(read(4, 1)).rejects.toMatchObject({ code: 'bad-origin' });
  expect(source.requests.length).toBe(1);
});

test('a host without ranges is asked for a whole blob once', async () => {
  const { read, source } = await fixture();
  source.wholeFiles = true;
  expect(await read(4, 2)).toEqual([4, 5]);
  expect(await read(0, 20)).toHaveLength(20);
  expect(source.requests.length).toBe(1);
});

test('an aborted read ends with the signal’s reason', async () => {
  const { small, selfFetch, source } = await fixture();
  const abort = new AbortController();
  source.hook = async ({ start }, bytes) => {
    if (start > 0) abort.abort(new Error('enough'));
    return bytes;
  };
  await expect(
    selfFetch.read(small.image, 0, { first: 0, count: 2 }, () => {}, {
      timeoutMs: 10_000,
      signal: abort.signal,
    }),
  ).rejects.toThrow('enough');
});

test('what comes while a loader is there is given to it at once, and it hears what is still to come', async () => {
  const small = await smallImage({ 'a.bin': { bytes: content } }, { blocksPerBlob: 20 });
  const source = new MemorySource(small);
  const given: number[] = [];
  let takes = false;
  const selfFetch = new SelfFetch(source, {
    take: ({ blocks }) => {
      if (takes) given.push(...blocks.map(({ block }) => block));
      return takes;
    },
  });
  const seen: unknown[] = [];
  const deliver = (): void => {
    seen.push(...selfFetch.underWay);
  };
  await selfFetch.read(small.image, 0, { first: 0, count: 2 }, deliver, patience);
  expect(seen[0]).toEqual({ type: 'bringing-blocks', image: small.image.id, blob: 0, first: 0, count: 2 });
  expect([...selfFetch.underWay]).toEqual([]);
  takes = true;
  await selfFetch.read(small.image, 0, { first: 2, count: 2 }, () => {}, patience);
  expect(given.toSorted()).toEqual([2, 3]);
  expect(
    selfFetch
      .handOver()[0]!
      .blocks.map(({ block }) => block)
      .toSorted(),
  ).toEqual([-1, 0, 1]);
});

test('a block that was fetched lately is given without asking again, with its table from the store', async () => {
  const { small, record } = await fixture();
  const source = new MemorySource(small);
  const table = await BlockTable.open(small.blobs[0]!.bytes.slice(0, record.tableLength), record);
  const selfFetch = new SelfFetch(source, { storedTable: async () => table });
  await selfFetch.read(small.image, 0, { first: 4, count: 1 }, () => {}, patience);
  expect(source.requests.map(({ start }) => start)).toEqual([table.stored(4).start]);
  const got: number[] = [];
  for (const block of [3, 4]) selfFetch.give(small.image, 0, block, (given) => got.push(given));
  expect(got).toEqual([4]);
});
