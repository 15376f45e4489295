import { expect, test } from '@playwright/test';
import { type ErrorCode, SluiceError } from '../../src/format/errors.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { BlockReader, type ReadRequest } from '../../sw/block-reader.ts';
import type { Deliver } from '../../sw/encoded-block.ts';
import type { BlocksWanted, LoaderPort } from '../../sw/loader-ports.ts';
import type { LocalBlocks } from '../../sw/local-blocks.ts';
import { noise } from '../support/random.ts';
import { type SmallImage, smallImage } from './small-image.ts';

const content = noise(4, 20 * 4096);
const blockBytes = (block: number) => content.slice(block * 4096, (block + 1) * 4096);
let small: SmallImage;
test.beforeAll(async () => {
  small = await smallImage({ 'a.bin': { bytes: content } }, { blocksPerBlob: 20 });
});

/** One call that the reader made of a loader, to be ended by the test. */
interface Call {
  readonly want: BlocksWanted;
  readonly signal: AbortSignal;
  give(...blocks: number[]): void;
  fail(code: ErrorCode): void;
}

/** A loader whose every answer the test gives. */
class HandLoader implements LoaderPort {
  readonly role: LoaderPort['role'];
  readonly calls: Call[] = [];
  constructor(role: LoaderPort['role'] = 'leader') {
    this.role = role;
  }
  post(): void {}
  readBootstrap(): Promise<never> {
    return Promise.reject(new SluiceError('EINVAL', 'not asked here'));
  }
  readBlocks(want: BlocksWanted, deliver: Deliver, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const left = new Set(Array.from({ length: want.count }, (_, i) => want.first + i));
      signal.addEventListener('abort', () => reject(signal.reason));
      this.calls.push({
        want,
        signal,
        give: (...blocks) => {
          for (const block of blocks) {
            left.delete(block);
            deliver(block, { codec: 0, logicalLength: 4096, bytes: blockBytes(block) });
          }
          if (left.size === 0) resolve();
        },
        fail: (code) => reject(new SluiceError(code, 'by hand')),
      });
    });
  }
  /** The nth call, as soon as it was made. */
  async call(n: number): Promise<Call> {
    await expect.poll(() => this.calls.length, { intervals: [1] }).toBeGreaterThan(n);
    return this.calls[n]!;
  }
}

/** Everything is here, as a store has it that is read without a loader. */
function storeOf(reads: number[]): Pick<LocalBlocks, 'has' | 'read'> {
  return {
    has: () => true,
    read: async (_record, { first, count }, deliver) => {
      for (let block = first; block < first + count; block++) {
        reads.push(block);
        deliver(block, { codec: 0, logicalLength: 4096, bytes: blockBytes(block) });
      }
    },
  };
}

function fixture(
  loaders: LoaderPort[] = [new HandLoader()],
  store: Pick<LocalBlocks, 'has' | 'read'> | undefined = undefined,
) {
  const fetched: number[] = [];
  const decoded: number[] = [];
  const lately = new Set<number>();
  let gate = Promise.resolve();
  const waits: number[] = [];
  const reader = new BlockReader({
    local: async () => store,
    ports: {
      get best() {
        return loaders[0];
      },
      wait: async () => {
        waits.push(1);
        return loaders[0];
      },
    },
    served: { note: () => {} },
    selfFetch: {
      give: (_image, _blob, block, deliver) => {
        if (lately.has(block)) deliver(block, { codec: 0, logicalLength: 4096, bytes: blockBytes(block) });
      },
      read: async (_image, _blob, { first, count }, deliver) => {
        await gate;
        for (let block = first; block < first + count; block++) {
          fetched.push(block);
          deliver(block, { codec: 0, logicalLength: 4096, bytes: blockBytes(block) });
        }
      },
    },
    decode: ({ bytes }) => {
      decoded.push(bytes[0]!);
      return bytes;
    },
  });
  const read = (first: number, count: number, more: Partial<ReadRequest> = {}) =>
    reader.read({
      image: small.image,
      path: 'a.bin',
      blob: 0,
      first,
      count,
      timeoutMs: 10_000,
      mayWaitForLoader: false,
      partial: false,
      long: false,
      ...more,
    });
  /** Fetching by itself waits until the answer is called. */
  const hold = (): (() => void) => {
    const { promise, resolve } = deferred();
    gate = promise;
    return resolve;
  };
  return { reader, read, lately, hold, loaders, fetched, decoded, waits, loader: loaders[0] as HandLoader };
}

async function isRight(block: number, bytes: Promise<Uint8Array>): Promise<void> {
  expect(Buffer.compare(await bytes, blockBytes(block))).toBe(0);
}

test('a run is one call; blocks arrive in any order', async () => {
  const { read, loader } = fixture();
  const pending = read(3, 4);
  const call = await loader.call(0);
  expect(call.want).toMatchObject({ first: 3, count: 4, blob: 0, path: 'a.bin', image: small.image.id });
  call.give(6, 3, 5, 4);
  await Promise.all(pending.map(({ bytes }, i) => isRight(3 + i, bytes)));
});

test('a block is on its way once, however many wait for it', async () => {
  const { read, loader, decoded } = fixture();
  const first = read(0, 4);
  const second = read(2, 4);
  const third = read(3, 1);
  (await loader.call(0)).give(0, 1, 2, 3);
  const other = await loader.call(1);
  expect(other.want).toMatchObject({ first: 4, count: 2 });
  other.give(4, 5);
  await Promise.all([first, second, third].flat().map(({ bytes }) => bytes));
  await isRight(3, third[0]!.bytes);
  expect(loader.calls.length).toBe(2);
  expect(decoded.length).toBe(6);
});

test('a part of a block leaves it decoded for the next reader', async () => {
  const { read, loader, decoded } = fixture();
  const [first] = read(1, 1, { partial: true });
  (await loader.call(0)).give(1);
  await isRight(1, first!.bytes);
  await isRight(1, read(1, 1, { partial: true })[0]!.bytes);
  expect([loader.calls.length, decoded.length]).toEqual([1, 1]);
});

test('what was found bad on disk is not served from memory, nor kept by a read that was under way', async () => {
  const { reader, read, loader } = fixture();
  const [first] = read(1, 1, { partial: true });
  (await loader.call(0)).give(1);
  await first!.bytes;
  const [late] = read(2, 1, { partial: true });
  const call = await loader.call(1);
  reader.forgetDecoded();
  call.give(2);
  await late!.bytes;
  const again = [read(1, 1, { partial: true })[0]!, read(2, 1, { partial: true })[0]!];
  (await loader.call(2)).give(1);
  (await loader.call(3)).give(2);
  for (const [i, { bytes }] of again.entries()) await isRight(i + 1, bytes);
});

test('a failure is told to all who wait, and the next read tries again', async () => {
  const { read, loader } = fixture();
  const pending = [read(0, 2), read(0, 1)].flat();
  (await loader.call(0)).fail('offline');
  for (const { bytes } of pending) await expect(bytes).rejects.toMatchObject({ code: 'offline' });
  const [again] = read(0, 1);
  (await loader.call(1)).give(0);
  await isRight(0, again!.bytes);
});

test('one bad block does not fail its neighbours', async () => {
  const { read, loader } = fixture();
  const pending = read(0, 4);
  const call = await loader.call(0);
  call.give(0);
  call.fail('integrity');
  await loader.call(3);
  for (const single of loader.calls.slice(1)) {
    expect(single.want.count).toBe(1);
    if (single.want.first === 2) single.fail('integrity');
    else single.give(single.want.first);
  }
  for (const block of [0, 1, 3]) await isRight(block, pending[block]!.bytes);
  await expect(pending[2]!.bytes).rejects.toMatchObject({ code: 'integrity' });
  expect(loader.calls.length).toBe(4);
});

test('a loader that dies is replaced for what is left: by another loader, by the network', async () => {
  const [one, two] = [new HandLoader(), new HandLoader()];
  const { read, loaders, fetched } = fixture([one, two]);
  const pending = read(0, 5);
  const call = await one.call(0);
  call.give(0, 3);
  loaders.shift();
  call.fail('disconnected');
  expect((await two.call(0)).want).toMatchObject({ first: 1, count: 2 });
  two.calls[0]!.give(1, 2);
  const last = await two.call(1);
  expect(last.want).toMatchObject({ first: 4, count: 1 });
  loaders.shift();
  last.fail('disconnected');
  await Promise.all(pending.map(({ bytes }, i) => isRight(i, bytes)));
  expect(fetched).toEqual([4]);
});

test('a loader that cannot read (an image that it does not know) is no reason to fail', async () => {
  const { read, loader, fetched } = fixture();
  const pending = read(0, 3);
  const call = await loader.call(0);
  call.give(1);
  call.fail('unreadable');
  await Promise.all(pending.map(({ bytes }, i) => isRight(i, bytes)));
  expect(fetched).toEqual([0, 2]);
});

test('without a loader: only a page’s own request waits for one', async () => {
  const { read, fetched, waits } = fixture([]);
  await isRight(0, read(0, 1)[0]!.bytes);
  expect(waits.length).toBe(0);
  await isRight(1, read(1, 1, { mayWaitForLoader: true })[0]!.bytes);
  expect([waits.length, fetched]).toEqual([1, [0, 1]]);
});

test('each reader has its own deadline', async () => {
  const { read, loader } = fixture();
  const [short] = read(0, 1, { timeoutMs: 1000 });
  const [long] = read(0, 1, { timeoutMs: 10_000 });
  const call = await loader.call(0);
  await expect(short!.bytes).rejects.toMatchObject({ code: 'read-timeout' });
  expect(call.signal.aborted).toBe(false);
  // The loader gives up when the first reader's time is over; the second one's is not.
  call.fail('read-timeout');
  const again = await loader.call(1);
  expect(again.want.timeoutMs).toBeGreaterThan(5000);
  again.give(0);
  await isRight(0, long!.bytes);
});

test('a timeout of 0 wants only what is here', async () => {
  const { read, loader } = fixture();
  const [zero] = read(0, 1, { timeoutMs: 0 });
  const call = await loader.call(0);
  expect(call.want.timeoutMs).toBe(0);
  call.fail('read-timeout');
  await expect(zero!.bytes).rejects.toMatchObject({ code: 'read-timeout' });
  const alone = fixture([]);
  await expect(alone.read(0, 1, { timeoutMs: 0 })[0]!.bytes).rejects.toMatchObject({ code: 'read-timeout' });
  expect(alone.fetched).toEqual([]);
});

test('a reader that wants only what is here does not end the wait of one that joins it', async () => {
  const { read, loader } = fixture();
  const [zero] = read(0, 2, { timeoutMs: 0 });
  const call = await loader.call(0);
  const [long] = read(1, 1);
  call.fail('read-timeout');
  await expect(zero!.bytes).rejects.toMatchObject({ code: 'read-timeout' });
  const again = await loader.call(1);
  expect(again.want).toMatchObject({ first: 1, count: 1 });
  expect(again.want.timeoutMs).toBeGreaterThan(5000);
  again.give(1);
  await isRight(1, long!.bytes);

  const alone = fixture([]);
  const open = alone.hold();
  const [nothing] = alone.read(0, 1, { timeoutMs: 0 });
  const [all] = alone.read(0, 1);
  await expect(nothing!.bytes).rejects.toMatchObject({ code: 'read-timeout' });
  open();
  await isRight(0, all!.bytes);
});

test('when the last reader has withdrawn the call is cancelled, not before', async () => {
  const { read, loader } = fixture();
  const pending = read(0, 2);
  const [other] = read(1, 1);
  const call = await loader.call(0);
  for (const block of pending) block.withdraw();
  expect(call.signal.aborted).toBe(false);
  other!.withdraw();
  other!.withdraw();
  expect(call.signal.aborted).toBe(true);
  await expect(other!.bytes).rejects.toMatchObject({ code: 'closed' });
  const [again] = read(1, 1);
  (await loader.call(1)).give(1);
  await isRight(1, again!.bytes);
});

test('what is brought ahead is joined by its readers, goes on without them, and is decoded for them only', async () => {
  const { reader, read, hold, fetched, decoded } = fixture([]);
  const open = hold();
  const brought = reader.bring({ image: small.image, blob: 0, first: 0, count: 4, timeoutMs: 10_000 });
  const [left, stays] = read(1, 2);
  left!.withdraw();
  await expect(left!.bytes).rejects.toMatchObject({ code: 'closed' });
  open();
  expect(await stays!.bytes).toEqual(blockBytes(2));
  await brought;
  expect(fetched).toEqual([0, 1, 2, 3]);
  expect(decoded).toEqual([blockBytes(2)[0]]);
});

test('a block that was fetched lately is not waited for', async () => {
  const { read, lately, waits, fetched } = fixture([]);
  lately.add(3);
  expect(await read(3, 1, { mayWaitForLoader: true })[0]!.bytes).toEqual(blockBytes(3));
  expect([waits, fetched]).toEqual([[], []]);
});

test('what is here of a long answer is decoded by a loader; of a short one by this worker', async () => {
  const loader = new HandLoader();
  const reads: number[] = [];
  const { read } = fixture([loader], storeOf(reads));
  const long = read(0, 3, { long: true });
  const call = await loader.call(0);
  expect(call.want).toMatchObject({ first: 0, count: 3, decoded: true });
  call.give(1, 0, 2);
  for (const [block, { bytes }] of long.entries()) await isRight(block, bytes);
  expect(reads).toEqual([]);
  await isRight(3, read(3, 1)[0]!.bytes);
  expect([reads, loader.calls.length]).toEqual([[3], 1]);
  // A loader that does not lead is not asked: it would have to ask another.
  const standby = new HandLoader('standby');
  await isRight(5, fixture([standby], storeOf([])).read(5, 1, { long: true })[0]!.bytes);
  expect(standby.calls).toEqual([]);
  // Nor does somebody who has no time to lose wait for a loader that may have none.
  await isRight(4, read(4, 1, { long: true, timeoutMs: 0 })[0]!.bytes);
  expect([reads, loader.calls.length]).toEqual([[3, 4], 1]);
});

test('a loader that does not decode is not asked for it again: what did not come is decoded here', async () => {
  for (const code of ['read-timeout', 'no-wasm', 'disconnected', 'unreadable'] as const) {
    const loader = new HandLoader();
    const reads: number[] = [];
    const { read } = fixture([loader], storeOf(reads));
    const long = read(0, 3, { long: true });
    const call = await loader.call(0);
    call.give(0);
    call.fail(code);
    for (const [block, { bytes }] of long.entries()) await isRight(block, bytes);
    expect(reads).toEqual([1, 2]);
    await isRight(4, read(4, 1, { long: true })[0]!.bytes);
    expect([reads, loader.calls.length]).toEqual([[1, 2, 4], 1]);
  }
});

test('a long answer whose reader is gone is not read after all', async () => {
  const loader = new HandLoader();
  const reads: number[] = [];
  const { read } = fixture([loader], storeOf(reads));
  const long = read(0, 2, { long: true });
  const call = await loader.call(0);
  for (const { withdraw } of long) withdraw();
  for (const { bytes } of long) await expect(bytes).rejects.toMatchObject({ code: 'closed' });
  expect(call.signal.aborted).toBe(true);
  // That was no failure of the loader's.
  const [again] = read(5, 1, { long: true });
  (await loader.call(1)).give(5);
  await isRight(5, again!.bytes);
  expect(reads).toEqual([]);
});
