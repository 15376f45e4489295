import { expect, test } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import { isEager } from '../../src/loader/eagerness.ts';
import { FileBlocks } from '../../src/loader/file-blocks.ts';
import { SequentialReads } from '../../src/loader/sequential-reads.ts';
import { seededRandom } from '../support/random.ts';
import { makeSite } from './site-fixture.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

test('read ahead: from the second miss in order on, as much as was read in order, up to a bound', () => {
  const reads = new SequentialReads();
  expect(reads.missed('f', 10, 11, 100)).toBe(11);
  expect(reads.missed('f', 11, 12, 100)).toBe(14);
  // 12 and 13 were here when their reader came: nobody heard of that.
  expect(reads.missed('f', 14, 15, 100)).toBe(20);
  expect(reads.missed('f', 20, 21, 100)).toBe(32);
  expect(reads.missed('f', 32, 33, 8)).toBe(41);
});

test('read ahead: whoever waits for what is on its way has read on', () => {
  const reads = new SequentialReads();
  reads.missed('f', 0, 4, 100);
  expect(reads.missed('f', 4, 8, 100)).toBe(16);
  expect(reads.missed('f', 9, 10, 100)).toBe(20);
  // Asked for again: nothing new.
  expect(reads.missed('f', 9, 10, 100)).toBe(20);
});

test('read ahead: a long read is one miss, and another place, or file, begins anew', () => {
  const reads = new SequentialReads();
  expect(reads.missed('f', 0, 50, 100)).toBe(50);
  expect(reads.missed('f', 60, 61, 100)).toBe(61);
  expect(reads.missed('g', 61, 62, 100)).toBe(62);
  expect(reads.missed('f', 59, 60, 100)).toBe(60);
  expect(reads.missed('f', 58, 59, 100)).toBe(59);
});

test('read ahead: random misses amplify next to nothing, and never more than was read in order', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const reads = new SequentialReads();
    let ahead = 0;
    for (let i = 0; i < 500; i++) {
      const first = Math.floor(random() * 1000);
      ahead += reads.missed('f', first, first + 1, 64) - first - 1;
    }
    expect(ahead / 500).toBeLessThan(0.02);
  }
});

test('read ahead: only the files that were read last are watched', () => {
  const reads = new SequentialReads();
  reads.missed('first', 0, 1, 100);
  for (let i = 0; i < 16; i++) reads.missed(`other ${i}`, 0, 1, 100);
  expect(reads.missed('first', 1, 2, 100)).toBe(2);
});

test('the blocks of a file are numbered through all of its blobs', async () => {
  const site = await makeSite(
    [
      { name: 'small', size: 100, shift: 16 },
      { name: 'large', size: 1000 * KiB, shift: 16 },
    ],
    256 * KiB,
  );
  const image = await Image.open(site.bootstrap);
  const blocks = FileBlocks.of(image, 'large')!;
  expect(blocks.count).toBe(16);
  const spans = [...image.mapRange(image.lookup('large')!, 0, 1000 * KiB)];
  spans.forEach(({ blob, block }, number) => {
    expect(blocks.at(number)).toMatchObject({ blob, block });
    expect(blocks.numberOf(blob, block)).toBe(number);
    const { hint } = blocks.at(number)!;
    expect(block).toBeGreaterThanOrEqual(hint.firstBlock);
    expect(block).toBeLessThan(hint.firstBlock + hint.blockCount);
  });
  expect(spans.at(-1)!.blob).toBeGreaterThan(2);
  expect(blocks.at(16)).toBeUndefined();
  expect(blocks.numberOf(0, 0), 'the small file’s').toBeUndefined();
  expect(FileBlocks.of(image, '/')).toBeUndefined();
  expect(FileBlocks.of(image, 'nothing')).toBeUndefined();
});

test('eager: an image that the link brings in a second, or of which a launch needs most', () => {
  const link = (rate: number) => ({ rate, latencyMs: 50 });
  expect(isEager(2 * MiB, undefined, link(0))).toBe(true);
  expect(isEager(2 * MiB + 1, undefined, link(0))).toBe(false);
  expect(isEager(2 * MiB, undefined, link(1e6))).toBe(false);
  expect(isEager(1e6, undefined, link(1e6))).toBe(true);
  expect(isEager(8 * MiB, undefined, link(1e9))).toBe(true);
  expect(isEager(8 * MiB + 1, undefined, link(1e9))).toBe(false);
  // What a launch needs is known: the rest waits.
  expect(isEager(1e6, 1e5, link(1e9))).toBe(false);
  expect(isEager(100 * MiB, 80 * MiB, link(1e6))).toBe(true);
  expect(isEager(100 * MiB, 80 * MiB - 1, link(1e6))).toBe(false);
});
