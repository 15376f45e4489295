import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { formatRelease } from '../../src/format/release.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { loaderLockName, type ReleaseRecord } from '../../src/protocol/messages.ts';
import type { Progress } from '../../src/protocol/state.ts';
import { askedBytes, failure } from './engine-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { connect, withTabs } from './tabs.ts';

const KiB = 1024;
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 16 },
      { name: 'data.pak', size: 1500 * KiB, shift: 14 },
    ],
    512 * KiB,
  );
});

const content = (name: string): Uint8Array => site.files.get(name)!;

test('a launch: bootstrap, blocks, completion, progress', () =>
  withTabs(site, async ({ open, scope, release, origin, locks }) => {
    const loader = open();
    const progress: Progress[] = [];
    const { loader: name, image } = await loader.start({ scope, release });
    expect(image).toBe(site.image);
    expect(locks.isHeld(loaderLockName(name))).toBe(true);
    loader.watch((one) => progress.push(one));
    await loader.whenComplete();
    expect(
      Buffer.compare(
        await loader.read('data.pak', 5, 100_000, 30_000),
        content('data.pak').subarray(5, 100_000),
      ),
    ).toBe(0);
    expect(await loader.stat('index.html')).toMatchObject({ kind: 'file', size: 3000 });
    expect(await loader.readdir('')).toEqual([
      { name: 'data.pak', kind: 'file' },
      { name: 'index.html', kind: 'file' },
    ]);
    const state = await loader.state();
    expect(state).toMatchObject({
      image,
      complete: true,
      loader: { id: name, role: 'leader', storage: 'opfs' },
    });
    expect(state.blocks.present).toBe(state.blocks.total);
    expect(state.bytes.present).toBe(state.bytes.total);
    expect((await loader.readLog()).reads.length).toBeGreaterThan(0);
    await expect.poll(() => progress.at(-1)).toMatchObject({ complete: true, waitingFor: undefined });
    expect(askedBytes(origin, site).twice).toBe(0);
    expect((await failure(loader.stat('no'))).code).toBe('ENOENT');
    await expect(loader.start({ scope, release })).rejects.toMatchObject({ code: 'EINVAL' });
  }));

test('without background work, only what is read and prefetched comes', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    await loader.read('index.html', 0, 10, 30_000);
    const { total } = askedBytes(origin, site);
    expect(total).toBeLessThan(20 * KiB);
    await loader.prefetch(['data.pak'], 'demand');
    origin.reset();
    await loader.read('data.pak', 0, 1500 * KiB, 30_000);
    expect(origin.requests(/\.bin$/).length).toBe(0);
  }));

test('a service worker that is told of a loader late hears that the image is complete', () =>
  withTabs(site, async ({ scope, release, open }) => {
    const loader = open();
    await loader.start({ scope, release });
    await loader.whenComplete();
    const late = connect(loader, site);
    await expect.poll(() => late.told.map(({ type }) => type)).toEqual(['hello', 'image-complete']);
    late.channel.close();
  }));

test('the next launch needs no network: with its release, and without', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const first = open();
    await first.start({ scope, release });
    await first.whenComplete();
    await first.close();
    await origin.stop();
    for (const given of [{ scope, release }, { scope }]) {
      const loader = open();
      expect((await loader.start(given)).image).toBe(site.image);
      await loader.whenComplete();
      expect(Buffer.compare(await loader.read('data.pak', 0, 2 ** 31, 30_000), content('data.pak'))).toBe(0);
      await loader.close();
    }
  }));

test('nothing stored and no network: offline; no image there: bad-origin', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    await origin.stop();
    expect((await failure(open().start({ scope }))).code).toBe('offline');
    await origin.start();
    const missing = { image: 'ab'.repeat(32), bytes: 1000 };
    expect((await failure(open().start({ scope, release: missing }))).code).toBe('bad-origin');
    expect(
      (await failure(open().start({ scope, release: { ...release, bytes: release.bytes - 1 } }))).code,
    ).toBe('bad-origin');
  }));

test('no OPFS: the same launch, in memory', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const loader = open(undefined);
    await loader.start({ scope, release });
    await loader.whenComplete();
    expect((await loader.state()).loader.storage).toBe('memory');
    expect(Buffer.compare(await loader.read('data.pak', 0, 2 ** 31, 30_000), content('data.pak'))).toBe(0);
  }));

test('a new release is fetched, stored, told, and changes nothing for this tab', () =>
  withTabs(site, async ({ open, scope, release, origin, folder }) => {
    const newer = await makeSite([{ name: 'index.html', size: 4000, shift: 16 }], 512 * KiB, 5);
    await newer.write(folder);
    const loader = open();
    const releases: ReleaseRecord[] = [];
    expect((await loader.start({ scope, release })).image).toBe(site.image);
    loader.watchRelease((one) => releases.push(one));
    await expect.poll(() => releases).toEqual([{ image: newer.image, bytes: newer.bootstrap.length }]);
    expect(await loader.stat('index.html')).toMatchObject({ size: 3000 });
    await loader.whenComplete();
    await loader.close();
    // Its bootstrap is in the store: no network is needed to begin with it.
    await origin.stop();
    await writeFile(join(folder, 'sluice.json'), formatRelease(release));
    const next = open();
    expect(
      (await next.start({ scope, release: { image: newer.image, bytes: newer.bootstrap.length } })).image,
    ).toBe(newer.image);
    expect(await next.stat('index.html')).toMatchObject({ size: 4000 });
  }));

test('what runs is gone from the server: told once it refuses a block, in every tab, and only where another release is named', () =>
  withTabs(site, async ({ open, scope, release, origin, folder }) => {
    const blobs = site.blobs.map(({ record }) => `${record.sha256}.bin`);
    let dropped = false;
    origin.fault = ({ path }) =>
      dropped && blobs.some((name) => path.endsWith(name)) ? { type: 'status', status: 404 } : undefined;
    const [leader, standby] = [open(), open()];
    const told: [string, boolean][][] = [[], []];
    for (const [i, loader] of [leader, standby].entries()) {
      await loader.start({ scope, release, background: false });
      loader.watchRelease(({ image }, isGone) => told[i]!.push([image, isGone]));
    }
    const newer = await makeSite([{ name: 'index.html', size: 4000, shift: 16 }], 512 * KiB, 5);
    await newer.write(folder);
    dropped = true;
    expect((await failure(standby.read('data.pak', 0, 100, 5000))).code).toBe('bad-origin');
    for (const one of told) await expect.poll(() => one).toEqual([[newer.image, true]]);
    // Whoever asks later hears it too.
    const late: [string, boolean][] = [];
    leader.watchRelease(({ image }, isGone) => late.push([image, isGone]));
    expect(late).toEqual([[newer.image, true]]);
  }));

test('a service worker: hello, blocks, bootstrap, news, cancellation, gifts', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    const { loader: name } = await loader.start({ scope, release, background: false });
    const sw = connect(loader, site);
    await expect.poll(() => sw.told).toEqual([{ type: 'hello', version: 1, loader: name, role: 'leader' }]);

    const blocks = await sw.readBlocks(0, 1, 3);
    for (let block = 1; block <= 3; block++) {
      const at = (block - 1) * 16 * KiB;
      expect(Buffer.compare(blocks.get(block)!, content('data.pak').subarray(at, at + 16 * KiB))).toBe(0);
    }
    expect((await failure(sw.readBlocks(0, 9999, 1))).code).toBe('ERANGE');
    const bootstrap = await sw.channel.call({
      name: 'read-bootstrap',
      message: (id) => ({ type: 'read-bootstrap', id, image: site.image }),
      timeoutMs: 5000,
      onReply: (reply) => (reply.type === 'bootstrap' ? { value: reply.bytes } : undefined),
    });
    expect(Buffer.compare(bootstrap, site.bootstrap)).toBe(0);

    // Given blocks are not fetched.
    const { record, bytes } = site.blobs[1]!;
    const given = [
      { blob: 1, block: 0, bytes: bytes.slice(record.tableLength, record.tableLength + 16 * KiB) },
      { blob: 1, block: -1, bytes: bytes.slice(0, record.tableLength) },
    ];
    sw.channel.post({ type: 'provide-blocks', image: site.image, blocks: given });
    await expect.poll(async () => (await loader.state()).blocks.present).toBeGreaterThan(blocks.size);
    origin.reset();
    expect((await sw.readBlocks(1, 0, 1)).size).toBe(1);
    expect(origin.log.length).toBe(0);

    // Reads by the service worker are in the log as it tells them, those that cannot be are not, and the oldest come first.
    const reads = [
      { serial: 1, path: 'late', blob: 1, first: 0, count: 2, at: Date.now() + 60_000, waitedMs: 0 },
      { serial: 2, path: 'early', blob: 0, first: 2, count: 1, at: Date.now() - 60_000, waitedMs: 7 },
      { serial: 3, path: 'none', blob: 99, first: 0, count: 1000, at: Date.now(), waitedMs: 0 },
    ];
    sw.channel.post({ type: 'reads-served', image: site.image, life: 'first', reads });
    const logged = async () => (await loader.readLog()).reads.map(({ path, block }) => [path, block]);
    await expect.poll(logged).toContainEqual(['late', 1]);
    expect((await logged()).at(0)).toEqual(['early', 2]);
    expect((await logged()).slice(-2)).toEqual([
      ['late', 0],
      ['late', 1],
    ]);
    expect(await logged()).not.toContainEqual(['none', 0]);

    // Told twice, as to a loader and to the one that has taken its place: once in the log. Another life of the service worker counts anew.
    const all = (await logged()).length;
    const after = { serial: 4, path: 'after', blob: 0, first: 3, count: 1, at: Date.now(), waitedMs: 0 };
    sw.channel.post({ type: 'reads-served', image: site.image, life: 'first', reads: [...reads, after] });
    await expect.poll(logged).toContainEqual(['after', 3]);
    expect(await logged()).toHaveLength(all + 1);
    sw.channel.post({
      type: 'reads-served',
      image: site.image,
      life: 'second',
      reads: [{ ...after, serial: 1 }],
    });
    await expect.poll(async () => (await logged()).length).toBe(all + 2);

    // Cancelled: nobody waits any more.
    const { promise: until, resolve: answer } = deferred();
    origin.fault = () => ({ type: 'hold', until });
    const abort = new AbortController();
    const hanging = sw.channel.call({
      name: 'read-blocks',
      message: (id) => ({
        type: 'read-blocks',
        id,
        image: site.image,
        path: 'x',
        blob: 2,
        first: 0,
        count: 1,
        timeoutMs: 9000,
      }),
      cancel: (id) => ({ type: 'cancel', id }),
      timeoutMs: 9000,
      signal: abort.signal,
      onReply: () => undefined,
    });
    await expect.poll(async () => (await loader.state()).pendingReads.length).toBe(1);
    abort.abort(new Error('gone'));
    await expect(hanging).rejects.toThrow('gone');
    await expect.poll(async () => (await loader.state()).pendingReads.length).toBe(0);
    origin.fault = undefined;
    answer();

    await loader.prefetch(['data.pak'], 'demand');
    await loader.flush();
    await expect
      .poll(() => sw.told.flatMap((one) => (one.type === 'store-changed' ? one.sealed : [])).length)
      .toBeGreaterThan(1);
    sw.channel.close();
  }));

for (const underWay of [0, 2])
  test(`a service worker that went on with the launch is heard before the first plan, ${underWay} blocks under way: nothing is fetched twice`, async () => {
    // Blocks so long that the last of them are still to be verified when the plan is made.
    const files = [
      { name: 'big.bin', size: 12 * 1024 * KiB, shift: 20 },
      { name: 'rest.bin', size: 10, shift: 12 },
    ];
    const big = await makeSite(files, 2 ** 30, 1, { launchFiles: 1 });
    await withTabs(big, async ({ open, scope, release, origin, platform }) => {
      // It is waited for for 150 ms; here, for as long as a busy machine takes to say it.
      const long = (ms: number): number => (ms === 150 ? 60_000 : ms);
      platform.clock = { ...systemClock, after: (ms, wake) => systemClock.after(long(ms), wake) };
      const { image, blobs } = big;
      const { record, bytes } = blobs[0]!;
      const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
      const block = (index: number) => {
        const { start, end } = table.stored(index);
        return { blob: 0, block: index, bytes: bytes.slice(start, end) };
      };
      const loader = open();
      const started = loader.start({ scope, release });
      const { channel, told } = connect(loader, big);
      const asked = (): number | undefined =>
        told.flatMap((message) => (message.type === 'store-changed' ? (message.id ?? []) : []))[0];
      await expect.poll(asked, { intervals: [1] }).toBeDefined();
      expect(told.some((message) => message.type === 'hello' && message.role === 'leader')).toBe(true);
      const fetched = [0, 1, 2, 3, 4, 5, 6, 7].map(block);
      const blocks = [{ blob: 0, block: -1, bytes: table.bytes.slice() }, ...fetched];
      channel.post({ type: 'provide-blocks', image, blocks });
      if (underWay > 0) channel.post({ type: 'bringing-blocks', image, blob: 0, first: 8, count: underWay });
      channel.post({ type: 'store-seen', id: asked()! });
      await started;
      if (underWay > 0) channel.post({ type: 'provide-blocks', image, blocks: [8, 9].map(block) });
      await loader.whenComplete();
      const total = record.length - table.stored(8 + underWay).start;
      expect(askedBytes(origin, big)).toEqual({ total, twice: 0 });
    });
  });

test('what one tab changes is done when the service worker of the leader’s tab answers by it', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const leader = open();
    await leader.start({ scope, release, background: false });
    const { channel, told } = connect(leader, site);
    const other = open();
    await other.start({ scope, release, background: false });
    let isDone = false;
    const changing = other.changeTree({ type: 'mkdir', path: 'saves', recursive: false }).then(() => {
      isDone = true;
    });
    const asked = (): number | undefined =>
      told.flatMap((message) => (message.type === 'store-changed' ? (message.id ?? []) : [])).at(-1);
    await expect.poll(asked, { intervals: [1] }).toBeDefined();
    // The leader answers what comes after the change, and the change waits.
    await other.state();
    expect(isDone).toBe(false);
    channel.post({ type: 'store-seen', id: asked()! });
    await changing;
  }));

test('a loader says its name only when it holds the lock of that name: else it would be taken for dead', () =>
  withTabs(site, async ({ openAs, scope, release, locks }) => {
    const name = 'late';
    let letGo = (): void => {};
    const before = locks.request(loaderLockName(name), () => new Promise<void>((end) => (letGo = end)));
    const loader = openAs(name);
    const started = loader.start({ scope, release });
    const { told } = connect(loader, site);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    letGo();
    await Promise.all([before, started]);
    await expect.poll(() => told[0]?.type).toBe('hello');
    await loader.close();
  }));

test('a service worker that says nothing does not keep a loader from its start', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const loader = open();
    const started = loader.start({ scope, release });
    connect(loader, site);
    await started;
    await loader.whenComplete();
  }));

test('read_log: a file that is gone by then takes nothing along of what was told with it', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    const made = {
      type: 'create-file',
      size: 5,
      blockSize: 4096,
      mime: '',
      meta: new Uint8Array(0),
    } as const;
    await loader.changeTree({ ...made, path: 'gone', content: undefined });
    await loader.changeTree({ type: 'unlink', path: 'gone' });
    connect(loader, site).channel.post({
      type: 'reads-served',
      image: site.image,
      life: 'first',
      reads: [
        { serial: 1, path: 'gone', blob: site.blobs.length, first: 0, count: 1, at: Date.now(), waitedMs: 0 },
        { serial: 2, path: 'behind', blob: 0, first: 1, count: 1, at: Date.now(), waitedMs: 0 },
      ],
    });
    const paths = async () => (await loader.readLog()).reads.map(({ path }) => path);
    await expect.poll(paths).toEqual(['behind']);
  }));

test('two tabs: one writer, both read, nothing is fetched twice', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const one = open();
    const two = open();
    await one.start({ scope, release });
    await two.start({ scope });
    expect((await one.state()).loader.role).toBe('leader');
    expect((await two.state()).loader).toMatchObject({ role: 'standby', storage: 'opfs' });
    const sw = connect(two, site);
    const [a, b, blocks] = await Promise.all([
      one.read('data.pak', 0, 2 ** 31, 30_000),
      two.read('data.pak', 0, 2 ** 31, 30_000),
      sw.readBlocks(0, 1, 4),
    ]);
    expect(Buffer.compare(a, content('data.pak'))).toBe(0);
    expect(Buffer.compare(b, content('data.pak'))).toBe(0);
    expect(blocks.size).toBe(4);
    await Promise.all([one.whenComplete(), two.whenComplete()]);
    expect(askedBytes(origin, site).twice).toBe(0);
    expect((await failure(two.stat('no'))).code).toBe('ENOENT');
    await expect.poll(() => sw.told.map(({ type }) => type)).toContain('image-complete');
    expect(sw.told[0]).toMatchObject({ type: 'hello', role: 'standby' });
    sw.channel.close();
  }));

test('the leader goes: the standby takes over from the journal, its reads end well, little is fetched again', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const one = open();
    const two = open();
    const three = open();
    await one.start({ scope, release, background: false });
    await two.start({ scope, release, background: false });
    await three.start({ scope, release, background: false });
    const half = 750 * KiB;
    await one.read('data.pak', 0, half, 30_000);
    await one.flush();
    const sw = connect(three, site);
    origin.fault = () => ({ type: 'hang' });
    const reading = [two.read('data.pak', 0, 2 ** 31, 30_000), three.read('data.pak', half, 2 ** 31, 30_000)];
    const blocks = sw.readBlocks(2, 0, 8);
    for (const work of [...reading, blocks]) work.catch(() => {}); // Awaited below.
    await expect.poll(async () => (await three.state()).pendingReads.length).toBeGreaterThanOrEqual(8);
    origin.fault = undefined;
    await one.close();
    expect(Buffer.compare((await reading[0])!, content('data.pak'))).toBe(0);
    expect(Buffer.compare((await reading[1])!, content('data.pak').subarray(half))).toBe(0);
    expect((await blocks).size).toBe(8);
    const roles = [(await two.state()).loader.role, (await three.state()).loader.role];
    expect(roles).toEqual(['leader', 'standby']);
    const { twice } = askedBytes(origin, site);
    // Only what hung in flight.
    const hung = origin.requests((entry) => entry.bodyBytes === 0 && entry.range !== undefined);
    const lost = hung.reduce((sum, { range }) => {
      const [, low, high] = /^bytes=(\d+)-(\d+)$/.exec(range!)!;
      return sum + Number(high) - Number(low) + 1;
    }, 0);
    expect(lost).toBeGreaterThan(0);
    expect(twice).toBeLessThanOrEqual(lost);
    sw.channel.close();
  }));

test('any tab may be closed at any time while the image loads', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    origin.fault = () => ({ type: 'throttle', bytesPerSecond: 3e6 });
    let current = open();
    await current.start({ scope, release });
    for (let i = 0; i < 3; i++) {
      const next = open();
      await next.start({ scope, release });
      const reading = next.read('data.pak', 0, 2 ** 31, 30_000);
      await current.close();
      expect(Buffer.compare(await reading, content('data.pak'))).toBe(0);
      current = next;
    }
    await current.whenComplete();
    expect((await current.state()).loader.role).toBe('leader');
  }));

test('a service worker goes away in the middle of a read: the leader serves everybody else', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    origin.fault = () => ({ type: 'hang' });
    const worker = connect(loader, site);
    const read = worker.readBlocks(0, 1, 1).catch((error: SluiceError) => error.code);
    await origin.waitForRequest(/\.bin$/);
    worker.channel.close();
    expect(await read).toBe('disconnected');
    await expect.poll(async () => (await loader.state()).pendingReads.length).toBe(0);
    origin.fault = undefined;
    expect((await loader.state()).loader.role).toBe('leader');
    expect(
      Buffer.compare(await loader.read('data.pak', 0, 1000, 30_000), content('data.pak').subarray(0, 1000)),
    ).toBe(0);
  }));

test('closing ends every call', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const one = open();
    await one.start({ scope, release, background: false });
    origin.fault = () => ({ type: 'hang' });
    const reading = failure(one.read('data.pak', 0, 10, 30_000));
    await expect.poll(async () => (await one.state()).pendingReads.length).toBe(1);
    await one.close();
    expect((await reading).code).toBe('closed');
    const later = await one.stat('index.html').catch((error: unknown) => error);
    expect(later).toBeInstanceOf(SluiceError);
  }));
