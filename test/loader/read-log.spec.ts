import { expect, test } from '@playwright/test';
import { ReadRing } from '../../src/loader/read-log.ts';
import type { ReadLogEntry } from '../../src/protocol/state.ts';
import { seededRandom } from '../support/random.ts';

const entry = (block: number, more: Partial<ReadLogEntry> = {}): ReadLogEntry => ({
  path: `p${block % 5}`,
  blob: 2,
  block,
  atMs: block * 10,
  waitedMs: block,
  ...more,
});

function blocks(ring: ReadRing): number[] {
  return ring.entries().map(({ block }) => block);
}

test('read_log: entries come back as they were, oldest first, with the error that they ended with', () => {
  const ring = new ReadRing(1000);
  expect(ring.entries()).toEqual([]);
  const given = [
    entry(1),
    entry(2, { failed: 'read-timeout' }),
    entry(3, { path: 'ünï/☃.bin', atMs: 4_000_000_000 }),
    entry(-1, { atMs: 0, waitedMs: 0 }),
  ];
  for (const one of given) ring.add(one);
  expect(ring.entries()).toEqual(given);
});

test('read_log: what was read before the log began keeps its time, to an hour', () => {
  const ring = new ReadRing(10);
  ring.add(entry(1, { atMs: -1250, waitedMs: 900 }));
  ring.add(entry(2, { atMs: -3_600_001 }));
  expect(ring.entries()).toMatchObject([{ atMs: -1250, waitedMs: 900 }, { atMs: -3_600_000 }]);
});

test('read_log: overwritten from its oldest, whatever the count', () => {
  const ring = new ReadRing(3);
  for (let block = 0; block < 8; block++) {
    ring.add(entry(block));
    expect(blocks(ring)).toEqual([block - 2, block - 1, block].filter((one) => one >= 0));
  }
});

test('read_log: off, nothing is kept; on again, what comes is', () => {
  const ring = new ReadRing(4);
  for (let block = 0; block < 3; block++) ring.add(entry(block));
  ring.resize(0);
  ring.add(entry(9));
  expect(ring.entries()).toEqual([]);
  ring.resize(2);
  for (let block = 3; block < 6; block++) ring.add(entry(block));
  expect(blocks(ring)).toEqual([4, 5]);
});

test('read_log: resized, the latest that fit are kept', () => {
  const ring = new ReadRing(4);
  for (let block = 0; block < 6; block++) ring.add(entry(block));
  ring.resize(6);
  expect(blocks(ring)).toEqual([2, 3, 4, 5]);
  ring.add(entry(6));
  ring.add(entry(7));
  ring.add(entry(8));
  expect(blocks(ring)).toEqual([3, 4, 5, 6, 7, 8]);
  ring.resize(2);
  expect(blocks(ring)).toEqual([7, 8]);
});

test('read_log: beside a plain list, through 20,000 random reads and resizes', () => {
  const random = seededRandom(11);
  const ring = new ReadRing(100);
  let capacity = 100;
  let list: ReadLogEntry[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (random() < 0.001) {
      capacity = Math.floor(random() * 1500);
      ring.resize(capacity);
    } else {
      const failed = random() < 0.1 ? { failed: ['read-timeout', 'offline', 'ENOENT'][i % 3]! } : {};
      const one = entry(i, { path: `path ${Math.floor(random() * 3000)}`, ...failed });
      ring.add(one);
      list.push(one);
    }
    list = list.slice(Math.max(0, list.length - capacity));
    if (i % 500 === 0) expect(ring.entries()).toEqual(list);
  }
  expect(ring.entries()).toEqual(list);
});
