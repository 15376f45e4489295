import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { TreeOperation } from '../../src/format/tree-operation.ts';
import type { LocalService } from '../../src/loader/local-service.ts';
import { storedBlobs } from '../contracts/blob-file.ts';
import { CrashDisk, crashModels, type Fault } from '../crash/crash-disk.ts';
import { noise } from '../support/random.ts';
import { bootstrapOnly, startLeader } from './leader.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

const content = noise(3, 10_000);
const create: TreeOperation = {
  type: 'create-file',
  path: 'made',
  size: content.length,
  blockSize: 4096,
  mime: 'text/x',
  meta: new Uint8Array(0),
  content,
};
const mkdir: TreeOperation = { type: 'mkdir', path: 'folder', recursive: false };
const unlink: TreeOperation = { type: 'unlink', path: 'made' };

let site: Fixture;
test.beforeAll(async () => {
  site = await makeSite([{ name: 'index.html', size: 100, shift: 12 }], 2 ** 20);
});

/** A leader over the disk; its network has the bootstrap. */
async function serviceOver(directory: CrashDisk): Promise<LocalService> {
  const service = await startLeader({ scope: 'https://app.test/', fetch: bootstrapOnly(site), directory });
  const release = { image: site.image, bytes: site.bootstrap.length };
  await service.open({ loader: 'tab', release, background: false });
  return service;
}

/** The disk of a mount at rest, after these changes. */
async function diskAfter(...changes: TreeOperation[]): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const disk = new CrashDisk();
  const service = await serviceOver(disk);
  for (const [i, change] of changes.entries()) await service.changeTree(site.image, change, nameOf(i));
  await service.close();
  return disk.after('flushed', 1);
}

function nameOf(i: number): string {
  return `${i}`.padStart(64, 'a');
}

/** 'done', or the code of the error; the crash of a disk ends as one. */
function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof SluiceError ? error.code : 'crash'),
  );
}

/** The file's bytes, as far as they are there: undefined for no file, 'partly' for one that misses some. */
async function madeFile(service: LocalService): Promise<Uint8Array | 'partly' | undefined> {
  const { signal } = new AbortController();
  try {
    return await service.read(site.image, 'made', 0, 1e9, 0, signal);
  } catch (error) {
    const { code } = error as SluiceError;
    if (code === 'read-timeout') return 'partly';
    if (code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every operation of the disk fails, in its turn, and once more when it is tried again: `run` gets the service and what becomes of the change. */
async function atEveryPoint(
  kind: Fault['kind'],
  change: TreeOperation,
  before: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  run: (disk: CrashDisk, service: LocalService, outcome: string) => Promise<void>,
): Promise<void> {
  const idle = new CrashDisk(before);
  await serviceOver(idle);
  const first = idle.operations;
  for (let at = first; ; at++) {
    const disk = new CrashDisk(before, { at, kind, seed: at, times: 2 });
    const service = await serviceOver(disk);
    const outcome = await outcomeOf(service.changeTree(site.image, change, nameOf(7)));
    const isOver = disk.operations <= at;
    await run(disk, service, outcome);
    if (isOver) {
      expect(at - first, 'the change writes something').toBeGreaterThan(1);
      return;
    }
  }
}

test('a crash while a file is made with its content: all of it or no file', async () => {
  const before = await diskAfter();
  await atEveryPoint('crash', create, before, async (disk, _, outcome) => {
    for (const model of crashModels) {
      const mounted = await serviceOver(new CrashDisk(disk.after(model, 5)));
      const found = await madeFile(mounted);
      if (outcome === 'done' || found !== undefined) expect(found).toEqual(content);
      await mounted.close();
    }
  });
});

test('no room while a file is made with its content: no file, or one that is durable', async () => {
  const before = await diskAfter();
  let failures = 0;
  await atEveryPoint('full', create, before, async (disk, service, outcome) => {
    // A flush that finds no room loses what was written: that cannot be made good by making room.
    if (outcome === 'ENOSPC' || outcome === 'unreadable') {
      failures += 1;
      expect(await madeFile(service)).toBeUndefined();
      // What it had written does not stay, and the name can be had.
      expect(await outcomeOf(service.changeTree(site.image, create, nameOf(8)))).toBe('done');
      // Of the one that was not tried again, the second failure met the removal: that is for the next mount.
      if (outcome === 'ENOSPC') expect(await storedBlobs(disk)).toEqual([nameOf(8)]);
    } else expect(outcome).toBe('done');
    const left = new CrashDisk(disk.after('flushed', 1));
    const mounted = await serviceOver(left);
    expect(await madeFile(mounted)).toEqual(content);
    expect(await storedBlobs(left)).toEqual([nameOf(outcome === 'done' ? 7 : 8)]);
    await mounted.close();
  });
  expect(failures).toBeGreaterThan(2);
});

test('a file that cannot be deleted from the disk is removed all the same, and its bytes go with the next mount', async () => {
  const before = await diskAfter(create);
  const outcomes = new Set<string>();
  await atEveryPoint('full', unlink, before, async (disk, service, outcome) => {
    outcomes.add(outcome);
    // What it says, is so.
    expect((await madeFile(service)) === undefined, outcome).toBe(outcome === 'done');
    await service.close();
    const left = new CrashDisk(disk.after('written', 1));
    const mounted = await serviceOver(left);
    expect((await madeFile(mounted)) === undefined, outcome).toBe(outcome === 'done');
    expect((await left.list('blobs')).length).toBe(outcome === 'done' ? 0 : 1);
    await mounted.close();
  });
  expect(outcomes).toEqual(new Set(['ENOSPC', 'done']));
});

test('after a file that could not be made, the store goes on as if nothing had been', async () => {
  const before = await diskAfter();
  await atEveryPoint('full', create, before, async (disk, service, outcome) => {
    if (outcome === 'done') return;
    expect(await outcomeOf(service.changeTree(site.image, mkdir, nameOf(8)))).toBe('done');
    await service.flush();
    const mounted = await serviceOver(new CrashDisk(disk.after('flushed', 1)));
    expect((await mounted.stat(site.image, 'folder')).kind).toBe('directory');
    const { bad } = await mounted.scrub(site.image, new AbortController().signal);
    expect(bad).toEqual([]);
    await mounted.close();
  });
});

test('block -1 of a file made at run time is no block: it has no table', async () => {
  const service = await serviceOver(new CrashDisk());
  await service.changeTree(site.image, { ...create, content: undefined }, nameOf(1));
  for (const block of [-1, -2, 3, 0.5, Number.NaN]) {
    const given = service.provideBlocks(site.image, [{ path: 'made', block, bytes: content.slice(0, 4096) }]);
    expect(await outcomeOf(given), `block ${block}`).toBe('ERANGE');
  }
  await service.close();
});
