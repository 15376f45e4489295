import { expect, test } from '@playwright/test';
import type { ErrorCode } from '../../src/format/errors.ts';
import { sha256 } from '../../src/format/sha256.ts';
import { Culler } from '../../src/loader/culler.ts';
import { KnownImages } from '../../src/loader/known-images.ts';
import { LocalBlocks, type LocalBlocksOptions } from '../../src/loader/local-blocks.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import {
  blockOf,
  type PublishedBlob,
  publishedBlob,
  publishedImage,
  tableOf,
} from '../contracts/published.ts';
import { failure, withEngine } from './engine-rig.ts';
import { FlakyDirectory, type Operation } from './flaky-directory.ts';
import { bootstrapOnly, startLeader } from './leader.ts';
import { inSteps, ManualClock } from './manual-clock.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

/** Failures of the platform that pass: nothing stays missing, or unstored, for longer than they last. */

interface Rig {
  readonly directory: FlakyDirectory;
  readonly clock: ManualClock;
  readonly store: BlockStore;
  readonly local: LocalBlocks;
  readonly blob: PublishedBlob;
  /** What was told to be lost. */
  readonly lost: [string, readonly number[]][];
  readonly unreadable: string[];
  write(block: number): Promise<void>;
  read(block: number): Promise<Uint8Array | undefined>;
  /** What a new mount finds: the blocks that are present and right, or all of the store's that are present. */
  stored(): Promise<number[]>;
}

/** A store with a table and the first two of four blocks. */
async function rig(options: Partial<LocalBlocksOptions> = {}): Promise<Rig> {
  const directory = new FlakyDirectory();
  const clock = new ManualClock();
  const store = await BlockStore.open(directory);
  const blob = await publishedBlob(1, 4);
  const lost: Rig['lost'] = [];
  const unreadable: string[] = [];
  const local = new LocalBlocks(store, {
    clock,
    onFull: () => {},
    onUnreadable: ({ code }) => unreadable.push(code),
    onLost: (name, blocks) => lost.push([name, blocks]),
    ...options,
  });
  const name = blob.description.sha256;
  store.blob(blob.description);
  const write = (block: number): Promise<void> =>
    local.writeBlock(name, block, blob.blocks[block]!.start, blockOf(blob, block));
  await local.writeTable(name, tableOf(blob));
  await write(0);
  await write(1);
  await local.commit();
  return {
    directory,
    clock,
    store,
    local,
    blob,
    lost,
    unreadable,
    write,
    read: (block) => {
      const { start, end } = blob.blocks[block]!;
      return local.readBlock(name, block, start, end - start);
    },
    stored: async () => {
      const present: number[] = [];
      const presence = store.presence(name)!;
      for (const [block, { start, end }] of blob.blocks.entries()) {
        if (!presence.has(block)) continue;
        const bytes = await store.readBlock(name, block, start, end - start);
        expect(Buffer.compare(bytes!, blockOf(blob, block))).toBe(0);
        present.push(block);
      }
      return present;
    },
  };
}

/** Fails `times` operations of the kind on blobs' files. */
function failing(operation: Operation, times: number, code: ErrorCode = 'unreadable', folder = 'blobs/') {
  let left = times;
  return (op: Operation, path: string): ErrorCode | undefined =>
    op === operation && path.startsWith(folder) && left-- > 0 ? code : undefined;
}

test('a read that fails once is tried again on the file opened anew, and nobody hears of it', async () => {
  const { directory, read, blob, unreadable } = await rig();
  directory.fails = failing('read', 1);
  expect(Buffer.compare((await read(1))!, blockOf(blob, 1))).toBe(0);
  expect(unreadable).toEqual([]);
});

test('a present block that cannot be read is missing for two seconds, and storing goes on', async () => {
  const { directory, clock, local, store, read, write, blob, unreadable } = await rig();
  const { sha256: name } = blob.description;
  const presence = store.presence(name)!;
  directory.fails = failing('read', 2);
  expect(await read(1)).toBeUndefined();
  expect(unreadable).toEqual(['unreadable']);
  expect(local.hasBlock(presence, name, 1)).toBe(false);
  expect(local.hasBlock(presence, name, 0)).toBe(true);
  clock.advance(1999);
  expect(local.hasBlock(presence, name, 1)).toBe(false);
  clock.advance(1);
  expect(local.hasBlock(presence, name, 1)).toBe(true);
  expect(Buffer.compare((await read(1))!, blockOf(blob, 1))).toBe(0);
  expect(local.full).toBe(false);
  await write(2);
  expect(presence.has(2)).toBe(true);
});

test('a block that could not be read and comes again: left as it is where it can be read by now', async () => {
  const { directory, local, store, read, write, blob } = await rig();
  const slots = async () => (await directory.snapshot('journal-b'))!.size;
  directory.fails = failing('read', 2);
  await read(1);
  const before = await slots();
  await write(1);
  expect(local.hasBlock(store.presence(blob.description.sha256)!, blob.description.sha256, 1)).toBe(true);
  // No generation without it.
  expect(await slots()).toBe(before);
});

test('a block that cannot be read and comes again is dropped and stored anew: the next mount has it, and it is right', async () => {
  const { directory, local, read, write, stored, blob, store } = await rig();
  // A sector is bad until it is written.
  const { start, end } = blob.blocks[1]!;
  directory.fails = failing('read', 4);
  expect(await read(1)).toBeUndefined();
  await write(1);
  directory.fails = () => undefined;
  expect(local.hasBlock(store.presence(blob.description.sha256)!, blob.description.sha256, 1)).toBe(true);
  expect(end).toBeGreaterThan(start);
  await local.commit();
  expect(await stored()).toEqual([0, 1]);
});

test('a flush that fails: the blocks are told as lost, the bootstrap is kept; both are stored when storing goes on', async () => {
  const { directory, local, store, write, stored, lost, blob } = await rig();
  const image = await publishedImage(2, 100);
  await write(2);
  await local.images.add(image.id, image.bytes, false);
  let left = 2;
  directory.fails = (operation, path) =>
    operation === 'flush' && !path.startsWith('journal') && left-- > 0 ? 'unreadable' : undefined;
  expect(await local.commit()).toEqual([]);
  expect(local.full).toBe(true);
  expect(lost).toEqual([[blob.description.sha256, [2]]]);
  expect(store.hasImage(image.id)).toBe(false);
  expect(Buffer.compare((await local.images.read(image.id))!, image.bytes)).toBe(0);
  // Comes again, into memory.
  await write(2);
  await write(3);
  expect(await stored()).toEqual([0, 1]);
  expect(await local.resume()).toBe(true);
  expect(await stored()).toEqual([0, 1, 2, 3]);
  expect(store.hasImage(image.id)).toBe(true);
  // All of that is durable.
  await store.close();
  const next = await BlockStore.open(directory);
  expect(next.blob(blob.description).count).toBe(4);
  expect(next.images()).toEqual([image.id]);
});

test('storing that goes on and fails again keeps what it had in memory', async () => {
  const { directory, local, store, read, write, stored, blob } = await rig();
  directory.fails = failing('write', 1);
  await write(2);
  expect(local.full).toBe(true);
  for (const operation of ['write', 'flush'] as const) {
    directory.fails = failing(operation, 1);
    expect(await local.resume()).toBe(false);
    expect(await stored()).toEqual([0, 1]);
    expect(local.hasBlock(store.presence(blob.description.sha256)!, blob.description.sha256, 2)).toBe(true);
    expect(Buffer.compare((await read(2))!, blockOf(blob, 2))).toBe(0);
  }
  expect(await local.resume()).toBe(true);
  expect(await stored()).toEqual([0, 1, 2]);
});

let site: Fixture;
test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 14 },
      { name: 'data.pak', size: 200 * 1024, shift: 14 },
    ],
    128 * 1024,
  );
});

for (const estimate of [undefined, { usage: 1, quota: 1e9 }])
  test(`storing that stopped for a failure that passes is tried again after 2, 4, 8 … 60 s, ${estimate ? 'with' : 'without'} an estimate of the quota`, () => {
    const directory = new FlakyDirectory();
    const clock = new ManualClock();
    return withEngine(
      site,
      async ({ engine, local, read, mount, store }) => {
        const culler = new Culler({
          engine,
          local,
          clock,
          random: () => 0.5,
          images: new KnownImages(engine, local),
          uses: { has: () => true, areKnown: async () => true },
          estimate: async () => estimate,
          isOpen: () => true,
          onCulled: () => {},
        });
        const tries = new Set<number>();
        directory.fails = (operation, path) => {
          if (operation !== 'write' || !path.startsWith('blobs/')) return undefined;
          tries.add(clock.now() / 1000);
          return 'unreadable';
        };
        await read('data.pak');
        expect(local.full).toBe(true);
        expect([...tries]).toEqual([0]);
        culler.lookAgain();
        await inSteps(clock, 200_000);
        expect([...tries]).toEqual([0, 2, 6, 14, 30, 62, 122, 182]);
        directory.fails = () => undefined;
        clock.advance(60_000);
        await expect.poll(() => local.full).toBe(false);
        expect(mount.presentBlocks).toBeGreaterThan(5);
        expect(store.presence(site.blobs[0]!.record.sha256)!.count).toBeGreaterThan(0);
        culler.close();
      },
      { directory, clock },
    );
  });

test('what a failed flush has lost is fetched again, and the image completes', () => {
  const directory = new FlakyDirectory();
  let left = 1;
  directory.fails = (operation, path) =>
    operation === 'flush' && path.startsWith('blobs/') && left-- > 0 ? 'unreadable' : undefined;
  return withEngine(
    site,
    async ({ engine, local, mount, event, store }) => {
      engine.complete(mount);
      await expect.poll(() => local.full).toBe(true);
      expect(await local.resume()).toBe(true);
      engine.resume();
      await event('complete');
      for (const { record, bytes } of site.blobs) {
        expect(store.presence(record.sha256)?.sealed).toBe(true);
        expect(Buffer.compare((await store.probe(record.sha256, 0, record.length))!, bytes)).toBe(0);
      }
    },
    { directory },
  );
});

for (const code of ['unreadable', 'ENOSPC'] as const)
  test(`a run-time file whose content a failed flush (${code}) has lost: its writer hears so, and there is no file`, async () => {
    const directory = new FlakyDirectory();
    const service = await startLeader({ scope: 'https://app.test/', fetch: bootstrapOnly(site), directory });
    try {
      const release = { image: site.image, bytes: site.bootstrap.length };
      await service.open({ loader: 'tab', release, background: false });
      const size = 5000;
      const content = new Uint8Array(size).fill(9);
      const made = { size, blockSize: 4096, mime: '', meta: new Uint8Array(0) };
      const create = { ...made, type: 'create-file' as const, path: 'made', content };
      directory.fails = failing('flush', 1, code);
      const error = await failure(service.changeTree(site.image, create, 'ab'.repeat(32)));
      expect(error.code).toBe('unreadable');
      expect((await failure(service.stat(site.image, 'made'))).code).toBe('ENOENT');
      await service.changeTree(site.image, create, 'ac'.repeat(32));
      expect(await service.stat(site.image, 'made')).toMatchObject({ size });
      // And one that is filled later.
      const empty = { ...create, path: 'filled', content: undefined };
      await service.changeTree(site.image, empty, 'ad'.repeat(32));
      const given = [{ path: 'filled', block: 0, bytes: content.slice(0, 4096) }];
      directory.fails = failing('flush', 1, code);
      expect((await failure(service.provideBlocks(site.image, given))).code).toBe('unreadable');
      expect(await service.filledRanges(site.image, 'filled')).toEqual([]);
      await service.provideBlocks(site.image, given);
      expect(await service.filledRanges(site.image, 'filled')).toEqual([{ start: 0, end: 4096 }]);
      const { signal } = new AbortController();
      const read = await service.read(site.image, 'filled', 0, 4096, 1000, signal);
      expect(await sha256(read)).toEqual(await sha256(content.slice(0, 4096)));
    } finally {
      await service.close();
    }
  });
