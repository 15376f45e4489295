import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import { expectMs } from '../../src/loader/expected-blocks.ts';
import { askedBytes, type EngineRig, failure, withEngine } from './engine-rig.ts';
import { ManualClock } from './manual-clock.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

/** One blob of 16 blocks of 64 KiB. */
let site: Fixture;
let table: BlockTable;

test.beforeAll(async () => {
  site = await makeSite([{ name: 'app.bin', size: 16 * 2 ** 16, shift: 16 }], 2 ** 30);
  const { record, bytes } = site.blobs[0]!;
  table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
});

async function provide({ engine, mount }: EngineRig, ...blocks: number[]): Promise<void> {
  const { bytes } = site.blobs[0]!;
  for (const block of blocks) {
    const { start, end } = block === -1 ? { start: 0, end: table.bytes.length } : table.stored(block);
    await engine.provide(mount, 0, block, bytes.slice(start, end));
  }
}

const blocksAsked = ({ origin }: EngineRig): string[] =>
  origin
    .requests(({ path }) => path.endsWith(`${site.blobs[0]!.record.sha256}.bin`))
    .map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range!)!)
    .map(([, first, last]) => `${table.blockAt(Number(first))}–${table.blockAt(Number(last))}`);

test('what somebody else is bringing is fetched by nobody, and its readers get it', () =>
  withEngine(site, async (rig) => {
    const { engine, mount, read } = rig;
    await provide(rig, -1);
    engine.expect(mount, 0, 2, 6);
    const reading = read('app.bin', 0, 8 * 2 ** 16);
    await expect.poll(() => blocksAsked(rig)).toEqual(['0–1', '6–7']);
    await provide(rig, 2, 3, 4, 5);
    expect(await reading).toEqual(site.files.get('app.bin')!.slice(0, 8 * 2 ** 16));
    expect(blocksAsked(rig)).toEqual(['0–1', '6–7']);
  }));

test('while a service worker brings what the background would, the background waits for it and goes on behind', () =>
  withEngine(site, async (rig) => {
    const { engine, mount, event, origin } = rig;
    await provide(rig, -1);
    engine.expect(mount, 0, 0, 4);
    engine.complete(mount);
    await provide(rig, 0, 1, 2, 3);
    await event('complete');
    expect(askedBytes(origin, site)).toEqual({
      total: table.stored(15).end - table.stored(4).start,
      twice: 0,
    });
  }));

test('what does not come is fetched when it is late, counted from the last that came', () => {
  const clock = new ManualClock();
  const advance = async (ms: number): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return withEngine(
    site,
    async (rig) => {
      const { engine, mount, read } = rig;
      await provide(rig, -1);
      engine.expect(mount, 0, 0, 4);
      const reading = read('app.bin', 0, 4 * 2 ** 16);
      await advance(expectMs - 100);
      await provide(rig, 0);
      await advance(200);
      await advance(expectMs - 100);
      expect(blocksAsked(rig)).toEqual([]);
      await advance(200);
      expect(await reading).toEqual(site.files.get('app.bin')!.slice(0, 4 * 2 ** 16));
      expect(blocksAsked(rig)).toEqual(['1–3']);
    },
    { clock },
  );
});

test('blocks that the image does not have are refused', () =>
  withEngine(site, async ({ engine, mount }) => {
    const expecting = async () => engine.expect(mount, 0, 10, 17);
    expect(await failure(expecting())).toMatchObject({ code: 'ERANGE' });
  }));
