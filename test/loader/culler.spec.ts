import { expect, test } from '@playwright/test';
import { Culler } from '../../src/loader/culler.ts';
import { ImageUses } from '../../src/loader/image-uses.ts';
import { KnownImages } from '../../src/loader/known-images.ts';
import type { Loader } from '../../src/loader/loader.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { loaderLockName, type ReleaseRecord, writerLockName } from '../../src/protocol/messages.ts';
import type { Directory } from '../../src/store/directory.ts';
import { storedBlobs } from '../contracts/blob-file.ts';
import { CrashDisk } from '../crash/crash-disk.ts';
import { withEngine } from './engine-rig.ts';
import { LockManagerForTests } from './lock-manager.ts';
import { ManualClock } from './manual-clock.ts';
import { QuotaDirectory } from './quota-directory.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { type Tabs, withTabs } from './tabs.ts';

const KiB = 1024;
/** Two versions of an app that share nothing. */
let one: Fixture;
let two: Fixture;

test.beforeAll(async () => {
  const files = [
    { name: 'index.html', size: 3000, shift: 14 },
    { name: 'data.pak', size: 500 * KiB, shift: 14 },
  ];
  one = await makeSite(files, 128 * KiB, 1);
  two = await makeSite(files, 128 * KiB, 2);
});

const releaseOf = (site: Fixture): ReleaseRecord => ({ image: site.image, bytes: site.bootstrap.length });

const storedBytes = (site: Fixture): number =>
  site.blobs.reduce((sum, { record }) => sum + record.length, site.bootstrap.length);

/** Indices of the blobs of the site that have a file. */
async function blobsIn(directory: Directory, site: Fixture): Promise<number[]> {
  const stored = await storedBlobs(directory);
  return site.blobs.flatMap(({ record }, i) => (stored.includes(record.sha256) ? [i] : []));
}

async function isRight(loader: Loader, site: Fixture): Promise<boolean> {
  for (const [name, content] of site.files)
    if (Buffer.compare(await loader.read(name, 0, 1e9, 10_000), content) !== 0) return false;
  return true;
}

interface QuotaTabs extends Tabs {
  readonly disk: QuotaDirectory;
  /** Starts a loader of the version over the disk. */
  start(site: Fixture, background?: boolean): Promise<Loader>;
}

/** The first version is stored, and used by nobody. */
function withQuota(quota: number, run: (tabs: QuotaTabs) => Promise<void>): Promise<void> {
  return withTabs(one, async (tabs) => {
    await two.write(tabs.folder);
    await one.write(tabs.folder); // The release that is current.
    const disk = new QuotaDirectory(1e9);
    const start = async (site: Fixture, background = true): Promise<Loader> => {
      const loader = tabs.open(disk);
      await loader.start({ scope: tabs.scope, release: releaseOf(site), background });
      return loader;
    };
    const first = await start(one);
    await first.whenComplete();
    await first.close();
    disk.quota = quota;
    tabs.platform.room = () => disk.room;
    await run({ ...tabs, disk, start });
  });
}

const storage = async (loader: Loader): Promise<string> => (await loader.state()).loader.storage;

test('a version that nobody uses makes room for the one that is launched, which is stored whole', () =>
  withQuota(1.4 * storedBytes(one), async ({ start, disk }) => {
    const loader = await start(two);
    await loader.whenComplete();
    await loader.flush();
    expect(await blobsIn(disk, two)).toEqual(two.blobs.map((_, i) => i));
    const left = await blobsIn(disk, one);
    expect(left.length).toBeLessThan(one.blobs.length);
    // From the end: what a launch reads first stays longest.
    expect(left).toEqual(left.map((_, i) => i));
    expect(await storage(loader)).toBe('opfs');
    expect(await isRight(loader, two)).toBe(true);
  }));

test('a version that was never complete and that nobody uses makes room as well', () =>
  withTabs(one, async ({ folder, open, platform, scope }) => {
    await two.write(folder);
    await one.write(folder);
    const disk = new QuotaDirectory(1e9);
    const visitor = open(disk);
    await visitor.start({ scope, release: releaseOf(one), background: false });
    // A block of each blob, as a visit leaves it that has read here and there.
    for (let at = 0; at < 500 * KiB; at += 64 * KiB) await visitor.read('data.pak', at, at + 1, 10_000);
    await visitor.close();
    const left = await blobsIn(disk, one);
    expect(left.length).toBeGreaterThan(2);
    disk.quota = 1.2 * storedBytes(two);
    platform.room = () => disk.room;
    const loader = open(disk);
    await loader.start({ scope, release: releaseOf(two), background: true });
    await loader.whenComplete();
    expect(await storage(loader)).toBe('opfs');
    expect((await blobsIn(disk, one)).length).toBeLessThan(left.length);
    expect(await isRight(loader, two)).toBe(true);
  }));

for (const leads of ['it leads', 'it stands by'])
  test(`a version that a tab uses (${leads}) is not culled: the other one is served without being stored, until that tab has gone`, () =>
    withQuota(1.4 * storedBytes(one), async ({ start, disk }) => {
      const all = one.blobs.map((_, i) => i);
      const before = leads === 'it leads' ? await start(one) : undefined;
      const loader = await start(two, before !== undefined);
      const user = before ?? (await start(one));
      expect(await isRight(loader, two)).toBe(true);
      expect(await blobsIn(disk, one)).toEqual(all);
      expect(await storage(loader)).toBe('memory');
      expect((await loader.state()).complete).toBe(false);
      await user.close();
      await loader.whenComplete();
      expect(await storage(loader)).toBe('opfs');
      expect((await blobsIn(disk, one)).length).toBeLessThan(all.length);
      expect(await isRight(loader, two)).toBe(true);
    }));

test('a standby’s use counts like the leader’s, and so does one whose leader has died', () =>
  withQuota(1e9, async ({ start, disk }) => {
    const all = one.blobs.map((_, i) => i);
    const leader = await start(two);
    await leader.whenComplete();
    const user = await start(one, false);
    disk.quota = disk.room.usage;
    await start(two, false);
    expect(await isRight(user, one)).toBe(true);
    expect(await blobsIn(disk, one)).toEqual(all);
    await leader.close();
    expect(await isRight(user, one)).toBe(true);
    expect(await blobsIn(disk, one)).toEqual(all);
    // Also what is least recently used by now.
    expect((await blobsIn(disk, two)).length).toBe(two.blobs.length);
    await user.close();
    await expect.poll(() => blobsIn(disk, one)).not.toEqual(all);
  }));

test('as long as a loader lives that has not said which image it uses, nothing is culled', () =>
  withQuota(1e9, async ({ start, disk, locks, scope }) => {
    const gone = new AbortController();
    const { signal } = gone;
    const loader = await start(two, false);
    // It waits for the writer's lock, as a standby does whose new leader is only just there.
    const waiting = locks.of('stranger').request(writerLockName(scope), { signal }, () => {});
    const left = await blobsIn(disk, one);
    disk.quota = disk.room.usage;
    expect(await isRight(loader, two)).toBe(true);
    const other = await start(two, false);
    expect(await isRight(other, two)).toBe(true);
    expect(await blobsIn(disk, one)).toEqual(left);
    gone.abort();
    await waiting.catch(() => {});
    await start(two, false);
    await expect.poll(() => blobsIn(disk, one)).not.toEqual(left);
  }));

test('pinned blobs and files made at run time are not culled', () =>
  withQuota(1e9, async ({ start, disk }) => {
    const all = one.blobs.map((_, i) => i);
    const user = await start(one);
    await user.changeTree({
      type: 'create-file',
      path: 'made.bin',
      size: 100 * KiB,
      blockSize: 4096,
      mime: '',
      meta: new Uint8Array(0),
      content: new Uint8Array(100 * KiB).fill(3),
    });
    await user.pin(['index.html'], true);
    await user.close();
    disk.quota = disk.room.usage + 50 * KiB;
    const loader = await start(two);
    // Before the launch writes anything, the cull that is due at its begin.
    await expect.poll(() => blobsIn(disk, one)).not.toEqual(all);
    await isRight(loader, two);
    await loader.close();
    disk.quota = 1e9;
    expect(await blobsIn(disk, one)).toContain(0);
    const again = await start(one, false);
    expect(await again.read('made.bin', 99 * KiB, 100 * KiB, 0)).toEqual(new Uint8Array(KiB).fill(3));
    expect((await again.read('index.html', 0, 10, 0)).length).toBe(10);
  }));

test('below the stop limit nothing is written; what was read meanwhile is stored when there is room again', () =>
  withQuota(1e9, async ({ start, disk, platform, origin }) => {
    platform.room = () => ({ usage: 980, quota: 1000 });
    const user = await start(one, false);
    const loader = await start(two, false);
    expect(await isRight(loader, two)).toBe(true);
    await expect.poll(() => storage(loader)).toBe('memory');
    expect(await isRight(loader, two)).toBe(true);
    await loader.flush();
    const before = await blobsIn(disk, two);
    expect(before.length).toBeLessThan(two.blobs.length);
    platform.room = () => ({ usage: 500, quota: 1000 });
    const asked = origin.requests(() => true).length;
    // Whoever opens an image has it looked.
    const other = await start(one, false);
    await expect.poll(() => storage(loader)).toBe('opfs');
    await loader.whenComplete();
    expect(await blobsIn(disk, two)).toEqual(two.blobs.map((_, i) => i));
    expect(await isRight(loader, two)).toBe(true);
    // Nothing came over the network a second time but the pointer to the release.
    expect(origin.requests((entry) => entry.path.endsWith('.bin')).slice(asked)).toEqual([]);
    await Promise.all([user.close(), other.close()]);
  }));

test('storing stops below 3 %, goes on above 10 % only, and it is looked again every minute', () =>
  withEngine(one, async ({ engine, local }) => {
    const clock = new ManualClock();
    const percents = [2, 5, 10, 11];
    let looks = 0;
    const culler = new Culler({
      engine,
      local,
      clock,
      images: new KnownImages(engine, local),
      random: () => 0.5,
      uses: { has: () => true, areKnown: async () => true },
      estimate: async () => ({ usage: 100 - percents[looks++]!, quota: 100 }),
      isOpen: () => true,
      onCulled: () => {},
    });
    const stopped: boolean[] = [];
    for (const [i] of percents.entries()) {
      if (i === 0) culler.look();
      else {
        clock.advance(59_999);
        expect(looks).toBe(i);
        clock.advance(1);
      }
      expect(looks).toBe(i + 1);
      // The look has ended when the next one is planned, or none is needed any more.
      if (i + 1 < percents.length) await expect.poll(() => clock.timers).toBe(1);
      else await expect.poll(() => local.full).toBe(false);
      stopped.push(local.full);
    }
    expect(stopped).toEqual([true, true, true, false]);
    clock.advance(3_600_000);
    expect(looks).toBe(percents.length);
    culler.close();
  }));

test('uses: all are known only when every loader that waits for the writer’s lock has opened its image', async () => {
  const locks = new LockManagerForTests();
  const scope = 'https://a/';
  const ended: string[] = [];
  const uses = new ImageUses({
    locks: locks.of('leader'),
    scope,
    loader: 'leader',
    onEnd: (image) => ended.push(image),
  });
  const hold = (client: string, name: string): (() => void) => {
    const { promise: until, resolve: release } = deferred();
    void locks.of(client).request(name, () => until);
    return release;
  };
  hold('leader', writerLockName(scope));
  hold('leader', loaderLockName('leader'));
  expect(await uses.areKnown()).toBe(false);
  uses.begin('leader', 'one');
  expect(await uses.areKnown()).toBe(true);
  const die = hold('standby', loaderLockName('standby'));
  hold('standby', writerLockName(scope));
  // A loader of another scope is nobody's business.
  hold('other', writerLockName('https://b/'));
  expect(await uses.areKnown()).toBe(false);
  uses.begin('standby', 'two');
  expect(await uses.areKnown()).toBe(true);
  expect([uses.has('one'), uses.has('two'), uses.has('three')]).toEqual([true, true, false]);
  die();
  await expect.poll(() => ended).toEqual(['two']);
  expect(uses.has('two')).toBe(false);
  uses.close();
});

test('no room at any one write: something is culled, the write is made again, all is stored', () =>
  withTabs(one, async (tabs) => {
    await two.write(tabs.folder);
    const base = new CrashDisk();
    const first = tabs.open(base);
    await first.start({ scope: tabs.scope, release: releaseOf(one) });
    await first.whenComplete();
    await first.close();
    const files = base.after('written', 0);
    tabs.platform.room = () => ({ usage: 10 * KiB, quota: 1e9 });
    const launch = async (at: number): Promise<CrashDisk> => {
      const disk = new CrashDisk(files, { at, kind: 'full', seed: at });
      const loader = tabs.open(disk);
      await loader.start({ scope: tabs.scope, release: releaseOf(two) });
      await loader.whenComplete();
      expect(await isRight(loader, two), `operation ${at}`).toBe(true);
      expect(await storage(loader), `operation ${at}`).toBe('opfs');
      await loader.close();
      return disk;
    };
    const { operations } = await launch(-1);
    let culled = 0;
    for (let at = 0; at < operations; at++) {
      const disk = await launch(at);
      expect(await blobsIn(disk, two), `operation ${at}`).toEqual(two.blobs.map((_, i) => i));
      if ((await blobsIn(disk, one)).length < one.blobs.length) culled += 1;
    }
    // All but those of closing, and of what needs no room of its own.
    expect(culled).toBeGreaterThan(operations / 2);
  }));

test('no room from any one write on: every read is served all the same', () =>
  withTabs(one, async (tabs) => {
    const storages = new Set<string>();
    const launch = async (from: number): Promise<number> => {
      const disk = new QuotaDirectory(1e9);
      let writes = 0;
      disk.hasRoom = () => writes++ < from;
      const loader = tabs.open(disk);
      await loader.start({ scope: tabs.scope, release: releaseOf(one), background: false });
      expect(await isRight(loader, one), `from ${from}`).toBe(true);
      expect(await isRight(loader, one), `from ${from}`).toBe(true);
      await loader.flush();
      // The session's end alone may be refused without a word.
      const { loader: info, complete } = await loader.state();
      expect(info.storage === 'memory' || complete, `from ${from}`).toBe(true);
      storages.add(info.storage);
      await loader.close();
      return writes;
    };
    const writes = await launch(1e9);
    for (let from = 0; from < writes; from++) await launch(from);
    expect([...storages].sort()).toEqual(['memory', 'opfs']);
  }));
