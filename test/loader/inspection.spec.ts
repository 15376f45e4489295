import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { hex } from '../../src/format/sha256.ts';
import type { TreeOperation } from '../../src/format/tree-operation.ts';
import type { LocalService } from '../../src/loader/local-service.ts';
import type { LocalServiceOptions } from '../../src/loader/local-service-options.ts';
import { inboxName, replyName } from '../../src/loader/peer-messages.ts';
import { RemoteService } from '../../src/loader/remote-service.ts';
import { blockState, pinnedFlag, readBlockRuns } from '../../src/protocol/block-states.ts';
import type { MessageEndpoint } from '../../src/protocol/channel.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { type Inspection, noSwitches } from '../../src/protocol/inspection.ts';
import { loaderLockName } from '../../src/protocol/messages.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startLeader } from './leader.ts';
import { LockManagerForTests } from './lock-manager.ts';
import { withScrubRig } from './scrub-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { withTabs } from './tabs.ts';

let site: Fixture;

test.beforeAll(async () => {
  // The run of a file in a blob is longer than what is fetched along with an unknown table.
  site = await makeSite(
    [
      { name: 'a.bin', size: 500_000, shift: 12 },
      { name: 'b.bin', size: 300_000, shift: 13 },
    ],
    262_144,
  );
});

interface Rig {
  readonly origin: Origin;
  readonly service: LocalService;
  /** Another leader over the same store; without `open`, for nobody. */
  start(options: Partial<LocalServiceOptions> & { readonly open?: boolean }): Promise<LocalService>;
  inspect(before?: Inspection): Promise<Inspection>;
  read(name: string, start: number, end: number, timeoutMs?: number): Promise<Uint8Array>;
}

/** A leader that fetches only what is read, over a real server. */
async function withRig(
  run: (rig: Rig) => Promise<void>,
  options: Partial<LocalServiceOptions> = {},
): Promise<void> {
  const dir = await tempDir('inspection');
  await site.write(dir.path);
  const origin = await Origin.start({ mounts: { '/app/': dir.path } });
  const directory = new MemoryDirectory();
  const release = { image: site.image, bytes: site.bootstrap.length };
  const services: LocalService[] = [];
  const start: Rig['start'] = async ({ open = true, ...more }) => {
    const given = { scope: `${origin.url}/app/`, directory, loader: 'tab', ...options, ...more };
    const locks = new LockManagerForTests();
    // Its tab lives.
    void locks.request(loaderLockName(given.loader), () => new Promise(() => {}));
    const service = await startLeader({ locks: locks.of(given.loader), ...given });
    services.push(service);
    if (open) await service.open({ loader: given.loader, release, background: false });
    return service;
  };
  try {
    const service = await start({});
    await run({
      origin,
      service,
      start,
      inspect: (before) => service.inspect({ image: undefined, cursor: before?.cursor }),
      read: (name, from, to, timeoutMs = 10_000) =>
        service.read(site.image, name, from, to, timeoutMs, new AbortController().signal),
    });
  } finally {
    for (const service of services) await service.close();
    await origin.stop();
    await dir.remove();
  }
}

const totalBlocks = () => site.blobs.reduce((sum, { record }) => sum + record.blockCount, 0);

function statesOf({ blocks }: Inspection): Uint8Array {
  const states = new Uint8Array(totalBlocks());
  readBlockRuns(blocks, states);
  return states;
}

function count({ blocks }: Inspection, ...which: number[]): number {
  return statesOf({ blocks } as Inspection).filter((state) => which.includes(state)).length;
}

/** When every request has ended: a read has its blocks a moment before. */
async function whenEnded(inspect: Rig['inspect']): Promise<Inspection> {
  await until(async () => (await inspect()).fetches.every(({ ended }) => ended !== undefined));
  return inspect();
}

/** Of a block of a blob, among those of all blobs. */
function placeOf(blob: number, block: number): number {
  return site.blobs.slice(0, blob).reduce((sum, { record }) => sum + record.blockCount, block);
}

test('what is inspected is what was read, fetched and stored; asked again, nothing is new', () =>
  withRig(async ({ origin, service, inspect, read }) => {
    const before = await inspect();
    expect(before).toMatchObject({ reads: [], fetches: [], errors: [], pending: [], switches: noSwitches });
    expect(before.blocks).toHaveLength(1);
    expect(count(before, blockState.missing)).toBe(totalBlocks());

    const began = Date.now();
    await read('a.bin', 5, 40_000);
    await service.flush();
    await whenEnded(inspect);
    const after = await inspect(before);
    const { blocks, bytes } = await service.state(site.image);
    expect([...statesOf(after)]).toEqual(
      Array.from({ length: totalBlocks() }, (_, i) => (i < 10 ? blockState.present : blockState.missing)),
    );
    expect(after.state.blocks).toEqual(blocks);
    expect(blocks.present).toBe(10);

    const { reads, fetches } = after;
    expect(reads.map(({ serial }) => serial)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    // Blocks are verified side by side, and come as they are ready.
    const byBlock = reads.toSorted((a, b) => a.block - b.block);
    expect(byBlock.map(({ path, block, start, end }) => ({ path, block, start, end }))).toEqual(
      Array.from({ length: 10 }, (_, block) => {
        return { path: 'a.bin', block, start: block * 4096, end: (block + 1) * 4096 };
      }),
    );
    for (const { at, waitedMs, steps } of reads) {
      expect(at).toBeGreaterThanOrEqual(began - 1);
      const order = [
        began - 5,
        steps!.sent,
        steps!.answered,
        steps!.arrived,
        steps!.verified,
        at + waitedMs + 50,
      ];
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(fetches.reduce((sum, fetch) => sum + fetch.bytes, 0)).toBe(bytes.fetched);
    expect(fetches.reduce((sum, fetch) => sum + fetch.blocks, 0)).toBe(blocks.present);
    const asked = origin
      .requests(({ range }) => range !== undefined)
      .map(({ path, range }) => `${path} ${range}`);
    expect(
      fetches.map(({ blob, start, end }) => {
        return `/app/${site.blobs[blob]!.record.sha256}.bin bytes=${start}-${end - 1}`;
      }),
    ).toEqual(asked);
    for (const { kind, sent, answered, ended, verifyMs, failed, blocks: verified } of fetches) {
      expect({ kind, failed }).toEqual({ kind: 'demand', failed: undefined });
      expect(sent).toBeLessThanOrEqual(answered!);
      expect(answered!).toBeLessThanOrEqual(ended!);
      expect(verifyMs > 0).toBe(verified > 0);
      expect(verifyMs).toBeLessThanOrEqual(ended! - sent);
    }

    const again = await inspect(after);
    expect(again).toMatchObject({ reads: [], fetches: [], errors: [], cursor: after.cursor });
    // A read of what is here has no steps: nobody brought it.
    await service.read(site.image, 'b.bin', 5, 6, 5000, new AbortController().signal);
    const seen = await inspect(again);
    await read('b.bin', 5, 6);
    const [more, ...none] = (await inspect(seen)).reads;
    expect(more).toMatchObject({ path: 'b.bin', serial: 12 });
    expect(none).toEqual([]);
  }));

test('a cursor of another leader, or of another image: all is new', () =>
  withRig(async ({ service, start, inspect, read }) => {
    await read('a.bin', 0, 5000);
    const first = await inspect();
    expect(first.reads.length).toBeGreaterThan(0);
    await service.close();
    const next = await start({ loader: 'next' });
    await next.read(site.image, 'a.bin', 0, 5000, 1000, new AbortController().signal);
    const second = await next.inspect({ image: site.image, cursor: first.cursor });
    expect(second.cursor.leader).not.toBe(first.cursor.leader);
    expect(second.reads.map(({ serial }) => serial)).toEqual([1, 2]);
    const other = { ...second.cursor, leader: `next/${'0'.repeat(64)}` };
    expect((await next.inspect({ image: undefined, cursor: other })).reads).toHaveLength(2);
    expect((await next.inspect({ image: undefined, cursor: second.cursor })).reads).toEqual([]);
  }));

test('a read that waits: which request brings it; what is in flight and what is awaited', () =>
  withRig(async ({ origin, inspect, read }) => {
    await read('a.bin', 0, 1);
    const { promise: held, resolve: release } = deferred();
    const before = await whenEnded(inspect);
    origin.fault = () => ({ type: 'hold', until: held });
    const reading = read('a.bin', 8192, 20_000);
    await until(async () => (await inspect()).pending.some(({ doing }) => doing === 'fetching'));
    const { pending, fetches, blocks, queue } = await inspect(before);
    const [{ serial, ended, kind }] = fetches as [(typeof fetches)[number]];
    expect({ ended, kind }).toEqual({ ended: undefined, kind: 'demand' });
    expect(
      pending.map(({ path, block, doing, fetch, retries }) => ({ path, block, doing, fetch, retries })),
    ).toEqual(
      [2, 3, 4].map((index) => {
        return { path: 'a.bin', block: { blob: 0, index }, doing: 'fetching', fetch: serial, retries: 0 };
      }),
    );
    expect(statesOf({ blocks } as Inspection).slice(0, 6)).toEqual(Uint8Array.of(5, 0, 2, 2, 2, 0));
    expect(queue.map(({ blocks: waiting }) => waiting)).toEqual([0, 0, 0]);
    release();
    await reading;
    const ended2 = (await inspect({ cursor: { ...before.cursor } } as Inspection)).fetches;
    expect(ended2.map((fetch) => [fetch.serial, fetch.blocks])).toEqual([[serial, 3]]);
    expect(count(await inspect(), blockState.pending, blockState.inFlight)).toBe(0);
  }));

test('paused: nothing is asked for, readers wait and meet their deadlines; resumed, they are served', () =>
  withRig(async ({ origin, service, inspect, read }) => {
    await service.setSwitches({ ...noSwitches, isPaused: true });
    origin.reset();
    const late = read('a.bin', 0, 10, 200).catch((error: unknown) => error);
    const patient = read('a.bin', 40_000, 40_010);
    patient.catch(() => {}); // Awaited below.
    await until(async () => (await inspect()).pending.length > 0);
    const { pending, switches, queue } = await inspect();
    expect(new Set(pending.map(({ doing }) => doing))).toEqual(new Set(['paused']));
    expect(switches.isPaused).toBe(true);
    expect(queue[0]!.blocks).toBe(pending.length);
    expect(await late).toMatchObject({ code: 'read-timeout' });
    expect(origin.requests(/\.bin$/)).toEqual([]);
    await service.setSwitches(noSwitches);
    expect(await patient).toHaveLength(10);
  }));

test('offline: as without a network, at once, also what is under way; on again, the next read works', () =>
  withRig(async ({ origin, service, inspect, read }) => {
    origin.fault = ({ range }) => (range === undefined ? undefined : { type: 'hang' });
    const reading = read('a.bin', 0, 10).catch((error: unknown) => error);
    await until(async () => (await inspect()).fetches.length > 0);
    await service.setSwitches({ ...noSwitches, isOffline: true });
    expect(await reading).toMatchObject({ code: 'offline' });
    const { errors, fetches, state } = await inspect();
    expect(state.loader.activity).toBe('offline');
    expect(fetches.map(({ failed }) => failed)).toEqual(fetches.map(() => 'offline'));
    expect(errors.map(({ serial }) => serial)).toEqual(errors.map((_, i) => i + 1));
    // Each request that failed is one error, and nothing else is.
    expect(errors.map(({ code }) => code)).toEqual(fetches.map(() => 'offline'));
    expect(state.loader.errors).toBe(errors.length);
    origin.fault = undefined;
    await service.setSwitches(noSwitches);
    expect(await read('a.bin', 0, 10)).toHaveLength(10);
  }));

test('the next few requests fail: retried as a busy server is, counted down, and told', () =>
  withRig(async ({ origin, service, inspect, read }) => {
    await read('a.bin', 0, 10); // The table is here.
    const before = await whenEnded(inspect);
    await service.setSwitches({ ...noSwitches, failNext: 2 });
    origin.reset();
    const reading = read('a.bin', 8192, 8202);
    await until(async () => {
      const [waiting] = (await inspect()).pending;
      return waiting?.doing === 'backing-off' && waiting.retries > 0;
    });
    expect(await reading).toHaveLength(10);
    const { switches, fetches, errors, state } = await inspect(before);
    expect(switches).toEqual(noSwitches);
    expect(fetches.map(({ failed }) => failed)).toEqual(['bad-origin', 'bad-origin', undefined]);
    expect(errors.map(({ code }) => code)).toEqual(['bad-origin', 'bad-origin']);
    expect(state.loader.retries).toBeGreaterThan(0);
    expect(origin.requests(/\.bin$/)).toHaveLength(1);
  }));

test('a slow link: what is read takes as long as that link would', () =>
  withRig(async ({ service, read }) => {
    await read('a.bin', 0, 1); // The table is here.
    await service.setSwitches({ ...noSwitches, delayMs: 100, bytesPerSecond: 50_000 });
    const began = performance.now();
    await read('a.bin', 40_960, 53_248);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(100 + 12_288 / 50 - 5);
  }));

test('a block table as it was published, where it is here; nothing is fetched for who looks', () =>
  withRig(async ({ origin, service, read }) => {
    const { record, bytes } = site.blobs[0]!;
    origin.reset();
    expect(await service.blockTable(site.image, 0)).toBeUndefined();
    await expect(service.blockTable(site.image, 99)).rejects.toMatchObject({ code: 'ENOENT' });
    const unknown = 'ab'.repeat(32);
    await expect(service.blockTable(unknown, 0)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(service.inspect({ image: unknown, cursor: undefined })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(origin.requests(/\.bin$/)).toEqual([]);
    await read('a.bin', 0, 1);
    const table = await service.blockTable(site.image, 0);
    expect(Buffer.compare(table!, bytes.subarray(0, record.tableLength))).toBe(0);
    expect((await BlockTable.open(table!, record)).count).toBe(record.blockCount);
  }));

test('sealed, pinned, versions, tabs, and what would go next', () =>
  withRig(
    async ({ service, inspect, read }) => {
      await read('a.bin', 0, 500_000);
      await read('b.bin', 0, 300_000);
      await service.flush();
      expect(count(await inspect(), blockState.sealed)).toBe(totalBlocks());
      await service.pin(site.image, ['a.bin'], true);
      const inspection = await inspect();
      const states = statesOf(inspection);
      expect(states[placeOf(0, 0)]).toBe(blockState.sealed + pinnedFlag);
      expect(states.at(-1)).toBe(blockState.sealed);
      const { storage, versions, tabs } = inspection;
      expect(tabs).toEqual([{ loader: 'tab', image: site.image, isLeader: true, isInspector: false }]);
      const total = site.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
      expect(versions).toEqual([
        {
          image: site.image,
          inUse: true,
          isStored: true,
          lastUsed: expect.any(Number),
          bytes: site.bootstrap.length + total,
          stored: { total, present: total },
        },
      ]);
      expect(await service.overview()).toEqual({ tabs, versions, kind: 'opfs' });
      expect(storage).toMatchObject({
        kind: 'opfs',
        room: { usage: 1, quota: 100 },
        limits: { run: 0.1, cull: 0.07, stop: 0.03 },
        // All of it is in use.
        next: [],
      });
      expect(storage.journalBytes).toBeGreaterThan(100);
    },
    { estimate: async () => ({ usage: 1, quota: 100 }) },
  ));

test('of an image that is half here the share is told; a part of a block less is less than all', () =>
  withRig(async ({ origin, service, read }) => {
    const { promise: until, resolve: release } = deferred();
    // Its last byte does not come by itself, as what is near does where it costs little.
    const last = site.blobs.at(-1)!;
    const held = { type: 'hold', until, from: last.bytes.length - 1 } as const;
    origin.fault = ({ path }) => (path.endsWith(`/${last.record.sha256}.bin`) ? held : undefined);
    const share = async () => (await service.overview()).versions[0]!.stored!;
    const total = site.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(await share()).toEqual({ total, present: 0 });
    await read('a.bin', 0, 40_000);
    await service.flush();
    const { present } = await share();
    expect(present).toBeGreaterThan(40_000);
    expect(present).toBeLessThan(100_000);
    await read('a.bin', 0, 500_000);
    // All but its last block.
    await read('b.bin', 0, 290_000);
    await service.flush();
    const nearly = await share();
    expect(nearly.present).toBeGreaterThan(total - 16_384);
    expect(nearly.present).toBeLessThan(total);
    release();
  }));

test('who looks into the store is no tab; pages and mappings are what the service worker tells, asked seldom', async () => {
  let later = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + later };
  let asked = 0;
  const locks = new LockManagerForTests();
  for (const loader of ['tab', 'two', 'panel'])
    void locks.request(loaderLockName(loader), () => new Promise(() => {}));
  const page = { loader: 'two', path: '/app/two.html', isVisible: false };
  const facts = async () => {
    asked += 1;
    const mappings = { hits: asked, misses: 2, revalidations: 3 };
    return { mappings, pages: [page, { ...page, loader: 'elsewhere' }] };
  };
  await withRig(
    async ({ service, inspect }) => {
      const release = { image: site.image, bytes: site.bootstrap.length };
      await service.open({ loader: 'two', release, background: false });
      await service.open({ loader: 'panel', release, background: false, isInspector: true });
      const { tabs, state } = await inspect();
      const common = { image: site.image, isLeader: false, isInspector: false };
      expect(tabs).toEqual([
        { ...common, loader: 'tab', isLeader: true },
        { ...common, loader: 'two', page: { path: '/app/two.html', isVisible: false } },
        { ...common, loader: 'panel', isInspector: true },
      ]);
      expect(state.mappings).toEqual({ hits: 1, misses: 2, revalidations: 3 });
      expect((await service.overview()).tabs).toEqual(tabs);
      expect(asked).toBe(1);
      later = 1000;
      expect((await inspect()).state.mappings).toMatchObject({ hits: 2 });
    },
    { facts, clock, locks: locks.of('tab') },
  );
});

test('files made at run time are told, with how much of each is here, as long as they have a name', () =>
  withRig(async ({ service, inspect }) => {
    expect((await inspect()).made).toEqual([]);
    const change = (operation: TreeOperation) =>
      service.changeTree(site.image, operation, hex(crypto.getRandomValues(new Uint8Array(32))));
    const file = {
      type: 'create-file',
      blockSize: 4096,
      mime: '',
      meta: new Uint8Array(),
      content: undefined,
    } as const;
    await change({ type: 'mkdir', path: 'own/deep', recursive: true });
    await change({ ...file, path: 'own/deep/whole.txt', size: 5000, content: new Uint8Array(5000) });
    await change({ ...file, path: 'own/later.dat', size: 10_000 });
    await change({ ...file, path: 'own/empty', size: 0 });
    await service.provideBlocks(site.image, [
      { path: 'own/later.dat', block: 1, bytes: new Uint8Array(4096) },
    ]);
    const before = await inspect();
    expect(before.made).toEqual([
      { path: 'own/deep/whole.txt', size: 5000, blocks: 2, present: 2 },
      { path: 'own/later.dat', size: 10_000, blocks: 3, present: 1 },
      { path: 'own/empty', size: 0, blocks: 0, present: 0 },
    ]);
    await change({ type: 'unlink', path: 'own/later.dat' });
    expect((await inspect()).made.map(({ path }) => path)).toEqual(['own/deep/whole.txt', 'own/empty']);
  }));

test('a stored version that no tab uses any more: its last blobs go first, but for what is pinned', () =>
  withRig(async ({ service, start, read, inspect }) => {
    await read('a.bin', 0, 500_000);
    await read('b.bin', 0, 300_000);
    expect((await inspect()).storage.next).toEqual([]);
    await service.close();
    const next = await start({ loader: 'next', open: false });
    const { storage, versions, tabs } = await next.inspect({ image: site.image, cursor: undefined });
    expect(tabs).toEqual([]);
    expect(versions).toMatchObject([{ image: site.image, inUse: false, isStored: true }]);
    expect(storage.next).toEqual(
      site.blobs.map(({ record, bytes }) => ({ sha256: record.sha256, bytes: bytes.length })).reverse(),
    );
  }));

test('without OPFS what is here is so for this loader’s life; the quota that is asked does not answer: no answer is the answer', () =>
  withRig(
    async ({ inspect, read }) => {
      await read('a.bin', 0, 5000);
      const inspection = await inspect();
      expect(inspection.storage.kind).toBe('memory');
      expect(inspection.state.loader.storage).toBe('memory');
      expect(count(inspection, blockState.inMemory)).toBeGreaterThan(1);
      expect(count(inspection, blockState.present, blockState.sealed)).toBe(0);
    },
    { directory: undefined },
  ));

test('all of an answer is of one moment, however long the platform is asked for its quota meanwhile', () =>
  withRig(async ({ service, start, read }) => {
    await read('a.bin', 0, 500_000);
    await read('b.bin', 0, 300_000);
    await service.close();
    const told: ((room: { usage: number; quota: number }) => void)[] = [];
    const next = await start({
      loader: 'next',
      open: false,
      estimate: () => new Promise((resolve) => told.push(resolve)),
    });
    const asking = next.inspect({ image: site.image, cursor: undefined });
    await until(async () => told.length > 0);
    // Meanwhile a tab opens it, reads, and gives a blob back.
    const release = { image: site.image, bytes: site.bootstrap.length };
    await next.open({ loader: 'next', release, background: false });
    await next.read(site.image, 'a.bin', 0, 10, 1000, new AbortController().signal);
    await next.evict(site.image, ['b.bin']);
    for (const tell of told) tell({ usage: 1, quota: 100 });
    const inspection = await asking;
    const { state, tabs, versions, storage, reads, cursor } = inspection;
    expect(count(inspection, blockState.sealed)).toBe(state.blocks.present);
    expect(reads).toHaveLength(cursor.read);
    const [version, ...others] = versions;
    expect(others).toEqual([]);
    expect(version!.inUse).toBe(tabs.length > 0);
    expect(version!.bytes).toBe(site.bootstrap.length + state.bytes.present);
    const states = statesOf(inspection);
    const here = site.blobs.filter((_, blob) => states[placeOf(blob, 0)] === blockState.sealed);
    const names = here.map(({ record }) => record.sha256);
    for (const { sha256 } of storage.next) expect(names).toContain(sha256);
  }));

test('a platform that never tells its quota does not hold up who looks', () =>
  withRig(
    async ({ inspect }) => {
      expect((await inspect()).storage.room).toBeUndefined();
    },
    { estimate: () => new Promise(() => {}) },
  ));

test('found bad: damaged until it came again', () =>
  withScrubRig(site, async ({ start, release, complete, scribble }) => {
    const service = await start();
    await service.open({ loader: 'tab', release, background: true });
    await complete(service);
    const { record } = site.blobs[1]!;
    await scribble(record, record.tableLength + 10, Uint8Array.of(1, 2, 3));
    await service.setSwitches({ ...noSwitches, isPaused: true });
    await service.scrub(site.image, new AbortController().signal);
    const inspect = () => service.inspect({ image: site.image, cursor: undefined });
    const damaged = await inspect();
    expect(statesOf(damaged)[placeOf(1, 0)]).toBe(blockState.damaged);
    expect(count(damaged, blockState.damaged)).toBe(1);
    expect(damaged.queue[2]!.blocks + damaged.queue[1]!.blocks).toBe(1);
    await service.setSwitches(noSwitches);
    await complete(service);
    expect(count(await inspect(), blockState.sealed)).toBe(totalBlocks());
  }));

test('from another tab all of this is the leader’s; one that is made to end has said so before, and the other leads', () =>
  withTabs(site, async ({ openAs, scope, release, locks, ended }) => {
    const leader = openAs('leader');
    await leader.start({ scope, release, background: false });
    const standby = openAs('standby');
    await standby.start({ scope, release, background: false });
    await leader.read('a.bin', 0, 10_000, 5000);
    const own = await leader.inspect(undefined);
    const told = await standby.inspect(undefined);
    expect(told.reads).toEqual(own.reads);
    expect(told.tabs).toEqual([
      { loader: 'leader', image: site.image, isLeader: true, isInspector: false },
      { loader: 'standby', image: site.image, isLeader: false, isInspector: false },
    ]);
    expect(count(told, blockState.present, blockState.sealed)).toBe(told.state.blocks.present);

    void locks.request(loaderLockName('panel'), () => new Promise(() => {}));
    const [inbox, outbox] = [replyName(scope, 'leader', 'panel'), inboxName(scope, 'leader')].map(
      (name) => new BroadcastChannel(name) as unknown as MessageEndpoint,
    );
    const panel = new RemoteService({ loader: 'panel', inbox: inbox!, outbox: outbox!, clock: systemClock });
    await panel.setSwitches({ ...noSwitches, isPaused: true });
    expect((await panel.inspect({ image: undefined, cursor: undefined })).switches.isPaused).toBe(true);
    await panel.endLeader();
    await until(async () => ended.includes('leader'));
    await panel.close();
    // All that was switched ended with it.
    await until(async () => (await standby.state()).loader.role === 'leader');
    const { switches, cursor } = await standby.inspect(told.cursor);
    expect(switches).toEqual(noSwitches);
    expect(cursor.leader).not.toBe(told.cursor.leader);
  }));
