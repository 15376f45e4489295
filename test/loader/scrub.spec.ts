import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { sha256 } from '../../src/format/sha256.ts';
import type { LocalService } from '../../src/loader/local-service.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { blobFile } from '../contracts/blob-file.ts';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { noise, seededRandom } from '../support/random.ts';
import { failure } from './engine-rig.ts';
import { blockPaths, damageOf, type ScrubRig, spoil, withScrubRig } from './scrub-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

const KiB = 1024;
const never = new AbortController().signal;
const files = [
  { name: 'index.html', size: 3000, shift: 16 },
  { name: 'data.pak', size: 900 * KiB, shift: 14 },
  { name: 'small.db', size: 300 * KiB, shift: 12 },
];
let site: Fixture;
let paths: Map<string, string[][]>;

test.beforeAll(async () => {
  site = await makeSite(files, 400 * KiB);
  paths = await blockPaths(site);
});

const blob = (index: number) => site.blobs[index]!.record;
const sorted = (bad: readonly { blob: string; block: number }[]): string[] =>
  bad.map(({ blob, block }) => `${blob} ${block}`).sort();
const allOf = (record: { readonly sha256: string }): string[] =>
  [...new Set(paths.get(record.sha256)!.flat())].sort();

/** Where a block lies in its blob. */
async function placeOf(index: number, block: number): Promise<{ start: number; end: number }> {
  const { record, bytes } = site.blobs[index]!;
  return (await BlockTable.open(bytes.slice(0, record.tableLength), record)).stored(block);
}

async function read(service: LocalService, name: string, timeoutMs = 10_000): Promise<Uint8Array> {
  return service.read(site.image, name, 0, 2 ** 31, timeoutMs, never);
}

async function expectContent(service: LocalService): Promise<void> {
  for (const { name } of files) {
    expect(Buffer.compare(await read(service, name), site.files.get(name)!), name).toBe(0);
  }
}

/** A store that holds all of the image, and was closed in order. */
async function stored({ start, complete, release }: ScrubRig): Promise<void> {
  const service = await start();
  await service.open({ release, background: true, loader: 'tab' });
  await complete(service);
  await service.close();
}

test('scrub finds exactly what was damaged, names whom it hurts, and fetches it again', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const random = seededRandom(11);
    for (let round = 0; round < 25; round++) {
      const all = site.blobs.map(({ record }) => rig.path(record));
      const count = Math.floor(random() * 4);
      for (let i = 0; i < count; i++) await spoil(all[Math.floor(random() * all.length)]!, all, random);
      const damage = (await Promise.all(all.map((path, i) => damageOf(site, i, path)))).flat();
      const bootstrap = join(rig.folder, 'images', `${site.image}.bin`);
      const isBootstrapBad = random() < 0.2;
      const service = await rig.start();
      await service.open({ release: rig.release, background: round % 2 === 0, loader: 'tab' });
      if (isBootstrapBad) await spoil(bootstrap, all, random);
      const isBad = Buffer.compare(await readFile(bootstrap), site.bootstrap) !== 0;
      const report = await service.scrub(site.image, never);

      const expected = isBad ? [...damage, { blob: site.image, block: -1 }] : damage;
      expect(sorted(report.bad), `round ${round}`).toEqual(sorted(expected));
      for (const bad of report.bad) {
        expect(bad.lost).toBe(false);
        const hurt =
          bad.blob === site.image
            ? ['/']
            : bad.block === -1
              ? allOf({ sha256: bad.blob })
              : paths.get(bad.blob)![bad.block];
        expect(bad.paths, `round ${round}`).toEqual(hurt);
      }
      await expectContent(service);
      await rig.complete(service);
      expect((await service.scrub(site.image, never)).bad).toEqual([]);
      await service.close();
      for (const [i, path] of all.entries()) {
        expect(
          Buffer.compare(await readFile(path), site.blobs[i]!.bytes),
          `round ${round}: sealed again`,
        ).toBe(0);
      }
      expect(Buffer.compare(await readFile(bootstrap), site.bootstrap)).toBe(0);
    }
  }));

test('an image without damage: all blocks are compared, nothing is dropped, nothing is fetched', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    rig.origin.reset();
    const report = await service.scrub(site.image, never);
    expect(report).toEqual({
      blocks: site.blobs.reduce((sum, { record }) => sum + record.blockCount, 0),
      bytes: site.blobs.reduce((sum, { record }) => sum + record.length, site.bootstrap.length),
      bad: [],
    });
    expect(rig.origin.requests(/\.bin$/)).toEqual([]);
    expect(rig.events.filter(({ type }) => type === 'dropped')).toEqual([]);
  }));

test('a bad block: its image is not complete, and is again when the block came; readers of the disk are told', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    const { start } = await placeOf(1, 3);
    await rig.scribble(blob(1), start + 5, noise(1, 100));
    // What is fetched waits until this is looked at.
    rig.origin.reset();
    await rig.origin.stop();
    const report = await service.scrub(site.image, never);
    expect(sorted(report.bad)).toEqual(sorted([{ blob: blob(1).sha256, block: 3 }]));
    expect((await service.state(site.image)).complete).toBe(false);
    expect((await service.state(site.image)).blocks).toMatchObject({
      present: site.blobs.reduce((sum, { record }) => sum + record.blockCount, -1),
    });
    expect(rig.events).toContainEqual({ type: 'dropped', blobs: [blob(1).sha256] });
    const reader = await StoreReader.open(new NodeDirectory(rig.folder));
    expect(reader.sealed(blob(1).sha256)).toBe(false);
    expect([2, 3, 4].map((block) => reader.has(blob(1).sha256, block))).toEqual([true, false, true]);

    await rig.origin.start();
    service.retryNow();
    await rig.complete(service);
    expect(rig.events.filter(({ type }) => type === 'complete').length).toBeGreaterThan(1);
    expect(rig.events).toContainEqual({ type: 'sealed', blobs: [blob(1).sha256] });
    // Only what was bad came again.
    const fetched = rig.origin.requests(/\.bin$/).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    expect(fetched).toBe(16 * KiB);
    await expectContent(service);
  }));

test('without background work, what was dropped comes again all the same, and nothing else', () =>
  withScrubRig(site, async (rig) => {
    const first = await rig.start();
    await first.open({ release: rig.release, background: false, loader: 'tab' });
    await read(first, 'small.db');
    await first.flush();
    const held = (await first.state(site.image)).blocks.present;
    const at = site.blobs.findIndex(({ record }) =>
      paths.get(record.sha256)!.some((owners) => owners.includes('small.db')),
    );
    const block = paths.get(blob(at).sha256)!.findIndex((owners) => owners.includes('small.db'));
    await rig.scribble(blob(at), (await placeOf(at, block)).start, noise(2, 10));
    const report = await first.scrub(site.image, never);
    expect(report.blocks).toBe(held);
    expect(report.bad).toEqual([{ blob: blob(at).sha256, block, paths: ['small.db'], lost: false }]);
    await expect.poll(async () => (await first.state(site.image)).blocks.present).toBe(held);
  }));

test('a spoilt table that is in memory is written again, also without a network, and costs no block', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await expectContent(service);
    await rig.origin.stop();
    await rig.scribble(blob(0), 20, noise(3, 30));
    const report = await service.scrub(site.image, never);
    expect(report.bad).toEqual([{ blob: blob(0).sha256, block: -1, paths: allOf(blob(0)), lost: false }]);
    await service.flush();
    expect((await service.state(site.image)).complete).toBe(true);
    await expectContent(service);
    await service.close();
    expect(Buffer.compare(await readFile(rig.path(blob(0))), site.blobs[0]!.bytes)).toBe(0);
  }));

test('no network: a spoilt bootstrap stays, is reported, and this launch and a later one go on', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    const bootstrap = join(rig.folder, 'images', `${site.image}.bin`);
    const spoilt = site.bootstrap.slice();
    spoilt[100]! ^= 1;
    await writeFile(bootstrap, spoilt);
    await rig.origin.stop();
    const report = await service.scrub(site.image, never);
    expect(report.bad).toEqual([{ blob: site.image, block: -1, paths: ['/'], lost: true }]);
    await expectContent(service);
    await service.close();
    expect(Buffer.compare(await readFile(bootstrap), spoilt)).toBe(0);

    await rig.origin.start();
    const next = await rig.start();
    // It is spoilt, so it is brought, and stored in its place.
    await next.open({ release: rig.release, background: true, loader: 'tab' });
    expect((await next.scrub(site.image, never)).bad).toEqual([]);
    await next.close();
    await rig.origin.stop();
    const offline = await rig.start();
    expect((await offline.open({ release: undefined, background: true, loader: 'tab' })).image).toBe(
      site.image,
    );
    await expectContent(offline);
  }));

test('a bad block of a run-time file is lost: its readers wait for whoever provides it', () =>
  withScrubRig(site, async (rig) => {
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    const content = noise(4, 20_000);
    const name = 'ab'.repeat(32);
    const made = {
      type: 'create-file',
      path: 'packs/level.dat',
      size: content.length,
      blockSize: 4096,
      mime: '',
    } as const;
    await service.changeTree(site.image, { type: 'mkdir', path: 'packs', recursive: true }, 'cd'.repeat(32));
    await service.changeTree(site.image, { ...made, meta: new Uint8Array(0), content }, name);
    await service.changeTree(
      site.image,
      { type: 'link', existing: 'packs/level.dat', path: 'second.dat' },
      'ef'.repeat(32),
    );
    expect((await service.scrub(site.image, never)).bad).toEqual([]);
    await rig.scribble({ sha256: name }, 2 * 4096 + 9, new Uint8Array(50));
    const report = await service.scrub(site.image, never);
    expect(report.bad).toEqual([
      { blob: name, block: 2, paths: ['packs/level.dat', 'second.dat'], lost: true },
    ]);
    expect((await failure(read(service, 'second.dat', 0))).code).toBe('read-timeout');
    const reading = read(service, 'packs/level.dat');
    await expect
      .poll(async () => (await service.pendingReads(site.image, 0, 0, never)).map(({ block }) => block.index))
      .toEqual([2]);
    await service.provideBlocks(site.image, [
      { path: 'second.dat', block: 2, bytes: content.slice(8192, 12_288) },
    ]);
    expect(Buffer.compare(await reading, content)).toBe(0);
    await service.flush();
    expect((await service.scrub(site.image, never)).bad).toEqual([]);
  }));

test('a bad block names the paths of every stored image that has it', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const other = await makeSite([files[0]!, { ...files[1]!, name: 'renamed.pak' }], 400 * KiB);
    expect(other.blobs[0]!.record.sha256).toBe(blob(0).sha256);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await service.close();
    const store = await BlockStore.open(new NodeDirectory(rig.folder));
    await store.addImage(other.image, other.bootstrap);
    await store.close();
    const again = await rig.start();
    await again.open({ release: rig.release, background: true, loader: 'tab' });
    await rig.scribble(blob(0), (await placeOf(0, 5)).start, noise(5, 8));
    const report = await again.scrub(site.image, never);
    expect(report.bad).toMatchObject([
      { blob: blob(0).sha256, block: 5, paths: ['data.pak', 'renamed.pak'] },
    ]);
  }));

test('two scrubs at once come one after the other; one is called off by its caller, the other by the end of the loader', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await rig.scribble(blob(0), (await placeOf(0, 1)).start, noise(6, 8));
    const both = await Promise.all([service.scrub(site.image, never), service.scrub(site.image, never)]);
    expect(sorted(both[0]!.bad)).toEqual([`${blob(0).sha256} 1`]);
    await rig.complete(service);

    const caller = new AbortController();
    const called = service.scrub(site.image, caller.signal);
    caller.abort(new Error('not needed any more'));
    await expect(called).rejects.toThrow('not needed any more');
    await service.close();

    const noting = new NotingDirectory(rig.folder);
    const next = await rig.start(noting);
    await next.open({ release: rig.release, background: true, loader: 'tab' });
    let closing: Promise<void> | undefined;
    noting.onRead = (count) => {
      if (count === 10) closing = next.close();
    };
    expect((await failure(next.scrub(site.image, never))).code).toBe('closed');
    await closing;
    expect(noting.reads.length).toBeLessThan(15);
  }));

/** Notes which parts of which blobs are read; `onRead` may spoil what was read. */
class NotingDirectory extends NodeDirectory {
  readonly reads: string[] = [];
  onRead: (count: number, read: string, bytes: Uint8Array) => void = () => {};

  override async open(path: string, options: { create?: boolean } = {}) {
    const file = await super.open(path, options);
    const { reads } = this;
    return {
      read: (into: Uint8Array, at: number) => {
        const count = file.read(into, at);
        if (path.startsWith('blobs/')) {
          const read = `${path.slice(6, 14)} ${at}+${into.length}`;
          this.onRead(reads.push(read), read, into);
        }
        return count;
      },
      write: (bytes: Uint8Array, at: number) => file.write(bytes, at),
      size: () => file.size(),
      truncate: (length: number) => file.truncate(length),
      flush: () => file.flush(),
      close: () => file.close(),
    };
  }
}

test('nothing is bad that was not seen so twice', () =>
  withScrubRig(site, async (rig) => {
    await stored(rig);
    const directory = new NotingDirectory(rig.folder);
    const service = await rig.start(directory);
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    const seen = new Set<string>();
    directory.onRead = (_, read, bytes) => {
      if (!seen.has(read)) bytes[7]! ^= 4;
      seen.add(read);
    };
    const report = await service.scrub(site.image, never);
    expect(report.bad).toEqual([]);
    expect(directory.reads.length).toBe(2 * (report.blocks + site.blobs.length));
  }));

test('scrubs beside loading, reading and evicting: nothing good is called bad, every read is right', () =>
  withScrubRig(site, async (rig) => {
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    const random = seededRandom(13);
    let isOver = false;
    const reading = Array.from({ length: 3 }, async () => {
      while (!isOver) {
        const { name, size } = files[Math.floor(random() * files.length)]!;
        const start = Math.floor(random() * size);
        const end = Math.min(size, start + 20 * KiB);
        const bytes = await service.read(site.image, name, start, end, 10_000, never);
        expect(Buffer.compare(bytes, site.files.get(name)!.subarray(start, end))).toBe(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const evicting = (async () => {
      while (!isOver) {
        await service.evict(site.image, random() < 0.5 ? [] : ['data.pak']);
        await service.open({ release: rig.release, background: true, loader: 'tab' });
        await rig.complete(service);
      }
    })();
    let blocks = 0;
    // A scrub finds little while most was just evicted: they go on until they have seen enough.
    for (let round = 0; round < 8 || blocks <= 100; round++) {
      const report = await service.scrub(site.image, never);
      expect(report.bad, `round ${round}`).toEqual([]);
      blocks += report.blocks;
    }
    isOver = true;
    await Promise.all([...reading, evicting]);
    await rig.complete(service);
    await service.close();
    for (const { record, bytes } of site.blobs) {
      expect(Buffer.compare(await readFile(rig.path(record)), bytes)).toBe(0);
    }
  }));

test('what the disk cannot read is fetched again; a run-time block, which nobody else has, is not given up for that', () =>
  withScrubRig(site, async (rig) => {
    const directory = new NotingDirectory(rig.folder);
    const service = await rig.start(directory);
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await rig.complete(service);
    const name = 'cd'.repeat(32);
    const content = noise(7, 8192);
    const made = { type: 'create-file', path: 'own.dat', size: 8192, blockSize: 4096, mime: '' } as const;
    await service.changeTree(site.image, { ...made, meta: new Uint8Array(0), content }, name);
    const { start, end } = await placeOf(0, 4);
    const failing = [
      `${blob(0).sha256.slice(0, 8)} ${start}+${end - start}`,
      `${name.slice(0, 8)} 4096+4096`,
    ];
    directory.onRead = (_, read) => {
      if (failing.includes(read)) throw new SluiceError('unreadable', 'A sector that cannot be read');
    };
    const report = await service.scrub(site.image, never);
    expect(report.bad).toEqual([{ blob: blob(0).sha256, block: 4, paths: ['data.pak'], lost: false }]);
    directory.onRead = () => {};
    await rig.complete(service);
    await expectContent(service);
    expect(Buffer.compare(await read(service, 'own.dat'), content)).toBe(0);
    expect((await service.scrub(site.image, never)).bad).toEqual([]);
  }));

test('the first mount after an unclean end checks what that session wrote, and nothing else; after a clean end nothing', () =>
  withScrubRig(site, async (rig) => {
    const first = await rig.start();
    await first.open({ release: rig.release, background: false, loader: 'tab' });
    await read(first, 'index.html');
    await first.close();

    const clean = new NotingDirectory(rig.folder);
    const second = await rig.start(clean);
    await second.open({ release: rig.release, background: false, loader: 'tab' });
    await second.scrub(site.image, never);
    const whole = clean.reads.length;
    expect(whole).toBe(2);
    await second.read(site.image, 'small.db', 0, 30_000, 10_000, never);
    await second.flush();
    const left = await rig.copy(rig.folder);
    const store = await BlockStore.open(new NodeDirectory(left));
    const recent = store.recent();
    // Not begun, so it has no end either.
    await store.close();
    expect([...recent.keys()].length).toBe(1);
    const [[name, runs]] = [...recent] as [[string, { first: number; count: number }[]]];
    const index = site.blobs.findIndex(({ record }) => record.sha256 === name);
    const blocks = runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
    expect(blocks.length).toBeGreaterThan(5);
    const places = await Promise.all(blocks.map((block) => placeOf(index, block)));
    const victim = places[2]!;
    const path = join(left, await blobFile(new NodeDirectory(left), name));
    const file = await readFile(path);
    file.fill(0, victim.start, victim.start + 700);
    await writeFile(path, file);

    const noting = new NotingDirectory(left);
    const third = await rig.start(noting);
    await third.open({ release: rig.release, background: false, loader: 'tab' });
    await expect
      .poll(async () => (await BlockStore.open(new NodeDirectory(await rig.copy(left)))).recent().size)
      .toBe(0);
    const expected = [
      `${name.slice(0, 8)} 0+${blob(index).tableLength}`,
      ...places.map(({ start, end }) => `${name.slice(0, 8)} ${start}+${end - start}`),
    ];
    // It is also looked whether blocks that are missing were written without being journaled (salvage.ts).
    const missing = Array.from({ length: site.blobs[index]!.record.blockCount }, (_, i) => i).filter(
      (block) => !blocks.includes(block),
    );
    const looked = (await Promise.all(missing.map((block) => placeOf(index, block)))).map(
      ({ start, end }) => `${name.slice(0, 8)} ${start}+${end - start}`,
    );
    const checked = noting.reads.filter((read) => !looked.includes(read));
    expect([...new Set(checked)].sort()).toEqual(expected.sort());
    await expectContent(third);
    await third.close();

    const calm = new NotingDirectory(left);
    const fourth = await rig.start(calm);
    await fourth.open({ release: rig.release, background: false, loader: 'tab' });
    // What is read is what this asks for.
    const report = await fourth.scrub(site.image, never);
    expect(calm.reads.length).toBe(report.blocks + new Set(calm.reads.map((read) => read.slice(0, 8))).size);
  }));

test('a loader that has completed its image may be killed: only what it writes after that is to be checked', () =>
  withScrubRig(site, async (rig) => {
    const recentOf = async (): Promise<string[]> => {
      const store = await BlockStore.open(new NodeDirectory(await rig.copy(rig.folder)));
      return [...store.recent().keys()];
    };
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await expect.poll(() => rig.events.some(({ type }) => type === 'complete')).toBe(true);
    expect(await recentOf()).toEqual([]);
    const name = 'ef'.repeat(32);
    const content = noise(9, 5000);
    const made = { type: 'create-file', path: 'late.dat', size: 5000, blockSize: 4096, mime: '' } as const;
    await service.changeTree(site.image, { ...made, meta: new Uint8Array(0), content }, name);
    expect(await recentOf()).toEqual([name]);
  }));

/** As in browsers whose snapshots of files do not notice that these were written since. */
class ForgetfulDirectory extends NodeDirectory {
  readonly #folder: string;

  constructor(folder: string) {
    super(folder);
    this.#folder = folder;
  }

  override async snapshot(path: string): Promise<Blob | undefined> {
    const taken = await super.snapshot(path);
    return taken && lateBlob(join(this.#folder, path), 0, taken.size);
  }
}

function lateBlob(path: string, start: number, end: number): Blob {
  const late = {
    size: end - start,
    slice: (from = 0, to = end - start) => lateBlob(path, start + from, start + to),
    arrayBuffer: async () => new Uint8Array((await readFile(path)).subarray(start, end)).buffer,
  };
  return late as unknown as Blob;
}

const readerDirectories = [
  { what: 'of a sealed blob', Directory: NodeDirectory, isSealed: true },
  { what: 'of a blob that is not whole', Directory: NodeDirectory, isSealed: false },
  { what: 'without word of what was written', Directory: ForgetfulDirectory, isSealed: false },
];
for (const { what, Directory, isSealed } of readerDirectories)
  test(`while a block is dropped and written again, a reader of the disk gets its right bytes or none: ${what}`, () =>
    withScrubRig(site, async (rig) => {
      await stored(rig);
      const directory = new Directory(rig.folder);
      const store = await BlockStore.open(directory);
      const { sha256: name, blockCount } = blob(1);
      if (!isSealed) await store.dropBlocks(name, [blockCount - 1]);
      const places = await Promise.all([...Array(8).keys()].map((block) => placeOf(1, block)));
      const right = places.map(({ start, end }) => site.blobs[1]!.bytes.slice(start, end));
      const readers = await Promise.all([1, 2].map(() => StoreReader.open(directory)));
      const random = seededRandom(12);
      const pause = async (): Promise<void> => {
        for (let turns = Math.floor(random() * 8); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
      };
      let served = 0;
      const readAll = async (): Promise<void> => {
        const reads = readers.flatMap((reader) =>
          places.map(async ({ start, end }, block) => {
            if (!reader.has(name, block)) return;
            const bytes = await reader.read(name, start, end);
            if (!bytes) return;
            expect(Buffer.compare(bytes, right[block]!)).toBe(0);
            served += 1;
          }),
        );
        await Promise.all(reads);
      };
      for (let round = 0; round < 30; round++) {
        const block = round % places.length;
        const reads = [readAll()];
        await pause();
        await store.dropBlocks(name, [block]);
        // Nothing says that it is there: what lies in its place is nobody's.
        await rig.scribble(blob(1), places[block]!.start, noise(round, 16 * KiB));
        reads.push(readAll());
        await pause();
        await store.writeBlock(name, block, places[block]!.start, right[block]!);
        reads.push(readAll());
        await pause();
        await store.commit();
        await Promise.all(reads);
        const before = served;
        for (const reader of readers) await reader.refresh();
        await readAll();
        expect(served - before).toBe(2 * places.length);
      }
      await store.close();
    }));

test('what was written a moment ago and is not committed can be dropped', () =>
  withScrubRig(site, async (rig) => {
    const store = await BlockStore.open(new NodeDirectory(rig.folder));
    const { record, bytes } = site.blobs[1]!;
    const presence = store.blob(record);
    await store.writeTable(record.sha256, bytes.slice(0, record.tableLength));
    for (const block of [0, 1, 2]) {
      const { start, end } = await placeOf(1, block);
      await store.writeBlock(record.sha256, block, start, bytes.slice(start, end));
    }
    const name = 'cd'.repeat(32);
    store.blob({ sha256: name, length: 8192, tableLength: 0, blockCount: 2, blockSize: 4096 });
    const content = noise(8, 4096);
    for (const block of [0, 1]) await store.writeLocalBlock(name, block, content, await sha256(content));
    await store.dropBlocks(record.sha256, [1]);
    await store.dropBlocks(name, [0]);
    expect([0, 1, 2].map((block) => presence.has(block))).toEqual([true, false, true]);
    const reader = await StoreReader.open(new NodeDirectory(rig.folder));
    expect([0, 1, 2].map((block) => reader.has(record.sha256, block))).toEqual([true, false, true]);
    expect([0, 1].map((block) => reader.has(name, block))).toEqual([false, true]);
    await store.close();
  }));
