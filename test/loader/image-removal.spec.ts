import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { Culler } from '../../src/loader/culler.ts';
import { KnownImages } from '../../src/loader/known-images.ts';
import type { Loader } from '../../src/loader/loader.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { storedBlobs } from '../contracts/blob-file.ts';
import { type EngineRig, failure, withEngine } from './engine-rig.ts';
import { FlakyDirectory } from './flaky-directory.ts';
import { QuotaDirectory } from './quota-directory.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { connect, type Tabs, withTabs } from './tabs.ts';

const KiB = 1024;
/** Two versions of an app that share nothing. */
let one: Fixture;
let two: Fixture;

test.beforeAll(async () => {
  const files = [{ name: 'data.pak', size: 300 * KiB, shift: 14 }];
  one = await makeSite(files, 128 * KiB, 1);
  two = await makeSite(files, 128 * KiB, 2);
});

interface RemovalRig extends EngineRig {
  readonly directory: FlakyDirectory;
  /** Culls all that may go. */
  cull(): Promise<void>;
}

/** The second version is mounted and used; of the first, the bootstrap is stored. */
function withBootstrap(run: (rig: RemovalRig) => Promise<void>): Promise<void> {
  const directory = new FlakyDirectory();
  const work = async (rig: EngineRig): Promise<void> => {
    const { engine, local, store } = rig;
    await store.addImage(one.image, one.bootstrap);
    store.used(one.image, 1);
    await store.commit();
    const culler = new Culler({
      engine,
      local,
      images: new KnownImages(engine, local),
      uses: { has: (image) => image === two.image, areKnown: async () => true },
      clock: systemClock,
      random: () => 0.5,
      estimate: async () => ({ usage: 1e9, quota: 1e9 }),
      isOpen: (image) => engine.mountOf(image) !== undefined,
      onCulled: () => {},
    });
    await run({ ...rig, directory, cull: () => culler.makeRoom() });
    culler.close();
  };
  return withEngine(two, work, { directory });
}

test('a bootstrap of which nothing was present goes, with its time of use; what is mounted stays', () =>
  withBootstrap(async ({ store, directory, cull }) => {
    await store.addImage(two.image, two.bootstrap);
    await cull();
    expect(store.images()).toEqual([two.image]);
    expect(store.lastUsed(one.image)).toBeUndefined();
    expect(await directory.list('images')).toEqual([`${two.image}.bin`]);
  }));

test('a bootstrap stays while a blob of it is pinned, here or not, and while something is left of what was made in its tree', () =>
  withBootstrap(async ({ store, cull }) => {
    const pinned = one.blobs.map(({ record }) => record.sha256).slice(-1);
    await store.pin(pinned);
    await cull();
    expect(store.images()).toEqual([one.image]);
    await store.unpin(pinned);
    const place = { parent: 0, name: 'made' };
    const node = { kind: 'directory', meta: new Uint8Array(0) } as const;
    await store.change(one.image, [{ type: 'create', inode: 100, ...place, node }]);
    await cull();
    expect(store.images()).toEqual([one.image]);
    await store.change(one.image, [{ type: 'unlink', ...place }]);
    await cull();
    expect(store.images()).toEqual([]);
  }));

test('a spoilt bootstrap goes, and with the next look the blobs that nobody knows to be its own', () =>
  withBootstrap(async ({ store, cull, engine }) => {
    const { record, bytes } = one.blobs[0]!;
    store.blob(record);
    await store.writeTable(record.sha256, bytes.slice(0, record.tableLength));
    await store.replaceImage(one.image, one.bootstrap.slice().fill(0, 200));
    await cull();
    expect(store.images()).toEqual([]);
    expect(store.blobs().map(({ description }) => description.sha256)).toEqual([record.sha256]);
    expect(engine.info().lastError?.code).toBe('integrity');
    await cull();
    expect(store.blobs()).toEqual([]);
  }));

test('a bootstrap that only a newer release of ours can read stays, and so does one that cannot be read just now', () =>
  withBootstrap(async ({ store, directory, cull, engine }) => {
    const later = one.bootstrap.slice();
    const view = new DataView(later.buffer);
    view.setUint32(8, 2, true);
    view.setUint32(124, crc32(later.subarray(0, 124)), true);
    const image = hex(await sha256(later));
    await store.addImage(image, later);
    await store.commit();
    directory.fails = (operation, path) =>
      operation === 'read' && path.includes(one.image) ? 'unreadable' : undefined;
    await cull();
    expect(store.images()).toEqual([one.image, image]);
    expect(engine.parts.health.log.after(0).map(({ code }) => code)).toEqual(
      expect.arrayContaining(['unreadable', 'unsupported-image']),
    );
    directory.fails = () => undefined;
    await cull();
    expect(store.images()).toEqual([image]);
  }));

test('no room for a journal without a bootstrap: it is reported, nothing is lost, and the next look removes it', () =>
  withBootstrap(async ({ store, directory, cull, engine }) => {
    directory.fails = (operation, path) =>
      operation === 'write' && path.startsWith('journal') ? 'ENOSPC' : undefined;
    await cull();
    expect(engine.info().lastError?.code).toBe('ENOSPC');
    expect(await store.readImage(one.image)).toEqual(one.bootstrap);
    expect(store.lastUsed(one.image)).toBe(1);
    directory.fails = () => undefined;
    await cull();
    expect(store.images()).toEqual([]);
    expect(await directory.list('images')).toEqual([]);
  }));

interface QuotaTabs extends Tabs {
  readonly disk: QuotaDirectory;
  start(site: Fixture): Promise<Loader>;
  /** The images whose bootstraps have a file. */
  storedImages(): Promise<string[]>;
  /** So little room is left that all has to go that is not of the second version. */
  cullAll(): void;
}

/** Both versions are published, and stored. */
function withBoth(run: (tabs: QuotaTabs) => Promise<void>): Promise<void> {
  return withTabs(one, async (tabs) => {
    await two.write(tabs.folder);
    const disk = new QuotaDirectory(1e9);
    tabs.platform.room = () => disk.room;
    const start = async (site: Fixture): Promise<Loader> => {
      const loader = tabs.open(disk);
      const release = { image: site.image, bytes: site.bootstrap.length };
      await loader.start({ scope: tabs.scope, release });
      return loader;
    };
    for (const site of [one, two]) {
      const loader = await start(site);
      await loader.whenComplete();
      await loader.close();
    }
    const storedImages = async (): Promise<string[]> =>
      (await disk.list('images')).map((name) => name.slice(0, 64)).sort();
    const cullAll = (): void => {
      disk.quota = 0.55 * disk.room.usage;
    };
    await run({ ...tabs, disk, start, storedImages, cullAll });
  });
}

const blobsOf = (site: Fixture): string[] => site.blobs.map(({ record }) => record.sha256).sort();

test('a bootstrap goes with the last of its blobs, not before there is need for room; whoever comes back fetches it again, or hears that it cannot be had', () =>
  withBoth(async ({ start, disk, storedImages, cullAll, folder, origin }) => {
    const both = [one.image, two.image].sort();
    expect(await storedImages()).toEqual(both);
    cullAll();
    const leader = await start(two);
    await expect.poll(storedImages).toEqual([two.image]);
    expect(await storedBlobs(disk)).toEqual(blobsOf(two));
    disk.quota = 1e9;

    // A service worker that still answers for the old version, and whose page has not come back (yet).
    const worker = connect(leader, one);
    const asked = worker.channel.call({
      name: 'read-bootstrap',
      message: (id) => ({ type: 'read-bootstrap', id, image: one.image }),
      timeoutMs: 5000,
      onReply: (reply) => (reply.type === 'failed' ? { value: reply.error.code } : undefined),
    });
    expect(await asked).toBe('unreadable');
    expect((await failure(worker.readBlocks(0, 0, 1))).code).toBe('unreadable');
    worker.channel.close();

    const published = `${one.image}.bin`;
    await rm(join(folder, published));
    expect((await failure(start(one))).code).toBe('bad-origin');
    await one.write(folder);
    origin.reset();
    const back = await start(one);
    expect(await back.read('data.pak', 0, 1e9, 10_000)).toEqual(one.files.get('data.pak'));
    expect(origin.requests(({ path }) => path.endsWith(published))).toHaveLength(1);
    await back.whenComplete();
    expect(await storedImages()).toEqual(both);
  }));

test('a bootstrap that the leader has opened stays: who comes back to its version can be offline later', () =>
  withBoth(async ({ start, disk, cullAll, origin }) => {
    const leader = await start(two);
    const visitor = await start(one);
    cullAll();
    await visitor.close();
    await expect.poll(() => storedBlobs(disk)).toEqual(blobsOf(two));
    await leader.flush();
    disk.quota = 1e9;
    const again = await start(one);
    await again.whenComplete();
    await again.close();
    await leader.close();
    await origin.stop();
    const offline = await start(one);
    expect(await offline.read('data.pak', 0, 1e9, 10_000)).toEqual(one.files.get('data.pak'));
  }));
