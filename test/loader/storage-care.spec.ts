import { expect, test } from '@playwright/test';
import type { FsmapRow } from '../../src/format/fsmap.ts';
import type { Loader } from '../../src/loader/loader.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { storedBlobs } from '../contracts/blob-file.ts';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { seededRandom } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { failure } from './engine-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { connect, type Tabs, withTabs } from './tabs.ts';

const KiB = 1024;
let site: Fixture;

// Blob 0: index.html and the begin of data.pak; blob 1: the rest of it; blob 2: alone.bin.
test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 14 },
      { name: 'data.pak', size: 752 * KiB, shift: 14 },
      { name: 'alone.bin', size: 380 * KiB, shift: 14 },
    ],
    384 * KiB,
  );
  expect(site.blobs).toHaveLength(3);
});

interface StoredTabs extends Tabs {
  /** Over a real directory. */
  readonly disk: NodeDirectory;
  openStored(): Loader;
  /** Which of the site's blobs have a file, by index. */
  blobFiles(): Promise<number[]>;
}

function withStoredTabs(run: (tabs: StoredTabs) => Promise<void>): Promise<void> {
  return withTabs(site, async (tabs) => {
    const dir = await tempDir('care');
    const disk = new NodeDirectory(dir.path);
    const loaders: Loader[] = [];
    try {
      await run({
        ...tabs,
        disk,
        openStored: () => {
          const loader = tabs.open(disk);
          loaders.push(loader);
          return loader;
        },
        blobFiles: async () => {
          const stored = await storedBlobs(disk);
          return site.blobs.flatMap(({ record }, i) => (stored.includes(record.sha256) ? [i] : []));
        },
      });
    } finally {
      for (const loader of loaders) await loader.close();
      await dir.remove();
    }
  });
}

async function completed(tabs: StoredTabs): Promise<Loader> {
  const loader = tabs.openStored();
  await loader.start(tabs);
  await loader.whenComplete();
  await loader.flush();
  return loader;
}

const content = (name: string): Uint8Array => site.files.get(name)!;

async function isRight(loader: Loader, name: string): Promise<boolean> {
  return Buffer.compare(await loader.read(name, 0, 1e9, 10_000), content(name)) === 0;
}

async function allRows(loader: Loader, limit?: number): Promise<FsmapRow[]> {
  const rows: FsmapRow[] = [];
  let low: FsmapRow | { file: string; offset: number } | undefined;
  do {
    const page = await loader.fsmap({ ...(limit && { limit }), ...(low && { low: low as never }) });
    rows.push(...page.rows);
    low = page.next;
  } while (low);
  return rows;
}

test('evict, the whole image: its files go, nothing is fetched until somebody reads, and then it is', () =>
  withStoredTabs(async (tabs) => {
    const loader = await completed(tabs);
    expect(await tabs.blobFiles()).toEqual([0, 1, 2]);
    await loader.evict([]);
    expect(await tabs.blobFiles()).toEqual([]);
    const state = await loader.state();
    expect(state).toMatchObject({ complete: false, blocks: { present: 0 }, bytes: { present: 0 } });
    const before = tabs.origin.requests(() => true).length;
    expect(await loader.filledRanges('alone.bin')).toEqual([]);
    // Names and metadata stay.
    expect(await loader.stat('alone.bin')).toMatchObject({ size: 380 * KiB });
    expect(tabs.origin.requests(() => true)).toHaveLength(before);
    expect(await isRight(loader, 'alone.bin')).toBe(true);
    await loader.flush();
    expect(await tabs.blobFiles()).toEqual([2]);
    await loader.close();
    // A new mount loads it all again.
    const next = await completed(tabs);
    expect(await tabs.blobFiles()).toEqual([0, 1, 2]);
    for (const name of site.files.keys()) expect(await isRight(next, name)).toBe(true);
  }));

test('evict, some files: what other files need stays, also that of a hard link that is not given', () =>
  withStoredTabs(async (tabs) => {
    const loader = await completed(tabs);
    await loader.evict(['data.pak']);
    expect(await tabs.blobFiles()).toEqual([0, 2]);
    expect(await isRight(loader, 'index.html')).toBe(true);
    await loader.changeTree({ type: 'link', existing: 'alone.bin', path: 'second.bin' });
    expect((await failure(loader.evict(['nope']))).code).toBe('ENOENT');
    // The link is the same file.
    await loader.evict(['alone.bin']);
    expect(await tabs.blobFiles()).toEqual([0]);
    expect(await isRight(loader, 'data.pak')).toBe(true);
    expect(await isRight(loader, 'alone.bin')).toBe(true);
    // A file without a name needs nothing any more.
    await loader.changeTree({ type: 'unlink', path: 'data.pak' });
    await loader.evict(['index.html']);
    await loader.flush();
    expect(await tabs.blobFiles()).toEqual([1, 2]);
  }));

test('evict leaves what is pinned, what was made at run time, and what another image needs', () =>
  withStoredTabs(async (tabs) => {
    const loader = await completed(tabs);
    await loader.changeTree({
      type: 'create-file',
      path: 'made.bin',
      size: 5000,
      blockSize: 4096,
      mime: '',
      meta: new Uint8Array(0),
      content: new Uint8Array(5000).fill(9),
    });
    await loader.pin(['alone.bin'], true);
    await loader.evict([]);
    expect(await tabs.blobFiles()).toEqual([2]);
    expect((await loader.read('made.bin', 4999, 5000, 0))[0]).toBe(9);
    expect(await isRight(loader, 'alone.bin')).toBe(true);
    await loader.close();
    // The pin outlives its page.
    const next = await completed(tabs);
    await next.evict([]);
    expect(await tabs.blobFiles()).toEqual([2]);
    await next.pin([], false);
    // Another version, of which all but the last file is the same.
    const other = await makeSite(
      [
        { name: 'index.html', size: 3000, shift: 14 },
        { name: 'data.pak', size: 752 * KiB, shift: 14 },
      ],
      384 * KiB,
    );
    expect(other.blobs[0]!.record.sha256).toBe(site.blobs[0]!.record.sha256);
    await other.write(tabs.folder);
    const second = tabs.openStored();
    await second.start({ ...tabs, release: { image: other.image, bytes: other.bootstrap.length } });
    await second.whenComplete();
    await second.close();
    await next.prefetch([...site.files.keys()], 'demand');
    await next.flush();
    await next.evict([]);
    expect(await tabs.blobFiles()).toEqual([0, 1]);
  }));

test('evict from a second tab: its leader obeys, everybody hears, and a takeover does not begin to load again', () =>
  withStoredTabs(async (tabs) => {
    const leader = await completed(tabs);
    const standby = tabs.openStored();
    await standby.start({ ...tabs, background: false });
    const worker = connect(leader, site);
    await standby.evict([]);
    expect(await tabs.blobFiles()).toEqual([]);
    expect((await leader.state()).complete).toBe(false);
    await expect.poll(() => worker.told.map(({ type }) => type)).toContain('store-changed');
    await leader.close();
    expect(await isRight(standby, 'index.html')).toBe(true);
    expect((await standby.state()).loader.role).toBe('leader');
    await standby.flush();
    expect(await tabs.blobFiles()).toEqual([0]);
  }));

test('readers and evictions at the same time: every read has the right bytes', () =>
  withStoredTabs(async (tabs) => {
    const loader = await completed(tabs);
    const standby = tabs.openStored();
    await standby.start({ ...tabs, background: false });
    const random = seededRandom(5);
    const names = [...site.files.keys()];
    let reading = true;
    const read = async (by: Loader): Promise<number> => {
      let reads = 0;
      while (reading) {
        const name = names[Math.floor(random() * names.length)]!;
        const whole = content(name);
        const start = Math.floor(random() * whole.length);
        const end = start + Math.floor(random() * 100 * KiB);
        const bytes = await by.read(name, start, end, 20_000);
        if (Buffer.compare(bytes, whole.subarray(start, end)) !== 0)
          throw new Error(`${name} [${start}, ${end}) is wrong`);
        reads += 1;
      }
      return reads;
    };
    const readers = [read(loader), read(loader), read(standby)];
    for (let i = 0; i < 40; i++) {
      await loader.evict(random() < 0.5 ? [] : [names[i % names.length]!]);
      await loader.read('data.pak', i * 16 * KiB, (i + 1) * 16 * KiB, 20_000);
    }
    reading = false;
    for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0);
    // What is stored after all that is what was published.
    await loader.prefetch(names, 'demand');
    await loader.flush();
    const reader = await StoreReader.open(tabs.disk);
    for (const { record, bytes } of site.blobs) {
      expect(reader.sealed(record.sha256)).toBe(true);
      expect(Buffer.compare((await reader.read(record.sha256, 0, record.length))!, bytes)).toBe(0);
    }
  }));

test('a service worker’s reader never takes what was evicted for what is there', () =>
  withStoredTabs(async (tabs) => {
    const loader = await completed(tabs);
    const reader = await StoreReader.open(tabs.disk);
    const { record, bytes } = site.blobs[2]!;
    expect((await reader.slice(record.sha256, 0, record.length))?.size).toBe(record.length);
    await loader.evict([]);
    // Begun anew, in part: its last block lies behind a hole.
    const last = content('alone.bin').subarray(-100);
    expect(Buffer.compare(await loader.read('alone.bin', 380 * KiB - 100, 380 * KiB, 10_000), last)).toBe(0);
    await loader.flush();
    // Nobody has told it: it finds out when it reads.
    const old = await reader.read(record.sha256, 0, record.length);
    expect(old === undefined || Buffer.compare(old, bytes) === 0).toBe(true);
    await reader.refresh();
    expect(reader.sealed(record.sha256)).toBe(false);
    expect(reader.has(record.sha256, 0)).toBe(false);
    expect(reader.has(record.sha256, record.blockCount - 1)).toBe(true);
  }));

test('fsmap: every byte of every file once, with its owners and flags, resumable at any row', () =>
  withStoredTabs(async (tabs) => {
    const loader = tabs.openStored();
    await loader.start({ ...tabs, background: false });
    await loader.prefetch(['alone.bin'], 'demand');
    await loader.read('data.pak', 0, 100, 10_000);
    await loader.changeTree({
      type: 'create-file',
      path: 'made.bin',
      size: 9000,
      blockSize: 4096,
      mime: '',
      meta: new Uint8Array(0),
      content: new Uint8Array(9000),
    });
    await loader.changeTree({ type: 'link', existing: 'alone.bin', path: 'second.bin' });
    await loader.pin(['alone.bin'], true);
    await loader.flush();
    const rows = await allRows(loader);
    expect(await allRows(loader, 1)).toEqual(rows);
    expect(await allRows(loader, 7)).toEqual(rows);

    // In order, without gaps.
    for (const [i, row] of rows.entries()) {
      const before = rows[i - 1];
      if (before?.file === row.file) expect(row.start).toBe(before.end);
      else {
        expect(row.start).toBe(0);
        expect(before === undefined || before.file < row.file).toBe(true);
      }
    }
    const of = (file: string) => rows.filter((row) => row.file.startsWith(file));
    const blobName = (i: number) => `blobs/${site.blobs[i]!.record.sha256}-`;
    const { image } = site;
    expect(of(`images/${image}.bin`)).toMatchObject([{ flags: ['metadata'], end: site.bootstrap.length }]);
    expect(of('journal-a').length + of('journal-b').length).toBe(1);
    // Nothing of it is here.
    expect(of(blobName(1))).toEqual([]);
    const alone = of(blobName(2));
    const [table, ...blocks] = alone;
    expect(table).toMatchObject({ flags: ['metadata', 'sealed', 'pinned'], block: undefined, owners: [] });
    const own = blocks.filter(({ owners }) => owners.some(({ path }) => path === 'alone.bin'));
    let at = 0;
    for (const row of own) {
      const end = Math.min(at + 16 * KiB, 380 * KiB);
      const owner = { image, start: at, end };
      expect(row.flags).toEqual(['shared', 'sealed', 'pinned']);
      expect(row.owners).toEqual([
        { ...owner, path: 'alone.bin' },
        { ...owner, path: 'second.bin' },
      ]);
      at = end;
    }
    expect(at).toBe(380 * KiB);
    const partial = of(blobName(0));
    expect(partial.every(({ flags }) => flags.includes('partial'))).toBe(true);
    expect(partial.some(({ flags }) => flags.includes('free'))).toBe(true);
    expect(partial.find(({ block }) => block === 1)).toMatchObject({
      flags: ['partial'],
      owners: [{ path: 'data.pak', start: 0, end: 16 * KiB }],
    });
    const made = rows.filter(({ owners }) => owners[0]?.path === 'made.bin');
    expect(made.map(({ start, end, flags }) => [start, end, flags])).toEqual([
      [0, 4096, ['sealed']],
      [4096, 8192, ['sealed']],
      [8192, 9000, ['sealed']],
    ]);
    // A range of it: rows that begin in it.
    const { file } = own[1]!;
    const page = await loader.fsmap({
      low: { file, offset: 1 },
      high: { file, offset: own[1]!.start + 1 },
    });
    expect(page.next).toBeUndefined();
    expect(page.rows.every((row) => row.file === file)).toBe(true);
    expect(page.rows.at(-1)).toEqual(own[1]);
  }));

test('fsmap in a second tab, and of an image that nobody has mounted', () =>
  withStoredTabs(async (tabs) => {
    const old = await completed(tabs);
    await old.close();
    const other = await makeSite([{ name: 'index.html', size: 70_000, shift: 14 }], 384 * KiB, 9);
    await other.write(tabs.folder);
    const release = { image: other.image, bytes: other.bootstrap.length };
    const leader = tabs.openStored();
    await leader.start({ ...tabs, release });
    await leader.whenComplete();
    const standby = tabs.openStored();
    await standby.start({ ...tabs, release });
    const rows = await allRows(standby, 10);
    const owners = new Set(rows.flatMap((row) => row.owners.map(({ image, path }) => `${image} ${path}`)));
    expect(owners).toEqual(
      new Set([
        ...[...site.files.keys()].map((path) => `${site.image} ${path}`),
        `${other.image} index.html`,
      ]),
    );
    const blobs = (all: readonly FsmapRow[]) => all.filter(({ file }) => file.startsWith('blobs/'));
    expect(blobs(await allRows(leader))).toEqual(blobs(rows));
  }));
