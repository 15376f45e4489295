import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Image } from '../../src/image/image.ts';
import type { Loader } from '../../src/loader/loader.ts';
import type { MessageEndpoint } from '../../src/protocol/channel.ts';
import type { ProvidedBlock } from '../../src/protocol/loader-api.ts';
import { serveSource } from '../../src/protocol/source-port.ts';
import type { PendingReadInfo } from '../../src/protocol/state.ts';
import { seededRandom } from '../support/random.ts';
import { askedBytes, failure } from './engine-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { type Tabs, withTabs } from './tabs.ts';

/** Readers that wait, and several data loaders that feed them: Incremental FS's cases on whole loaders, with a server that says nothing. */
const KiB = 1024;
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 12 },
      { name: 'data.pak', size: 800 * KiB, shift: 12 },
    ],
    256 * KiB,
  );
});

const content = (name: string): Uint8Array => site.files.get(name)!;

/** Block -1 is the table. */
async function provided(blob: number, block: number): Promise<ProvidedBlock> {
  const { record, bytes } = site.blobs[blob]!;
  const { BlockTable } = await import('../../src/format/block-table.ts');
  const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
  const { start, end } = block === -1 ? { start: 0, end: record.tableLength } : table.stored(block);
  return { blob, block, bytes: bytes.slice(start, end) };
}

async function giveTables(loader: Loader): Promise<void> {
  await loader.provideBlocks(await Promise.all(site.blobs.map((_, blob) => provided(blob, -1))));
}

/** Where the blocks of data.pak are, in the file's order. */
async function placesOf(name: string): Promise<{ blob: number; block: number }[]> {
  const image = await Image.open(site.bootstrap, { sha256: site.image });
  return [...image.mapRange(image.lookup(name)!, 0, Number.MAX_SAFE_INTEGER)];
}

test('multiple_providers: each polls with a serial of its own, snapshots do not mix, a later one hears of all', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    const standby = open();
    await loader.start({ scope, release, background: false });
    await standby.start({ scope, release, background: false });
    await giveTables(loader);
    origin.fault = () => ({ type: 'hang' });
    const poll = standby.pendingReads(0, 10_000);
    const one = loader.read('data.pak', 0, 1, 20_000);
    const [first] = await poll;
    expect(first).toMatchObject({ path: 'data.pak', waiters: 1 });
    const second = loader.pendingReads(first!.serial, 10_000);
    const two = standby.read('data.pak', 8 * KiB, 8 * KiB + 1, 20_000);
    const [next, ...none] = await second;
    expect(none).toEqual([]);
    expect(next!.serial).toBeGreaterThan(first!.serial);
    // Who comes late, or is started again, hears of both, oldest first.
    expect((await standby.pendingReads(0, 0)).map(({ serial }) => serial)).toEqual([
      first!.serial,
      next!.serial,
    ]);
    expect(await loader.pendingReads(next!.serial, 20)).toEqual([]);
    for (const { block } of [next!, first!])
      await standby.provideBlocks([await provided(block.blob, block.index)]);
    expect((await one)[0]).toBe(content('data.pak')[0]);
    expect((await two)[0]).toBe(content('data.pak')[8 * KiB]);
    expect((await loader.state()).pendingReads).toEqual([]);
  }));

/** The leader's loader ends while a read waits that gets no answer, and another leads. The pending read as either names it. */
async function handedOver(
  { open, scope, release, origin }: Tabs,
  beforeItEnds = (): void => {},
): Promise<{
  readonly standby: Loader;
  readonly reading: Promise<Uint8Array>;
  readonly before: PendingReadInfo;
  readonly after: PendingReadInfo;
}> {
  const leader = open();
  const standby = open();
  await leader.start({ scope, release, background: false });
  await standby.start({ scope, release, background: false });
  origin.fault = () => ({ type: 'hang' });
  const reading = standby.read('data.pak', 0, 1, 20_000);
  const [before] = await standby.pendingReads(0, 10_000);
  const polling = standby.pendingReads(before!.serial, 15_000);
  beforeItEnds();
  await leader.close();
  const [after] = await polling;
  expect(after).toMatchObject({ path: 'data.pak', block: before!.block });
  return { standby, reading, before: before!, after: after! };
}

async function giveWhatIsMissing(standby: Loader, { block }: PendingReadInfo): Promise<void> {
  await standby.provideBlocks([await provided(block.blob, -1), await provided(block.blob, block.index)]);
}

test('a new leader’s serials are above: whoever goes on after its last one hears of all that pends', () =>
  withTabs(site, async (tabs) => {
    const { standby, reading, before, after } = await handedOver(tabs);
    expect(after.serial).toBeGreaterThan(before.serial);
    await giveWhatIsMissing(standby, after);
    expect((await reading)[0]).toBe(content('data.pak')[0]);
  }));

test('a new leader whose clock was set back gives lower serials: whoever goes on hears of all that pends all the same', () =>
  withTabs(site, async (tabs) => {
    const { now } = Date;
    try {
      const { standby, reading, before, after } = await handedOver(tabs, () => {
        Date.now = () => now() - 86_400_000;
      });
      expect(after.serial).toBeLessThan(before.serial);
      // Told once: the next poll goes on from there.
      expect(await standby.pendingReads(after.serial, 20)).toEqual([]);
      await giveWhatIsMissing(standby, after);
      expect((await reading)[0]).toBe(content('data.pak')[0]);
    } finally {
      Date.now = now;
    }
  }));

test('get_blocks: two filled, two not, and so on; data_block_count: counts follow what was given', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    await giveTables(loader);
    expect(await loader.filledRanges('data.pak')).toEqual([]);
    const places = await placesOf('data.pak');
    const given = places.filter((_, i) => i % 4 < 2);
    // In any order, some twice.
    for (const { blob, block } of [...given.toReversed(), ...given.slice(0, 5)])
      await loader.provideBlocks([await provided(blob, block)]);
    expect(await loader.filledRanges('data.pak')).toEqual(
      Array.from({ length: places.length / 4 }, (_, i) => ({ start: i * 16 * KiB, end: (i * 16 + 8) * KiB })),
    );
    const { blocks } = await loader.state();
    const total = site.blobs.reduce((sum, { record }) => sum + record.blockCount, 0);
    expect(blocks).toEqual({ total, present: given.length });
    expect((await failure(loader.filledRanges('nothing'))).code).toBe('ENOENT');
    expect((await failure(loader.filledRanges(''))).code).toBe('EISDIR');
  }));

test('errors_on_overwrite: a block that is here is ignored and stays; wrong ones are refused with their codes', () =>
  withTabs(site, async ({ open, scope, release }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    await giveTables(loader);
    const [place] = await placesOf('data.pak');
    const right = await provided(place!.blob, place!.block);
    await loader.provideBlocks([right]);
    await loader.provideBlocks([{ ...right, bytes: new Uint8Array(4 * KiB) }]);
    expect(
      Buffer.compare(await loader.read('data.pak', 0, 4 * KiB, 0), content('data.pak').subarray(0, 4 * KiB)),
    ).toBe(0);
    const code = async (given: ProvidedBlock) => (await failure(loader.provideBlocks([given]))).code;
    const other = await provided(place!.blob, place!.block + 1);
    expect(await code({ ...other, block: 100_000 })).toBe('ERANGE');
    expect(await code({ ...right, blob: 99 })).toBe('ENOENT');
    expect(await code({ ...other, bytes: new Uint8Array(4 * KiB + 1) })).toBe('E2BIG');
    expect(await code({ ...other, bytes: new Uint8Array(5) })).toBe('EINVAL');
    expect(await code({ ...other, bytes: new Uint8Array(4 * KiB) })).toBe('integrity');
    expect(await code({ path: 'nothing', block: 0, bytes: other.bytes })).toBe('ENOENT');
    expect(await code({ path: 'data.pak', block: 0, bytes: other.bytes })).toBe('EINVAL');
  }));

test('per_reader_timeouts: each reader of one block has its own, 0 fails at once; the last error is told and logged', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    await giveTables(loader);
    origin.fault = () => ({ type: 'hang' });
    const codes: string[] = [];
    const read = async (timeoutMs: number) => {
      const error = await failure(loader.read('data.pak', 0, 1, timeoutMs));
      codes.push(`${error.code} ${timeoutMs}`);
    };
    const patient = loader.read('data.pak', 0, 1, 20_000);
    await Promise.all([read(400), read(100), read(0)]);
    expect(codes).toEqual(['read-timeout 0', 'read-timeout 100', 'read-timeout 400']);
    const state = await loader.state();
    expect(state.pendingReads).toMatchObject([{ path: 'data.pak', waiters: 1 }]);
    expect(state.loader.lastReadError).toMatchObject({ path: 'data.pak', code: 'read-timeout' });
    expect((await loader.readLog()).reads.filter(({ failed }) => failed === 'read-timeout').length).toBe(3);
    const { block } = state.pendingReads[0]!;
    await loader.provideBlocks([await provided(block.blob, block.index)]);
    expect((await patient)[0]).toBe(content('data.pak')[0]);
  }));

test('read_log of a mount: off, and resized; a withdrawn read is no error', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    await loader.start({ scope, release, background: false, readLog: 0 });
    await loader.read('index.html', 0, 1, 10_000);
    expect((await loader.readLog()).reads).toEqual([]);
    await loader.setReadLog(2);
    for (let i = 0; i < 3; i++) await loader.read('index.html', 0, 1, 10_000);
    expect((await loader.readLog()).reads.length).toBe(2);
    expect((await failure(loader.setReadLog(-1))).code).toBe('EINVAL');
    origin.fault = () => ({ type: 'hang' });
    const withdrawn = failure(loader.read('data.pak', 0, 1, 10_000, 7));
    await loader.pendingReads(0, 5000);
    loader.cancelRead(7);
    expect((await withdrawn).code).toBe('closed');
    expect(await loader.pendingReads(0, 0)).toEqual([]);
    expect((await loader.state()).loader.lastReadError).toBeUndefined();
  }));

test('a page’s own source: blocks come from it, a failing or silent one is asked again, the network is not', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const { port1, port2 } = new MessageChannel();
    const files = new Map(site.blobs.map(({ record, bytes }) => [record.sha256, bytes]));
    files.set(site.image, site.bootstrap);
    let asked = 0;
    const stop = serveSource(
      {
        wholeFiles: false,
        fetch: async function* ({ file, start, end }) {
          asked += 1;
          if (asked % 3 === 0) throw new SluiceError('read-timeout', 'the peer is slow');
          yield { offset: start, bytes: files.get(file.sha256)!.subarray(start, end) };
        },
      },
      port1 as MessageEndpoint,
    );
    const loader = open();
    await loader.start({ scope, release, background: false, source: port2 as unknown as MessagePort });
    expect(Buffer.compare(await loader.read('data.pak', 0, 2 ** 31, 20_000), content('data.pak'))).toBe(0);
    expect(origin.requests(/\.bin$/).length).toBe(0);
    expect((await loader.state()).loader.retries).toBeGreaterThan(0);
    stop();
  }));

test('prefetch by priority: all of a file, without a pending read; a wrong path is told first', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const loader = open();
    await loader.start({ scope, release, background: false });
    expect((await failure(loader.prefetch(['index.html', 'nothing'], 'launch'))).code).toBe('ENOENT');
    expect(origin.requests(/\.bin$/).length).toBe(1); // The bootstrap.
    await Promise.all([
      loader.prefetch(['data.pak'], 'background'),
      loader.prefetch(['index.html'], 'launch'),
    ]);
    expect(await loader.filledRanges('data.pak')).toEqual([{ start: 0, end: 800 * KiB }]);
    expect((await loader.readLog()).reads).toEqual([]);
    expect(askedBytes(origin, site).twice).toBe(0);
  }));

test('1,000 pending reads over 200 blocks, five data loaders with delays, deaths and duplicates: every read ends rightly', () =>
  withTabs(site, async ({ open, scope, release, origin }) => {
    const random = seededRandom(2026);
    const loader = open();
    const standby = open();
    await loader.start({ scope, release, background: false });
    await standby.start({ scope, release, background: false });
    await giveTables(loader);
    origin.reset();
    origin.fault = () => ({ type: 'hang' });
    const places = await placesOf('data.pak');
    expect(places.length).toBe(200);
    let done = false;
    let deaths = 0;
    let given = 0;
    /** Dies now and then; its successor begins with serial 0, and so gives much of it again. */
    const feed = async (through: Loader): Promise<void> => {
      let after = 0;
      while (!done) {
        const reads = await through.pendingReads(after, 50);
        for (const { serial, block } of reads.toSorted(() => random() - 0.5)) {
          if (done) return;
          after = Math.max(after, serial);
          if (random() < 0.05) {
            deaths += 1;
            after = 0;
            break;
          }
          if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 4));
          const one = await provided(block.blob, block.index);
          given += 1;
          await through.provideBlocks(random() < 0.2 ? [one, one] : [one]);
        }
        // One that was passed over by a death is asked for again.
        if (reads.length === 0) after = 0;
      }
    };
    const reads = Array.from({ length: 1000 }, async (_, i) => {
      const at = (i % 200) * 4 * KiB + Math.floor(random() * 4000);
      const bytes = await (random() < 0.5 ? loader : standby).read('data.pak', at, at + 96, 120_000);
      const wanted = content('data.pak').subarray(at, Math.min((Math.floor(at / 4096) + 2) * 4096, at + 96));
      expect(Buffer.compare(bytes, wanted)).toBe(0);
    });
    const waiters = async () =>
      (await loader.state()).pendingReads.reduce((sum, read) => sum + read.waiters, 0);
    await expect.poll(waiters).toBeGreaterThanOrEqual(1000);
    expect((await loader.state()).pendingReads.length).toBeGreaterThanOrEqual(200);
    const feeders = [loader, standby, loader, standby, loader].map(feed);
    await Promise.all(reads);
    done = true;
    await Promise.all(feeders);
    expect(deaths).toBeGreaterThan(5);
    expect(given).toBeGreaterThan(200); // Some were given by several.
    const state = await loader.state();
    expect(state.pendingReads).toEqual([]);
    expect(state.blocks.present).toBe(200);
    expect(state.bytes.fetched).toBe(0);
    expect(askedBytes(origin, site).twice).toBe(0);
  }));
