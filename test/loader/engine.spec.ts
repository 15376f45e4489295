import { setMaxListeners } from 'node:events';
import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Image } from '../../src/image/image.ts';
import { FileReader } from '../../src/loader/file-reader.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { seededRandom } from '../support/random.ts';
import { askedBytes, failure, withEngine } from './engine-rig.ts';
import { ManualClock } from './manual-clock.ts';
import { QuotaDirectory } from './quota-directory.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

const KiB = 1024;
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 16 },
      { name: 'app.js', size: 300 * KiB, shift: 16 },
      { name: 'data.pak', size: 2000 * KiB, shift: 14 },
      { name: 'tail.bin', size: 100 * KiB + 1, shift: 12 },
      { name: 'empty', size: 0, shift: 12 },
    ],
    512 * KiB,
  );
});

const content = (name: string): Uint8Array => site.files.get(name)!;

test('a first read: table and blocks of the file in one request, exactly', () =>
  withEngine(site, async ({ origin, read }) => {
    expectSame(await read('index.html'), content('index.html'));
    expect(origin.log.map((entry) => entry.range)).toEqual([
      `bytes=0-${site.blobs[0]!.record.tableLength + 3000 - 1}`,
    ]);
    expectSame(await read('index.html'), content('index.html'));
    expect(origin.log.length).toBe(1);
  }));

test('any file and range reads as published; nothing is fetched twice', () =>
  withEngine(site, async ({ origin, read }) => {
    for (const name of site.files.keys()) {
      expectSame(await read(name, 10, 5000), content(name).slice(10, 5000));
      expectSame(await read(name), content(name));
    }
    expect(askedBytes(origin, site).twice).toBe(0);
  }));

test('a source that fails as it is let go of: what has come is kept, also what was not verified yet', () =>
  withEngine(
    site,
    async ({ origin, engine, read }) => {
      expectSame(await read('data.pak', 0, 900 * KiB), content('data.pak').slice(0, 900 * KiB));
      expect(askedBytes(origin, site).twice).toBe(0);
      expect(engine.info().lastError?.message).toContain('let go of');
    },
    {
      source: (http) => ({
        wholeFiles: false,
        fetch: (request) => {
          const chunks = http.fetch(request)[Symbol.asyncIterator]();
          const failing = {
            next: () => chunks.next(),
            return: async () => {
              await chunks.return?.(undefined);
              throw new SluiceError('offline', 'It fails when it is let go of');
            },
          };
          return { [Symbol.asyncIterator]: () => failing };
        },
      }),
    },
  ));

test('a far, long file: the table first, then only what was asked', () =>
  withEngine(site, async ({ origin, read }) => {
    expectSame(await read('data.pak', 1_000_000, 1_000_010), content('data.pak').slice(1_000_000, 1_000_010));
    const { total } = askedBytes(origin, site);
    expect(total).toBeLessThan(600 * KiB);
  }));

test('stat, readdir, and Node’s codes', () =>
  withEngine(site, async ({ files, read }) => {
    expect(files.stat('/app.js')).toMatchObject({ kind: 'file', size: 300 * KiB });
    expect(files.stat('')).toMatchObject({ kind: 'directory' });
    expect(files.readdir('/').map(({ name }) => name)).toContain('data.pak');
    expect((await failure(read('nothing'))).code).toBe('ENOENT');
    expect((await failure(read(''))).code).toBe('EISDIR');
    expect((await failure(read('app.js', 5, 2))).code).toBe('ERANGE');
    expect(() => files.stat('x')).toThrow(/not in the image/);
    expect(() => files.readdir('app.js')).toThrow();
  }));

test('the background completes the image, front to back, nothing twice, and seals every blob', () =>
  withEngine(site, async ({ origin, engine, mount, event, events, store }) => {
    engine.complete(mount);
    await event('complete');
    expect(askedBytes(origin, site)).toEqual({
      total: site.blobs.reduce((sum, { record }) => sum + record.length, 0),
      twice: 0,
    });
    const order = [...new Set(origin.log.map((entry) => entry.path))];
    expect(order).toEqual(site.blobs.map(({ record }) => `/app/${record.sha256}.bin`));
    const sealed = events.flatMap((told) => (told.type === 'sealed' ? told.blobs : []));
    expect(sealed.toSorted()).toEqual(site.blobs.map(({ record }) => record.sha256).toSorted());
    expect(mount.presentBytes).toBe(mount.image.superblock.storedBytes);
    for (const { record } of site.blobs) expect(store.blob(record).sealed).toBe(true);
  }));

test('a host without ranges: each blob once, whole', () =>
  withEngine(
    site,
    async ({ origin, engine, mount, event, read }) => {
      expectSame(
        await read('data.pak', 1_500_000, 1_500_010),
        content('data.pak').slice(1_500_000, 1_500_010),
      );
      engine.complete(mount);
      await event('complete');
      expectSame(await read('tail.bin'), content('tail.bin'));
      // The first answer shows that there are no ranges; table and run may have been asked for side by side by then.
      expect(origin.log.length).toBeLessThanOrEqual(site.blobs.length + 1);
    },
    { ranges: false },
  ));

test('a reader preempts the background: it starts nothing more until the reader is served', () =>
  withEngine(site, async ({ origin, engine, mount, read, event }) => {
    const { promise: held, resolve: release } = deferred();
    const last = site.blobs.at(-1)!.record;
    // The reader's request is held at the server; the background's first one is slow.
    origin.fault = (request) =>
      request.path.includes(last.sha256)
        ? { type: 'hold', until: held }
        : { type: 'throttle', bytesPerSecond: 4e6 };
    engine.complete(mount);
    await origin.waitForRequest((entry) => entry.path.includes(site.blobs[0]!.record.sha256));
    const reading = read('tail.bin', 100 * KiB, 100 * KiB + 1);
    reading.catch(() => {}); // Awaited below.
    await origin.waitForRequest((entry) => entry.path.includes(last.sha256));
    // Everything that the background had under way comes in; nothing new may start.
    const background = () => origin.requests((entry) => !entry.path.includes(last.sha256));
    const running = background().length;
    await expect.poll(() => background().filter((entry) => entry.endedAt === undefined).length).toBe(0);
    expect(engine.info().activity).toBe('demand');
    expect(background().length).toBe(running);
    origin.fault = undefined;
    release();
    expectSame(await reading, content('tail.bin').slice(100 * KiB, 100 * KiB + 1));
    await event('complete');
    expect(background().length).toBeGreaterThan(running);
  }));

test('a block in flight for the background that gets a reader is not fetched twice', () =>
  withEngine(site, async ({ origin, engine, mount, read, event }) => {
    const { promise: held, resolve: release } = deferred();
    origin.fault = () => ({ type: 'hold', until: held });
    engine.complete(mount);
    await origin.waitForRequest(() => true);
    const reading = read('index.html');
    await expect.poll(() => engine.pendingReads(mount).length).toBe(1);
    expect(engine.pendingReads(mount)[0]).toMatchObject({
      serial: 1,
      path: 'index.html',
      block: { blob: 0, index: 0 },
    });
    release();
    expectSame(await reading, content('index.html'));
    await event('complete');
    expect(askedBytes(origin, site).twice).toBe(0);
  }));

test('many readers of one block are one pending read and one request', () =>
  withEngine(site, async ({ origin, read }) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => read('index.html')));
    for (const bytes of all) expectSame(bytes, content('index.html'));
    expect(origin.log.length).toBe(1);
  }));

test('neighbours asked for together share a request', () =>
  withEngine(site, async ({ origin, engine, mount, read }) => {
    await read('data.pak', 0, 1); // The table is known now.
    origin.reset();
    const first = 600 * KiB;
    const spans = [...mount.image.mapRange(mount.image.lookup('data.pak')!, first, first + 160 * KiB)];
    const one = spans.filter((span) => span.blob === spans[0]!.blob);
    // Every other block: the gaps are short and missing, so they are fetched along.
    await engine.read(mount, { ...pick(one[0]!), path: 'warm', timeoutMs: 5000 });
    origin.reset();
    const wanted = one.slice(1).filter((_, i) => i % 2 === 0);
    await Promise.all(
      wanted.map((span) => engine.read(mount, { ...pick(span), path: 'data.pak', timeoutMs: 5000 })),
    );
    expect(wanted.length).toBeGreaterThan(2);
    expect(origin.log.length).toBe(1);
  }));

test('a reader that goes away ends its request and frees the slot', () =>
  withEngine(site, async ({ origin, engine, mount, read }) => {
    await read('data.pak', 900 * KiB, 900 * KiB + 1); // The table is known now.
    origin.reset();
    origin.fault = () => ({ type: 'hang-at', byte: 10 });
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // Node's warning is for leaks; these are reads.
    const span = [...mount.image.mapRange(mount.image.lookup('data.pak')!, 900 * KiB, 1100 * KiB)];
    const inBlob = span.slice(1).filter(({ blob }) => blob === span[0]!.blob);
    const reading = Promise.allSettled(
      inBlob.map((one) =>
        engine.read(mount, { ...pick(one), path: 'data.pak', timeoutMs: 10_000, signal: abort.signal }),
      ),
    );
    await origin.waitForRequest(() => true);
    abort.abort(new Error('gone'));
    for (const result of await reading) expect(result.status).toBe('rejected');
    await origin.waitForRequest((entry) => entry.aborted);
    expect(engine.pendingReads(mount)).toEqual([]);
  }));

test('a reader that goes away: what the background wants anyway is not thrown away, unless somebody else waits', () =>
  withEngine(site, async ({ origin, engine, mount, read }) => {
    await read('data.pak', 900 * KiB, 900 * KiB + 1); // The table is known now.
    const spans = [...mount.image.mapRange(mount.image.lookup('data.pak')!, 900 * KiB, 1100 * KiB)];
    const inBlob = spans.slice(1).filter(({ blob }) => blob === spans[0]!.blob);
    const name = new RegExp(mount.image.blob(inBlob[0]!.blob).sha256);
    origin.reset();
    origin.fault = () => ({ type: 'throttle', bytesPerSecond: 50_000 });
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const reading = Promise.allSettled(
      inBlob.map((one) =>
        engine.read(mount, { ...pick(one), path: 'data.pak', timeoutMs: 10_000, signal: abort.signal }),
      ),
    );
    await expect.poll(() => origin.requests(name)[0]?.bodyBytes, { intervals: [10] }).toBeGreaterThan(20_000);
    engine.complete(mount);
    origin.fault = undefined;
    abort.abort(new Error('gone'));
    expect((await reading).at(-1)!.status).toBe('rejected');
    const first = origin.requests(name)[0]!;
    // Whoever comes now is not to share the link with nobody.
    const other = read('tail.bin', 0, 10);
    await origin.waitForRequest((entry) => entry === first && entry.aborted);
    expectSame(await other, content('tail.bin').slice(0, 10));
  }));

test('a reader that goes away and comes back finds what was under way', () =>
  withEngine(site, async ({ origin, engine, mount, read, event }) => {
    await read('data.pak', 900 * KiB, 900 * KiB + 1);
    origin.reset();
    origin.fault = () => ({ type: 'throttle', bytesPerSecond: 400_000 });
    engine.complete(mount);
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const spans = [...mount.image.mapRange(mount.image.lookup('data.pak')!, 900 * KiB, 1100 * KiB)];
    const leaving = Promise.allSettled(
      spans
        .slice(1)
        .map((one) =>
          engine.read(mount, { ...pick(one), path: 'data.pak', timeoutMs: 10_000, signal: abort.signal }),
        ),
    );
    await expect.poll(() => origin.log[0]?.bodyBytes).toBeGreaterThan(20_000);
    abort.abort(new Error('gone'));
    await leaving;
    expectSame(
      await read('data.pak', 900 * KiB, 1100 * KiB),
      content('data.pak').slice(900 * KiB, 1100 * KiB),
    );
    origin.fault = undefined;
    await event('complete');
    expect(origin.log.filter(({ aborted }) => aborted)).toEqual([]);
    expect(askedBytes(origin, site).twice).toBe(0);
  }));

test('health is told by the oldest reader, not by the latest, nor by what is only fetched ahead', () => {
  const clock = new ManualClock();
  return withEngine(
    site,
    async ({ origin, engine, files, read }) => {
      origin.fault = () => ({ type: 'hang' });
      const { health } = engine.info();
      expect(health).toBe('ok');
      const ends = [files.prefetch(['app.js'], 'background', 60_000)];
      await origin.waitForRequest(() => true);
      clock.advance(8000);
      expect(engine.info().health).toBe('ok');
      ends.push(read('index.html', 0, 1, 30_000).then(() => {}));
      clock.advance(2001);
      expect(engine.info().health).toBe('blocked');
      ends.push(read('tail.bin', 0, 1, 30_000).then(() => {}));
      clock.advance(5000);
      expect(engine.info().health).toBe('unhealthy');
      const ended = Promise.allSettled(ends);
      clock.advance(60_000);
      for (const { status } of await ended) expect(status).toBe('rejected');
      expect(engine.info().health).toBe('ok');
    },
    { clock },
  );
});

test('concurrent_reads_and_writes: whoever comes while a block is being written gets it, without another request', () => {
  const disk = new QuotaDirectory(1e9);
  const { promise: begun, resolve: writing } = deferred();
  const { promise: room, resolve: end } = deferred();
  const makeRoom = (): Promise<void> => {
    writing();
    return room;
  };
  return withEngine(
    site,
    async ({ origin, engine, mount, read }) => {
      const { record, bytes } = site.blobs[0]!;
      await engine.provide(mount, 0, -1, bytes.slice(0, record.tableLength));
      disk.hasRoom = () => false;
      const giving = engine.provide(mount, 0, 0, bytes.slice(record.tableLength, record.tableLength + 3000));
      await begun;
      const reading = read('index.html');
      await expect.poll(() => engine.pendingReads(mount).length).toBe(1);
      disk.hasRoom = () => true;
      end();
      await giving;
      expectSame(await reading, content('index.html'));
      expect(origin.log).toEqual([]);
    },
    { directory: disk, local: { makeRoom } },
  );
});

test('after waking, the table is looked up again: one that was lost meanwhile is an error of its own', () => {
  let onEvent = (): void => {};
  return withEngine(
    site,
    async ({ engine, mount }) => {
      const { record, bytes } = site.blobs[0]!;
      const blob = mount.blob(0);
      onEvent = () => {
        if (!blob!.table) return;
        onEvent = () => {};
        void engine.evict([record.sha256]);
      };
      const block = bytes.slice(record.tableLength, record.tableLength + 3000);
      expect((await failure(engine.provide(mount, 0, 0, block))).code).toBe('unreadable');
      await engine.provide(mount, 0, 0, block);
      expect(mount.presentBlocks).toBe(1);
    },
    { onEvent: () => onEvent() },
  );
});

test('blocks from a data loader are verified, taken once, and not fetched', () =>
  withEngine(site, async ({ origin, engine, mount, read, local }) => {
    const { record, bytes } = site.blobs[0]!;
    const table = bytes.slice(0, record.tableLength);
    const block = bytes.slice(record.tableLength, record.tableLength + 3000);
    const wrong = (right: Uint8Array<ArrayBuffer>) => right.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
    const code = async (index: number, at: number, given: Uint8Array<ArrayBuffer>) =>
      (await failure(engine.provide(mount, index, at, given))).code;
    expect(await code(0, -1, wrong(table))).toBe('integrity');
    expect(await code(0, -1, table.slice(1))).toBe('EINVAL');
    await engine.provide(mount, 0, -1, table);
    await engine.provide(mount, 0, -1, wrong(table)); // Here already.
    expect(await code(0, 0, wrong(block))).toBe('integrity');
    expect(await code(0, 0, block.slice(1))).toBe('EINVAL');
    expect(await code(0, 0, new Uint8Array(3001))).toBe('E2BIG');
    expect(await code(0, record.blockCount, block)).toBe('ERANGE');
    expect(await code(0, -2, block)).toBe('ERANGE');
    expect(await code(99, 0, block)).toBe('ENOENT');
    expect(mount.presentBlocks).toBe(0);
    await Promise.all([engine.provide(mount, 0, 0, block), engine.provide(mount, 0, 0, block)]);
    await engine.provide(mount, 0, 0, wrong(block)); // Here already: ignored, never changes.
    expect(mount.presentBlocks).toBe(1);
    expect(local.writtenBytes).toBe(table.length + block.length);
    expectSame(await read('index.html'), content('index.html'));
    expect(origin.log.length).toBe(0);
  }));

test('a block from a data loader whose table is not known: the table is fetched, the block is not', () =>
  withEngine(site, async ({ origin, engine, mount, read }) => {
    const { record, bytes } = site.blobs[0]!;
    const block = bytes.slice(record.tableLength, record.tableLength + 3000);
    await Promise.all(Array.from({ length: 5 }, () => engine.provide(mount, 0, 0, block)));
    expectSame(await read('index.html'), content('index.html'));
    expect(origin.log.map(({ range }) => range)).toEqual([`bytes=0-${record.tableLength - 1}`]);
    origin.fault = () => ({ type: 'cut-before-headers' });
    expect((await failure(engine.provide(mount, 1, 0, block))).code).toBe('offline');
  }));

test('two images share their blobs', () =>
  withEngine(site, async ({ origin, engine, mount, event }) => {
    engine.complete(mount);
    await event('complete');
    origin.reset();
    const other = await makeSite([{ name: 'index.html', size: 3000, shift: 16 }], 512 * KiB, 2);
    const second = engine.mount(await Image.open(other.bootstrap, { sha256: other.image }));
    expect(second.complete).toBe(false);
    expect(mount.complete).toBe(true);
    expect(engine.mount(mount.image)).toBe(mount);
  }));

test('read_log: reads in order, with path and block', () =>
  withEngine(site, async ({ engine, mount }) => {
    const files = new FileReader(engine, mount, zstdInNode);
    await files.read('index.html', 0, 10, 5000);
    await files.read('app.js', 0, 1, 5000);
    await files.read('index.html', 0, 10, 5000);
    const log = mount.log.entries();
    expect(log.map(({ path, blob, block }) => ({ path, blob, block }))).toEqual([
      { path: 'index.html', blob: 0, block: 0 },
      { path: 'app.js', blob: 0, block: 1 },
      { path: 'index.html', blob: 0, block: 0 },
    ]);
    expect(log[2]!.atMs).toBeGreaterThanOrEqual(log[0]!.atMs);
  }));

test('a first visit’s background goes on at once, and waits for a calm second when the app’s page has come', async () => {
  const large = await makeSite([{ name: 'large.bin', size: 12 * 2 ** 20, shift: 20 }], 2 ** 30);
  for (const launched of [false, true]) {
    const clock = new ManualClock();
    await withEngine(
      large,
      async ({ origin, engine, mount }) => {
        if (!launched) {
          engine.complete(mount);
          await origin.waitForRequest(/\.bin$/);
          expect(engine.info().activity).toBe('background');
          return;
        }
        /** Requests that are made meanwhile reach the server, as these do. */
        const quiet = async (): Promise<void> => {
          for (let i = 0; i < 5; i++) await (await fetch(`${origin.url}/none`)).text();
          expect(origin.requests(/\.bin$/)).toEqual([]);
        };
        engine.launched();
        engine.complete(mount);
        await quiet();
        expect(engine.info().activity).toBe('launching');
        clock.advance(990);
        await quiet();
        // A page that is given what is here is not done.
        engine.pageReads();
        clock.advance(990);
        await quiet();
        clock.advance(20);
        await origin.waitForRequest(/\.bin$/);
      },
      { clock },
    );
  }
});

test('64 readers, 10,000 reads over an image that is still loading: none differs', () =>
  withEngine(site, async ({ origin, engine, mount, read, event }) => {
    origin.fault = () => ({ type: 'throttle', bytesPerSecond: 3e6 });
    engine.complete(mount);
    const names = [...site.files.keys()];
    let differing = 0;
    const reader = async (seed: number): Promise<void> => {
      const random = seededRandom(seed);
      for (let i = 0; i < 10_000 / 64; i++) {
        const name = names[Math.floor(random() * names.length)]!;
        const { length } = content(name);
        const start = Math.floor(random() * length);
        // Mostly short ranges, now and then all of it.
        const end = random() < 0.02 ? length : Math.min(length, start + Math.floor(random() * 30_000));
        const bytes = await read(name, start, end);
        if (Buffer.compare(bytes, content(name).subarray(start, end)) !== 0) differing += 1;
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, i) => reader(i + 1)));
    expect(differing).toBe(0);
    await event('complete');
    const { total, twice } = askedBytes(origin, site);
    expect(twice / total).toBeLessThan(0.02);
  }));

/** Quicker than toEqual on megabytes. */
function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected)).toBe(0);
}

function pick({ blob, block }: { readonly blob: number; readonly block: number }): {
  blob: number;
  block: number;
} {
  return { blob, block };
}
