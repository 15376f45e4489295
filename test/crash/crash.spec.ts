import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { decodeGeneration } from '../../src/store/journal.ts';
import { Crash, CrashDisk, crashModels, type Fault } from './crash-disk.ts';
import { checkReader, complete, facts, mount, workload } from './workload.ts';

/** Operations of the whole workload, mount and close included. */
async function countOperations(): Promise<number> {
  const disk = new CrashDisk();
  const store = await mount(disk);
  for (const step of await workload()) await step(store, new Set());
  await store.close();
  return disk.operations;
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
  const disk = new CrashDisk();
  const store = await mount(disk);
  for (const step of await workload()) await step(store, new Set());
  await store.close();
  const generations: number[] = [];
  for (const slot of ['journal-a', 'journal-b']) {
    const bytes = new Uint8Array(await (await disk.snapshot(slot))!.arrayBuffer());
    generations.push(decodeGeneration(bytes) ?? 0);
  }
  expect(disk.operations).toBeGreaterThan(100);
  // The first, the one without the replaced image, and a compaction.
  expect(Math.max(...generations)).toBeGreaterThanOrEqual(3);
});

for (const model of crashModels) {
  test(`a crash at every operation, ${model}: mounts, tells the truth, loses nothing durable, completes`, async () => {
    test.setTimeout(120_000);
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
  test.setTimeout(120_000);
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
    await complete(store, disk);
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
  test.setTimeout(120_000);
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
