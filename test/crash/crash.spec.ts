import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { sha256 } from '../../src/format/sha256.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { decodeGeneration } from '../../src/store/journal.ts';
import { storedBlobs } from '../contracts/blob-file.ts';
import { blockOf, publishedBlob, tableOf } from '../contracts/published.ts';
import { Crash, CrashDisk, crashModels, type Fault } from './crash-disk.ts';
import { checkReader, complete, facts, mount, workload } from './workload.ts';

/** A disk after the whole workload, mount and close included. */
async function diskAfterWorkload(): Promise<CrashDisk> {
  const disk = new CrashDisk();
  const store = await mount(disk);
  for (const step of await workload()) await step(store, new Set());
  await store.close();
  return disk;
}

async function countOperations(): Promise<number> {
  return (await diskAfterWorkload()).operations;
}

/** Runs the workload until the fault ends it; answers what must have survived. */
async function runUntilCrash(disk: CrashDisk): Promise<Set<string>> {
  const durable = new Set<string>();
  try {
    const store = await mount(disk);
    for (const step of await workload()) await step(store, durable);
    await store.close();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  return durable;
}

function missing(durable: ReadonlySet<string>, found: ReadonlySet<string>): string[] {
  return [...durable].filter((fact) => !found.has(fact));
}

test('the workload is long enough and compacts', async () => {
  const disk = await diskAfterWorkload();
  const generations: number[] = [];
  for (const slot of ['journal-a', 'journal-b']) {
    const bytes = new Uint8Array(await (await disk.snapshot(slot))!.arrayBuffer());
    generations.push(decodeGeneration(bytes) ?? 0);
  }
  expect(disk.operations).toBeGreaterThan(100);
  // The first, those without the replaced image and its blob, and a compaction.
  expect(Math.max(...generations)).toBeGreaterThanOrEqual(3);
});

for (const model of crashModels) {
  test(`a crash at every operation, ${model}: mounts, tells the truth, loses nothing durable, completes`, async () => {
    const total = await countOperations();
    for (let at = 0; at < total; at++) {
      const fault: Fault = { at, kind: 'crash', seed: at };
      const disk = new CrashDisk(new Map(), fault);
      const durable = await runUntilCrash(disk);
      expect(disk.crashed, `operation ${at} was reached`).toBe(true);

      const survived = disk.after(model, at);
      await checkReader(new CrashDisk(survived));
      const calm = new CrashDisk(survived);
      const store = await mount(calm);
      expect(missing(durable, await facts(store)), `lost by a crash at operation ${at}`).toEqual([]);
      await complete(store, calm);
      await store.close();
      const all = await facts(await mount(calm));
      expect(missing(durable, all)).toEqual([]);

      // A second crash, in the middle of the recovery.
      const again = new CrashDisk(survived, { at: at % 12, kind: 'crash', seed: at });
      try {
        const recovering = await mount(again);
        await complete(recovering, again);
        await recovering.close();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      const twice = new CrashDisk(again.after(model, at + 1));
      await checkReader(twice);
      const last = await mount(twice);
      expect(missing(durable, await facts(last)), `lost by a second crash after ${at}`).toEqual([]);
      await complete(last, twice);
      await last.close();
    }
  });
}

test('no room at any one operation: ENOSPC, nothing invented, and the same call works later', async () => {
  const total = await countOperations();
  for (let at = 0; at < total; at++) {
    const disk = new CrashDisk(new Map(), { at, kind: 'full', seed: at });
    const durable = new Set<string>();
    let refusals = 0;
    const insist = async <T>(action: () => Promise<T>): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        expect((error as SluiceError).code, `operation ${at}`).toBe('ENOSPC');
        refusals += 1;
        return action();
      }
    };
    const store = await insist(() => mount(disk));
    for (const step of await workload()) {
      const before = refusals;
      await insist(() => step(store, durable));
      if (refusals > before) expect(missing(durable, await facts(store)), `operation ${at}`).toEqual([]);
    }
    // A compaction that finds no room is put off without a word.
    expect(refusals, `operation ${at}`).toBeLessThanOrEqual(1);
    await insist(() => complete(store, disk));
    await store.close();
    for (const model of crashModels) {
      const calm = new CrashDisk(disk.after(model, at));
      const again = await mount(calm);
      expect(missing(durable, await facts(again)), `remount after no room at operation ${at}`).toEqual([]);
      await complete(again, calm);
      await again.close();
    }
  }
});

test('no room, then a crash: what is left tells the truth', async () => {
  const total = await countOperations();
  for (let at = 0; at < total; at++) {
    const disk = new CrashDisk(new Map(), { at, kind: 'full', seed: at });
    const durable = new Set<string>();
    try {
      const store = await mount(disk);
      for (const step of await workload()) await step(store, durable);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
    }
    for (const model of crashModels) {
      const calm = new CrashDisk(disk.after(model, at));
      await checkReader(calm);
      const again = await mount(calm);
      expect(missing(durable, await facts(again)), `${model} after no room at operation ${at}`).toEqual([]);
      await complete(again, calm);
      await again.close();
    }
  }
});

for (const times of [1, 3])
  test(`any flush fails, ${times} in a row, and takes what it should have written along: the journal never says more than is on disk`, async () => {
    const total = (await diskAfterWorkload()).flushes;
    let failed = 0;
    for (let at = 0; at < total; at++) {
      const disk = new CrashDisk(new Map(), { at, kind: 'lost', times, seed: at });
      const durable = new Set<string>();
      let checks = 0;
      const insist = async <T>(action: () => Promise<T>): Promise<T> => {
        for (let tries = 0; ; tries++) {
          try {
            return await action();
          } catch (error) {
            expect((error as SluiceError).code, `flush ${at}`).toBe('unreadable');
            expect(tries, `flush ${at}`).toBeLessThan(times);
            failed += 1;
            checks = 4;
          }
        }
      };
      const store = await insist(() => mount(disk));
      for (const step of await workload()) {
        await insist(() => step(store, durable));
        if (checks-- <= 0) continue;
        // The power goes soon after that: what the medium holds is what the journal on it says.
        const left = new CrashDisk(disk.after('flushed', at));
        const found = await mount(left);
        expect(missing(durable, await facts(found)), `flush ${at}`).toEqual([]);
      }
      await insist(() => store.close());
      const calm = new CrashDisk(disk.after('flushed', at));
      const again = await mount(calm);
      expect(missing(durable, await facts(again)), `flush ${at}`).toEqual([]);
      await complete(again, calm);
      await again.close();
    }
    expect(failed).toBeGreaterThan(20);
  });

test('what a failed flush has lost is missing, told once, and can be written again; of other files nothing is lost', async () => {
  const [lost, kept] = await Promise.all([publishedBlob(74, 4), publishedBlob(75, 4)]);
  const name = '77'.repeat(32);
  const local = { sha256: name, length: 4096, tableLength: 0, blockCount: 1, blockSize: 4096 };
  const bytes = new Uint8Array(4096).fill(5);
  const fault = { at: -1, kind: 'lost' as const, seed: 0 };
  const write = (store: BlockStore, of: typeof lost, block: number): Promise<void> =>
    store.writeBlock(of.description.sha256, block, of.blocks[block]!.start, blockOf(of, block));
  const run = async (disk: CrashDisk): Promise<BlockStore> => {
    const store = await BlockStore.open(disk);
    for (const of of [lost, kept]) store.blob(of.description);
    store.blob(local);
    await store.writeTable(lost.description.sha256, tableOf(lost));
    await write(store, lost, 1);
    await store.commit();
    await write(store, lost, 2);
    await write(store, lost, 3);
    await write(store, kept, 0);
    await store.writeLocalBlock(name, 0, bytes, await sha256(bytes));
    return store;
  };
  const calm = new CrashDisk();
  await run(calm);
  for (const [index, expected] of [
    [0, new Map([[lost.description.sha256, [2, 3]]])],
    [2, new Map([[name, [0]]])],
  ] as const) {
    const disk = new CrashDisk(new Map(), { ...fault, at: calm.flushes + index });
    const store = await run(disk);
    await expect(store.commit()).rejects.toMatchObject({ code: 'unreadable' });
    expect(store.takeLost()).toEqual(expected);
    expect(store.takeLost().size).toBe(0);
    const has = (of: BlockStore, blob: typeof lost, block: number): boolean =>
      of.blob(blob.description).has(block);
    expect(has(store, lost, 1)).toBe(true);
    expect(has(store, lost, 2)).toBe(index !== 0);
    expect(has(store, kept, 0)).toBe(true);
    expect(store.blob(local).has(0)).toBe(index === 0);
    // Nothing but closing: it must not make true what was lost.
    await store.close();
    const next = await BlockStore.open(new CrashDisk(disk.after('flushed', 0)));
    expect(has(next, lost, 1)).toBe(true);
    expect(has(next, lost, 2)).toBe(index !== 0);
    expect(has(next, kept, 0)).toBe(true);
    await write(next, lost, 2);
    await next.commit();
    expect(has(next, lost, 2)).toBe(true);
  }
});

for (const model of crashModels) {
  test(`an eviction that was begun is redone after a crash, ${model}`, async () => {
    const blobs = await Promise.all([publishedBlob(70, 5), publishedBlob(71, 5), publishedBlob(72, 5)]);
    const doomed = blobs.slice(0, 2).map(({ description }) => description.sha256);
    const prepare = async (disk: CrashDisk): Promise<BlockStore> => {
      const store = await BlockStore.open(disk);
      for (const blob of blobs) {
        store.blob(blob.description);
        await store.writeTable(blob.description.sha256, tableOf(blob));
        for (const [block, { start }] of blob.blocks.entries()) {
          await store.writeBlock(blob.description.sha256, block, start, blockOf(blob, block));
        }
      }
      await store.commit();
      return store;
    };
    const calm = new CrashDisk();
    const whole = await prepare(calm);
    const before = calm.operations;
    await whole.evict(doomed);
    const total = calm.operations - before;
    expect(total).toBeGreaterThan(5);
    for (let at = 0; at < total; at++) {
      const disk = new CrashDisk(new Map(), { at: before + at, kind: 'crash', seed: at });
      const store = await prepare(disk);
      await expect(store.evict(doomed)).rejects.toThrow(Crash);
      const left = new CrashDisk(disk.after(model, at));
      const again = await BlockStore.open(left);
      const known = again.blobs().map(({ description }) => description.sha256);
      expect(known).toContain(blobs[2]!.description.sha256);
      // What is gone is gone with its file, and what is there is whole.
      expect(await storedBlobs(left)).toEqual([...known].sort());
      for (const { presence } of again.blobs()) expect(presence.sealed).toBe(true);
      // The record and its flush are the first two operations.
      if (at >= 2) expect(known).toEqual([blobs[2]!.description.sha256]);
      if (at < 2 && model === 'flushed') expect(known).toHaveLength(3);
      await again.close();
    }
  });
}

test('what a session without an end had written is known until it was scrubbed, over compactions and further crashes', async () => {
  const blob = await publishedBlob(73, 20);
  const { sha256 } = blob.description;
  const write = (store: BlockStore, block: number): Promise<void> =>
    store.writeBlock(sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
  const begin = async (disk: CrashDisk): Promise<BlockStore> => {
    const store = await BlockStore.open(disk, { minCompaction: 1 });
    store.blob(blob.description);
    return store;
  };
  let disk = new CrashDisk();
  const first = await begin(disk);
  expect(first.recent().size).toBe(0);
  await write(first, 0);
  await first.close();

  disk = new CrashDisk(disk.after('flushed', 1));
  const clean = await begin(disk);
  expect(clean.recent().size).toBe(0);
  for (const block of [3, 4, 5, 9]) {
    await write(clean, block);
    await clean.commit();
  }
  await write(clean, 12);
  const expected = [
    { first: 3, count: 3 },
    { first: 9, count: 1 },
  ];

  for (let crash = 0; crash < 3; crash++) {
    // No close: the power went.
    disk = new CrashDisk(disk.after('flushed', 2 + crash));
    const next = await begin(disk);
    expect(next.recent()).toEqual(new Map([[sha256, expected]]));
    // Makes a new generation.
    await next.dropBlocks(sha256, [19]);
    expect(next.recent()).toEqual(new Map([[sha256, expected]]));
  }
  disk = new CrashDisk(disk.after('flushed', 9));
  const more = await begin(disk);
  await write(more, 15);
  await more.commit();
  expect(more.recent()).toEqual(new Map([[sha256, expected]]));
  await more.close();

  disk = new CrashDisk(disk.after('flushed', 10));
  const scrubbing = await begin(disk);
  expect(scrubbing.recent(), 'a clean end checks nothing of earlier ones').toEqual(
    new Map([[sha256, expected]]),
  );
  await scrubbing.dropBlocks(sha256, [4]);
  expect(scrubbing.recent()).toEqual(
    new Map([
      [
        sha256,
        [
          { first: 3, count: 1 },
          { first: 5, count: 1 },
          { first: 9, count: 1 },
        ],
      ],
    ]),
  );
  await scrubbing.scrubbed();
  expect(scrubbing.recent().size).toBe(0);
  disk = new CrashDisk(disk.after('flushed', 11));
  expect((await begin(disk)).recent().size).toBe(0);
});
