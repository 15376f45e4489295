import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import type { Directory } from '../../src/store/directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { theOne } from '../contracts/blob-file.ts';
import { startLeader } from '../loader/leader.ts';
import { type Fixture, makeSite } from '../loader/site-fixture.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { CrashDisk, crashModels } from './crash-disk.ts';

const KiB = 1024;
const never = new AbortController().signal;
type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** A leader over the disk that scrubs, brings what was bad, and ends, as far as the disk lets it. */
async function scrubAndEnd(directory: Directory, site: Fixture, origin: Origin): Promise<number> {
  const service = await startLeader({ scope: `${origin.url}/app/`, directory });
  try {
    const release = { image: site.image, bytes: site.bootstrap.length };
    await service.open({ release, background: true, loader: 'tab' });
    const { bad } = await service.scrub(site.image, never);
    for (const name of site.files.keys()) {
      const bytes = await service.read(site.image, name, 0, 2 ** 31, 20_000, never);
      expect(Buffer.compare(bytes, site.files.get(name)!), name).toBe(0);
    }
    await service.flush();
    return bad.length;
  } finally {
    await service.close();
  }
}

/** What the journal calls present, that is neither as published nor as the disk had spoilt it before the scrub. */
async function mixed(files: Files, spoilt: Files, site: Fixture): Promise<string[]> {
  const reader = await StoreReader.open(new CrashDisk(files));
  const wrong: string[] = [];
  for (const { record, bytes } of site.blobs) {
    const before = spoilt.get(theOne(spoilt.keys(), record.sha256))!;
    const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
    const check = async (what: string, start: number, end: number): Promise<void> => {
      const found = await reader.read(record.sha256, start, end);
      const isOneOf = [bytes, before].some(
        (whole) => Buffer.compare(found ?? Buffer.of(), whole.subarray(start, end)) === 0,
      );
      if (!isOneOf) wrong.push(`${what} of ${record.sha256}`);
    };
    if (reader.hasTable(record.sha256)) await check('table', 0, record.tableLength);
    for (let block = 0; block < record.blockCount; block++) {
      const { start, end } = table.stored(block);
      if (reader.has(record.sha256, block)) await check(`block ${block}`, start, end);
    }
  }
  return wrong;
}

/** Runs over a disk that has spoilt two neighbouring blocks, a table and the bootstrap. */
async function withSpoilt(
  run: (site: Fixture, origin: Origin, spoilt: Files) => Promise<void>,
): Promise<void> {
  const site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 12 },
      { name: 'data.pak', size: 100 * KiB, shift: 13 },
    ],
    64 * KiB,
  );
  const dir = await tempDir('scrub-crash');
  await site.write(dir.path);
  const origin = await Origin.start({ mounts: { '/app/': dir.path } });
  try {
    const whole = new CrashDisk();
    await scrubAndEnd(whole, site, origin);
    const spoilt = whole.after('written', 0);
    const [first, second] = site.blobs.map(({ record }) => theOne(spoilt.keys(), record.sha256)) as [
      string,
      string,
    ];
    spoilt.get(first)!.set(noise(1, 9000), 20_000);
    spoilt.get(second)!.fill(0, 4, 30);
    const bootstrap = spoilt.get(`images/${site.image}.bin`)!;
    bootstrap[60] = bootstrap[60]! ^ 8;
    await run(site, origin, spoilt);
  } finally {
    await origin.stop();
    await dir.remove();
  }
}

/** How many operations a scrub of it takes that nothing disturbs. */
async function countOperations(site: Fixture, origin: Origin, spoilt: Files): Promise<number> {
  const calm = new CrashDisk(spoilt);
  // The bootstrap was mended when it was opened.
  expect(await scrubAndEnd(calm, site, origin)).toBe(3);
  expect(calm.operations).toBeGreaterThan(20);
  return calm.operations;
}

async function expectMended(left: Files, site: Fixture, origin: Origin, what: string): Promise<void> {
  const next = new CrashDisk(left);
  await scrubAndEnd(next, site, origin);
  const mended = next.after('flushed', 1);
  for (const { record, bytes } of site.blobs) {
    expect(Buffer.compare(mended.get(theOne(mended.keys(), record.sha256))!, bytes), what).toBe(0);
  }
  expect(Buffer.compare(mended.get(`images/${site.image}.bin`)!, site.bootstrap), what).toBe(0);
}

for (const model of crashModels) {
  test(`a crash at every operation of a scrub, ${model}: nothing in between is called present, and the next scrub mends the rest`, () =>
    withSpoilt(async (site, origin, spoilt) => {
      const total = await countOperations(site, origin, spoilt);
      let crashes = 0;
      for (let at = 0; at < total; at++) {
        const disk = new CrashDisk(spoilt, { at, kind: 'crash', seed: at });
        await scrubAndEnd(disk, site, origin).catch(() => {}); // The disk's end, in whichever words.
        if (disk.crashed) crashes += 1;
        const left = disk.after(model, at);
        expect(await mixed(left, spoilt, site), `operation ${at}`).toEqual([]);
        await expectMended(left, site, origin, `operation ${at}`);
      }
      expect(crashes).toBeGreaterThan(total - 6);
    }));
}

test('no room at any one operation of a scrub: readers get the right bytes, and the next scrub mends the rest', () =>
  withSpoilt(async (site, origin, spoilt) => {
    const total = await countOperations(site, origin, spoilt);
    for (let at = 0; at < total; at++) {
      const disk = new CrashDisk(spoilt, { at, kind: 'full', seed: at });
      await scrubAndEnd(disk, site, origin);
      const left = disk.after('flushed', at);
      expect(await mixed(left, spoilt, site), `operation ${at}`).toEqual([]);
      await expectMended(left, site, origin, `operation ${at}`);
    }
  }));
