import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Image } from '../../src/image/image.ts';
import { Culler } from '../../src/loader/culler.ts';
import { Engine } from '../../src/loader/engine.ts';
import { KnownImages } from '../../src/loader/known-images.ts';
import { LocalBlocks } from '../../src/loader/local-blocks.ts';
import type { BlockSource } from '../../src/protocol/block-source.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { type Fixture, makeSite } from '../loader/site-fixture.ts';
import { CrashDisk, crashModels } from './crash-disk.ts';

const KiB = 1024;
/** Of this one nothing is to be kept. */
let outdated: Fixture;
let old: Fixture;
let current: Fixture;
/** A disk with these images stored; of the old one a blob is pinned, and it has a file made at run time. */
let files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

const privateName = '7'.repeat(64);
const content = new Uint8Array(4096).fill(5);

test.beforeAll(async () => {
  const shape = [{ name: 'data.pak', size: 96 * KiB, shift: 12 }];
  outdated = await makeSite(shape, 24 * KiB, 3);
  old = await makeSite(shape, 24 * KiB, 1);
  current = await makeSite(shape, 24 * KiB, 2);
  const disk = new CrashDisk();
  const store = await BlockStore.open(disk);
  for (const [atMs, site] of [outdated, old, current].entries()) {
    await store.addImage(site.image, site.bootstrap);
    store.used(site.image, atMs);
    for (const { record, bytes } of site.blobs) {
      store.blob(record);
      await store.writeTable(record.sha256, bytes.slice(0, record.tableLength));
      for (let block = 0; block < record.blockCount; block++) {
        const at = record.tableLength + block * 4096;
        await store.writeBlock(record.sha256, block, at, bytes.slice(at, at + 4096));
      }
    }
  }
  await store.change(old.image, [
    {
      type: 'create',
      inode: 100,
      parent: 0,
      name: 'made.bin',
      node: {
        kind: 'file',
        size: 4096,
        blockSize: 4096,
        blob: privateName,
        mime: '',
        meta: new Uint8Array(0),
      },
    },
  ]);
  await store.writeLocalBlock(privateName, 0, content, new Uint8Array(32));
  await store.pin([old.blobs[0]!.record.sha256]);
  await store.close();
  files = disk.after('written', 0);
});

interface Left {
  /** Blobs of the old image. */
  readonly old: number;
  /** Blobs of the outdated one, and whether its bootstrap is here. */
  readonly outdated: number;
  readonly isOutdated: boolean;
}

/** What is left when all has gone that may. */
const done: Left = { old: 1, outdated: 0, isOutdated: false };

const nowhere: BlockSource = {
  wholeFiles: false,
  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *fetch() {
    throw new Error('Nothing is fetched here');
  },
};

/** Culls all that may go, as far as the disk lets it. Answers whether something went. */
async function cull(disk: CrashDisk): Promise<boolean> {
  let culled = false;
  const store = await BlockStore.open(disk);
  const local = new LocalBlocks(store, { clock: systemClock, onFull: () => {} });
  const engine = new Engine({ source: nowhere, local, clock: systemClock, random: () => 0 });
  engine.mount(await Image.open(current.bootstrap, { sha256: current.image }));
  const culler = new Culler({
    engine,
    local,
    images: new KnownImages(engine, local),
    uses: { has: (image) => image === current.image, areKnown: async () => true },
    clock: systemClock,
    random: () => 0.5,
    estimate: async () => ({ usage: 1e9, quota: 1e9 }),
    isOpen: (image) => engine.mountOf(image) !== undefined,
    onCulled: () => {
      culled = true;
    },
  });
  await culler.makeRoom();
  culler.close();
  return culled;
}

/** What is stored is true, and what must not go is here. Answers what is left of the rest. */
async function check(disk: CrashDisk, what: string): Promise<Left> {
  const reader = await StoreReader.open(disk);
  const store = await BlockStore.open(disk);
  const wrong: string[] = [];
  const left = { old: 0, outdated: 0 };
  for (const [site, name] of [
    [old, 'old'],
    [outdated, 'outdated'],
  ] as const) {
    for (const [i, { record, bytes }] of site.blobs.entries()) {
      const presence = store.blob(record);
      const found = presence.sealed ? await compared(store, record.sha256, bytes) : 'gone';
      if (found === 'wrong') wrong.push('wrong bytes');
      if (found === 'same') left[name] += 1;
      else if (site === old && i === 0) wrong.push('a pinned blob went');
      // Also what the disk lost is noticed when it is read.
      else if (presence.count > 0) wrong.push('a part of a blob');
      const seen = await reader.read(record.sha256, 0, record.length);
      if (seen && Buffer.compare(seen, bytes) !== 0) wrong.push('a reader sees wrong bytes');
    }
  }
  for (const { image, bootstrap } of [outdated, old, current]) {
    const stored = await store.readImage(image);
    if (stored ? Buffer.compare(stored, bootstrap) !== 0 : image !== outdated.image)
      wrong.push('a bootstrap is wrong, or went');
    const seen = await reader.image(image);
    if (seen && Buffer.compare(seen, bootstrap) !== 0) wrong.push('a reader sees a wrong bootstrap');
  }
  for (const { record, bytes } of current.blobs)
    if ((await compared(store, record.sha256, bytes)) !== 'same') wrong.push('a blob in use went');
  const own = await store.readBlock(privateName, 0, 0, 4096);
  if (!own || Buffer.compare(own, content) !== 0) wrong.push('a file made at run time went');
  expect(wrong, what).toEqual([]);
  // What is stored and not known takes room for nothing.
  const blobs = (
    await Promise.all((await disk.list('blobs')).map((name) => disk.snapshot(`blobs/${name}`)))
  ).filter((file) => file!.size > 0);
  expect(blobs.length, what).toBe(left.old + left.outdated + current.blobs.length + 1);
  const images = store.images();
  expect((await disk.list('images')).sort(), what).toEqual(images.map((id) => `${id}.bin`).sort());
  await store.close();
  return { ...left, isOutdated: images.includes(outdated.image) };
}

async function compared(
  store: BlockStore,
  sha256: string,
  bytes: Uint8Array,
): Promise<'same' | 'wrong' | 'gone'> {
  const blob = store.blobs().find(({ description }) => description.sha256 === sha256);
  if (!blob?.presence.sealed) return 'gone';
  const table = await store.readTable(sha256);
  const { tableLength, length } = blob.description;
  const blocks = await store.readBlock(sha256, 0, tableLength, length - tableLength);
  if (!table || !blocks) return 'gone';
  return Buffer.compare(Buffer.concat([table, blocks]), bytes) === 0 ? 'same' : 'wrong';
}

test('a crash at every operation of a cull: nothing that must stay goes, what is left is true, the next mount ends it', async () => {
  const calm = new CrashDisk(files);
  const before = await check(new CrashDisk(files), 'before');
  expect(before).toEqual({ old: old.blobs.length, outdated: outdated.blobs.length, isOutdated: true });
  expect(await cull(calm)).toBe(true);
  const { operations } = calm;
  expect(await check(new CrashDisk(calm.after('written', 0)), 'without a crash')).toEqual(done);
  expect(operations).toBeGreaterThan(old.blobs.length);
  let halfway = 0;
  let bare = 0;
  for (let at = 0; at < operations; at++) {
    const disk = new CrashDisk(files, { at, kind: 'crash', seed: at });
    await cull(disk).catch((error: unknown) => expect(String(error)).toContain('Crash'));
    for (const model of crashModels) {
      for (let seed = 0; seed < (model === 'torn' ? 8 : 1); seed++) {
        const left = await check(
          new CrashDisk(disk.after(model, seed)),
          `${model}, operation ${at}, seed ${seed}`,
        );
        const blobs = left.old + left.outdated;
        if (blobs > 1 && blobs < before.old + before.outdated) halfway += 1;
        if (blobs === 1 && left.isOutdated) bare += 1;
      }
    }
    // The next look ends it.
    const next = new CrashDisk(disk.after('written', at));
    await cull(next);
    expect(await check(new CrashDisk(next.after('written', 0)), `another look, operation ${at}`)).toEqual(
      done,
    );
  }
  // Intents that were begun are ended as far as they were written.
  expect(halfway).toBeGreaterThan(0);
  expect(bare, 'a bootstrap outlives its blobs').toBeGreaterThan(0);
});

test('a cull on a disk that is full to the last byte, and a crash at every operation of it', async () => {
  for (const kind of ['crash', 'none'] as const) {
    const count = kind === 'none' ? 1 : 60;
    for (let at = 0; at < count; at++) {
      const disk = new FullDisk(files, kind === 'none' ? undefined : { at, kind, seed: at });
      const made = await cull(disk).catch(() => undefined);
      for (const model of crashModels) {
        const left = await check(new CrashDisk(disk.after(model, at)), `${model}, operation ${at}`);
        if (kind === 'none' && model === 'written') expect([made, left]).toEqual([true, done]);
      }
      if (!disk.crashed) break;
    }
  }
});

/** Takes nothing that needs more room than was given back. */
class FullDisk extends CrashDisk {
  #free = 0;

  override async open(path: string, options?: { create?: boolean }) {
    const file = await super.open(path, options);
    return {
      ...file,
      write: (bytes: Uint8Array, at: number): void => {
        const growth = Math.max(0, at + bytes.length - file.size());
        if (growth > this.#free) throw new SluiceError('ENOSPC', 'No room', { path });
        file.write(bytes, at);
        this.#free -= growth;
      },
      truncate: (length: number): void => {
        const before = file.size();
        file.truncate(length);
        this.#free += before - length;
      },
    };
  }

  override async remove(path: string): Promise<void> {
    const size = (await this.snapshot(path))?.size ?? 0;
    await super.remove(path);
    this.#free += size;
  }
}
