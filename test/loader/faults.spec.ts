import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { blobFile } from '../contracts/blob-file.ts';
import type { Fault } from '../support/fault.ts';
import type { LoggedRequest } from '../support/origin.ts';
import { askedBytes, failure, withEngine } from './engine-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

/** What the network can do to a read, and what the reader gets. */
const KiB = 1024;
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'a', size: 200 * KiB, shift: 16 },
      { name: 'b', size: 200 * KiB, shift: 16 },
      { name: 'c', size: 300 * KiB, shift: 16 },
    ],
    512 * KiB,
  );
});

const content = (name: string): Uint8Array => site.files.get(name)!;

function expectSame(actual: Uint8Array, name: string): void {
  expect(Buffer.compare(actual, content(name))).toBe(0);
}

/** Answers the first `count` requests for blobs with the fault. */
function first(count: number, fault: Fault): () => Fault | undefined {
  let left = count;
  return () => (left-- > 0 ? fault : undefined);
}

const refused: { name: string; fault: Fault; code: string; requests: number }[] = [
  { name: 'HTML instead of a blob', fault: { type: 'html-200' }, code: 'bad-origin', requests: 1 },
  { name: '404', fault: { type: 'status', status: 404 }, code: 'bad-origin', requests: 1 },
  { name: '403', fault: { type: 'status', status: 403 }, code: 'bad-origin', requests: 1 },
  { name: '500 again and again', fault: { type: 'status', status: 500 }, code: 'bad-origin', requests: 4 },
  {
    name: '429 that asks for more patience than the reader has',
    fault: { type: 'status', status: 429, retryAfter: 60 },
    code: 'bad-origin',
    requests: 1,
  },
  {
    name: 'a connection that is cut before every answer',
    fault: { type: 'cut-before-headers' },
    code: 'offline',
    // The second range without an answer is followed by a plain GET: the browser may be refusing ranges.
    requests: 3,
  },
];

for (const { name, fault, code, requests } of refused) {
  test(`${name}: ${code} after ${requests} request(s); mended, the same read works`, () =>
    withEngine(site, async ({ origin, read, engine }) => {
      origin.fault = () => fault;
      const error = await failure(read('a', 0, 10));
      expect(error.code).toBe(code);
      expect(error.path).toBe('a');
      expect(origin.log.length).toBe(requests);
      expect(engine.info().lastError?.code).toBe(code);
      origin.fault = undefined;
      expectSame(await read('a'), 'a');
    }));
}

test('500 once, then right: the read works', () =>
  withEngine(site, async ({ origin, read }) => {
    origin.fault = first(1, { type: 'status', status: 500 });
    expectSame(await read('a'), 'a');
    expect(origin.log.length).toBe(2);
  }));

test('429 with Retry-After: asked again, not before that', () =>
  withEngine(site, async ({ origin, read }) => {
    origin.fault = first(1, { type: 'status', status: 429, retryAfter: 1 });
    expectSame(await read('a'), 'a');
    const [before, after] = origin.log;
    expect(after!.startedAt - before!.startedAt).toBeGreaterThanOrEqual(1000);
  }));

test('cut in the middle: goes on from there, nothing is fetched twice', () =>
  withEngine(site, async ({ origin, read }) => {
    await read('a'); // The table is known now.
    origin.reset();
    origin.fault = first(1, { type: 'cut-at', byte: 100_001 });
    expectSame(await read('b'), 'b');
    const [cut, rest] = origin.log;
    expect(origin.log.length).toBe(2);
    const end = Number(/bytes=(\d+)-/.exec(cut!.range!)![1]) + 100_001;
    const resumed = Number(/bytes=(\d+)-/.exec(rest!.range!)![1]);
    // What the server had sent and the cut connection had not delivered is not ours.
    expect(resumed).toBeLessThanOrEqual(end);
    expect(resumed).toBeGreaterThan(end - 100_001);
    expect(resumed + rest!.bodyBytes).toBe(Number(/-(\d+)$/.exec(cut!.range!)![1]) + 1);
  }));

test('cut again and again before a block is whole, though all of the blob was asked for: goes on each time', async () => {
  // The hint for an unknown table is all of the blob, which is asked for without a Range.
  const one = await makeSite([{ name: 'd', size: 300 * KiB, shift: 16 }], 512 * KiB);
  await withEngine(one, async ({ origin, read }) => {
    origin.fault = () => ({ type: 'cut-at', byte: 20_000, afterMs: 50 });
    expect(Buffer.compare(await read('d'), one.files.get('d')!)).toBe(0);
    expect(origin.log[0]?.range).toBeUndefined();
    // What had come was gone on from, each time.
    const starts = origin.log.slice(1).map(({ range }) => Number(/bytes=(\d+)-/.exec(range ?? '')?.[1]));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[0]).toBeGreaterThan(0);
  });
});

for (const type of ['one-byte-short', 'wrong-content-range', 'gzip-206'] as const) {
  test(`${type} for every range: the blob is taken whole, and the read works`, () =>
    withEngine(site, async ({ origin, read }) => {
      origin.fault = (request) => (request.range ? { type } : undefined);
      expectSame(await read('b'), 'b');
      origin.reset();
      expectSame(await read('c'), 'c');
      // Ranges are not tried again.
      expect(origin.log.every((entry) => entry.range === undefined)).toBe(true);
    }));

  test(`${type} for ranges, 404 for whole blobs: bad-origin`, () =>
    withEngine(site, async ({ origin, read }) => {
      origin.fault = (request) => (request.range ? { type } : { type: 'status', status: 404 });
      expect((await failure(read('a', 0, 10))).code).toBe('bad-origin');
      origin.fault = undefined;
      expectSame(await read('a'), 'a');
    }));
}

test('a table spoilt on this disk: it is fetched again, the blocks that are here are not', async () => {
  const directory = new MemoryDirectory();
  await withEngine(site, async ({ read }) => expectSame(await read('b'), 'b'), { directory });
  const [blob] = site.blobs;
  const file = await directory.open(await blobFile(directory, blob!.record.sha256));
  file.write(Uint8Array.of(1, 2, 3), 20);
  file.close();
  await withEngine(
    site,
    async ({ origin, read, engine }) => {
      expectSame(await read('b'), 'b');
      expect(engine.fetchedBytes).toBeLessThan(blob!.record.tableLength + 1);
      expect(origin.log.length).toBe(1);
    },
    { directory },
  );
});

test('a table spoilt on this disk, and its blocks gone: after waking, the block is looked up again, and fetched', async () => {
  const directory = new MemoryDirectory();
  await withEngine(site, async ({ read }) => expectSame(await read('b'), 'b'), { directory });
  const { record } = site.blobs[0]!;
  const file = await directory.open(await blobFile(directory, record.sha256));
  file.write(Uint8Array.of(1, 2, 3), 20);
  file.truncate(record.tableLength);
  file.close();
  await withEngine(site, async ({ read }) => expectSame(await read('b'), 'b'), { directory });
});

test('cut again and again within the table, of which nothing can be kept: that counts as failing', async () => {
  // 500 blocks: a table of 20 KB.
  const one = await makeSite([{ name: 'd', size: 2000 * KiB, shift: 12 }], 4096 * KiB);
  await withEngine(one, async ({ origin, read }) => {
    origin.fault = () => ({ type: 'cut-at', byte: 18_000, afterMs: 50 });
    expect((await failure(read('d', 0, 10))).code).toMatch(/offline|bad-origin/);
    expect(origin.log.length).toBeLessThan(6);
  });
});

test('a host without ranges: a reader that goes away does not throw away what is on its way', () =>
  withEngine(
    site,
    async ({ origin, engine, mount, read }) => {
      expectSame(await read('a'), 'a'); // It is known now that there are no ranges.
      origin.fault = () => ({ type: 'throttle', bytesPerSecond: 100_000 });
      const abort = new AbortController();
      const wanted = { blob: 1, block: 2, path: 'c', timeoutMs: 10_000 };
      const gone = engine.read(mount, { ...wanted, signal: abort.signal });
      const asked = (): LoggedRequest[] => origin.requests(new RegExp(site.blobs[1]!.record.sha256));
      await expect.poll(() => asked()[0]?.bodyBytes, { intervals: [10] }).toBeGreaterThan(20_000);
      abort.abort(new SluiceError('closed', 'gone'));
      expect((await failure(gone)).code).toBe('closed');
      await engine.read(mount, wanted);
      expect(asked()).toHaveLength(1);
    },
    { ranges: false },
  ));

test('a hung server: asked again while a reader’s deadline lasts; read-timeout for who has none left; served when it answers', () =>
  withEngine(
    site,
    async ({ origin, read }) => {
      origin.fault = () => ({ type: 'hang' });
      const patient = read('a', 0, 10, 60_000);
      const started = performance.now();
      expect((await failure(read('a', 0, 10, 600))).code).toBe('read-timeout');
      expect(performance.now() - started).toBeGreaterThanOrEqual(590);
      // However late a busy machine lets a stall be noticed.
      await expect.poll(() => origin.log.length).toBeGreaterThan(2);
      origin.fault = undefined;
      expect(Buffer.compare(await patient, content('a').subarray(0, 10))).toBe(0);
    },
    { stallMs: 200 },
  ));

test('timers that come too early: what failed is tried again all the same', () => {
  const early = { ...systemClock, after: (ms: number, wake: () => void) => systemClock.after(ms - 60, wake) };
  return withEngine(
    site,
    async ({ origin, read }) => {
      let failures = 2;
      origin.fault = () => (failures-- > 0 ? { type: 'status', status: 503 } : undefined);
      expectSame(await read('a'), 'a');
    },
    { clock: early },
  );
});

test('one hung connection: the next one serves the reader', () =>
  withEngine(
    site,
    async ({ origin, read }) => {
      origin.fault = first(1, { type: 'hang-at', byte: 70_000 });
      expectSame(await read('a'), 'a');
    },
    { stallMs: 200 },
  ));

test('a timeout of 0 takes only what is here', () =>
  withEngine(site, async ({ origin, read, engine, mount }) => {
    expect((await failure(engine.read(mount, { blob: 0, block: 0, path: 'a', timeoutMs: 0 }))).code).toBe(
      'read-timeout',
    );
    expect(origin.log.length).toBe(0);
    await read('a');
    expect((await engine.read(mount, { blob: 0, block: 0, path: 'a', timeoutMs: 0 })).bytes.length).toBe(
      65536,
    );
  }));

test('a flipped bit: one refetch, integrity for its readers alone, mended without a restart', () =>
  withEngine(site, async ({ origin, read, engine, mount, event }) => {
    const { record } = site.blobs[0]!;
    // In the second block of `a`.
    const offset = record.tableLength + 70_000;
    origin.fault = (request) =>
      request.path.includes(record.sha256) ? { type: 'flip-bit', offset } : undefined;
    const covering = () =>
      origin.requests(({ path, range }) => {
        const [, low, high] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
        return path.includes(record.sha256) && Number(low) <= offset && offset <= Number(high);
      });
    const error = await failure(read('a'));
    expect(error.code).toBe('integrity');
    expect(error.path).toBe('a');
    expect(covering().length).toBe(2);
    expectSame(await read('b'), 'b');
    expect(Buffer.compare(await read('a', 0, 65536), content('a').subarray(0, 65536))).toBe(0);
    // The background goes on with all the rest.
    engine.complete(mount);
    await expect.poll(() => mount.presentBlocks).toBe(mount.totalBlocks - 1);
    origin.fault = undefined;
    expectSame(await read('a'), 'a');
    await event('complete');
  }));

test('a flipped bit in a block table: one refetch, integrity, mended', () =>
  withEngine(site, async ({ origin, read }) => {
    const { record } = site.blobs[0]!;
    origin.fault = (request) =>
      request.path.includes(record.sha256) ? { type: 'flip-bit', offset: 30 } : undefined;
    expect((await failure(read('a', 0, 10))).code).toBe('integrity');
    expect(origin.requests(({ range }) => range?.startsWith('bytes=0-') ?? false).length).toBe(2);
    const inSecondBlob = content('c').subarray(128 * KiB);
    expect(Buffer.compare(await read('c', 128 * KiB), inSecondBlob)).toBe(0);
    origin.fault = undefined;
    expectSame(await read('a'), 'a');
  }));

test('the server is gone: offline at once, for everybody; back again: it works', () =>
  withEngine(site, async ({ origin, read, engine, mount, event }) => {
    expectSame(await read('a'), 'a');
    await origin.stop();
    const started = performance.now();
    const all = Array.from({ length: 40 }, (_, i) =>
      failure(read(i % 2 ? 'b' : 'c', i * 5000, i * 5000 + 10)),
    );
    for (const error of await Promise.all(all)) expect(error.code).toBe('offline');
    expect(performance.now() - started).toBeLessThan(15_000); // Half of a read's own deadline.
    expectSame(await read('a'), 'a');
    await expect.poll(() => engine.info().activity).toBe('offline');
    engine.complete(mount);
    await expect.poll(() => engine.info().errors).toBeGreaterThan(2);
    await origin.start();
    engine.retryNow();
    await event('complete');
    expectSame(await read('b'), 'b');
    await expect.poll(() => engine.info().activity).toBe('idle');
  }));

test('the background backs off while the server is gone, and a reader’s success brings it back', () =>
  withEngine(site, async ({ origin, read, engine, mount, event }) => {
    await origin.stop();
    engine.complete(mount);
    await expect.poll(() => engine.info().errors).toBeGreaterThan(0);
    await origin.start();
    expectSame(await read('c'), 'c');
    await event('complete');
    expect(askedBytes(origin, site).twice).toBe(0);
  }));

/** A directory whose disk is full from some point on. */
class FullDirectory implements Directory {
  full = false;
  readonly #inner = new MemoryDirectory();

  async open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    const file = await this.#inner.open(path, options);
    const check = (): void => {
      if (this.full) throw new SluiceError('ENOSPC', 'The quota is exhausted');
    };
    return {
      read: (into, at) => file.read(into, at),
      write: (bytes, at) => {
        check();
        file.write(bytes, at);
      },
      size: () => file.size(),
      truncate: (length) => file.truncate(length),
      flush: () => {
        check();
        file.flush();
      },
      close: () => file.close(),
    };
  }

  snapshot(path: string): Promise<Blob | undefined> {
    return this.#inner.snapshot(path);
  }

  list(folder: string): Promise<string[]> {
    return this.#inner.list(folder);
  }

  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }
}

test('quota exhausted: reads go on, from a bounded memory, and what falls out is fetched again', () => {
  const directory = new FullDirectory();
  return withEngine(
    site,
    async ({ origin, read, engine, mount, local }) => {
      expectSame(await read('a'), 'a');
      // What is not durable by then would be lost with its flush.
      await engine.flush();
      directory.full = true;
      expectSame(await read('b'), 'b');
      expect(local.full).toBe(true);
      expect(engine.info().lastError?.code).toBe('ENOSPC');
      expectSame(await read('c'), 'c');
      origin.reset();
      expectSame(await read('a'), 'a');
      expect(origin.log.length).toBe(0);
      expectSame(await read('b'), 'b');
      expect(origin.log.length).toBeGreaterThan(0);
      // Nothing is loaded ahead that could not be kept.
      await engine.flush();
      origin.reset();
      engine.complete(mount);
      expectSame(await read('a'), 'a');
      expect(origin.log.length).toBe(0);
      expect(mount.complete).toBe(false);
    },
    { directory, local: { spillBytes: 350 * KiB } },
  );
});

test('no storage at all: kept in memory up to a bound', () =>
  withEngine(
    site,
    async ({ read, local, engine }) => {
      for (const name of ['a', 'b', 'c', 'a', 'b', 'c']) expectSame(await read(name), name);
      expect(local.full).toBe(true);
      expect(engine.info().lastError?.code).toBe('ENOSPC');
    },
    { local: { capacityBytes: 300 * KiB, spillBytes: 100 * KiB } },
  ));

test('closing ends every wait', () =>
  withEngine(site, async ({ origin, read, engine }) => {
    origin.fault = () => ({ type: 'hang' });
    const reading = failure(read('a'));
    await origin.waitForRequest(() => true);
    await engine.close();
    expect((await reading).code).toBe('closed');
    expect((await failure(read('a'))).code).toBe('closed');
  }));
