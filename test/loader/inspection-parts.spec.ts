import { expect, test } from '@playwright/test';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { type BlockFacts, BlockMarks, blockRuns } from '../../src/loader/inspection/block-runs.ts';
import { ErrorLog } from '../../src/loader/inspection/error-log.ts';
import { FetchLog } from '../../src/loader/inspection/fetch-log.ts';
import { WaitLog } from '../../src/loader/inspection/wait-steps.ts';
import { launchMetrics } from '../../src/loader/launch-metrics.ts';
import { ReadRing } from '../../src/loader/read-log.ts';
import { blockState, pinnedFlag, readBlockRuns } from '../../src/protocol/block-states.ts';
import { Presence } from '../../src/store/presence.ts';
import { seededRandom } from '../support/random.ts';

const entry = (block: number) => ({ path: `p${block % 3}`, blob: 0, block, atMs: block, waitedMs: 0 });

test('reads have serials that grow also over those that fell out; asked behind a serial, only those behind it come', () => {
  const ring = new ReadRing(4);
  expect(ring.last).toBe(0);
  expect(ring.after(0)).toEqual([]);
  for (let block = 1; block <= 7; block++) ring.add(entry(block));
  expect(ring.last).toBe(7);
  expect(ring.after(0).map(({ serial, block }) => [serial, block])).toEqual([
    [4, 4],
    [5, 5],
    [6, 6],
    [7, 7],
  ]);
  expect(ring.after(5).map(({ serial }) => serial)).toEqual([6, 7]);
  expect(ring.after(7)).toEqual([]);
  expect(ring.after(99)).toEqual([]);
  ring.resize(2);
  expect(ring.after(0).map(({ serial }) => serial)).toEqual([6, 7]);
  ring.resize(0);
  ring.add(entry(8));
  expect(ring.last).toBe(7);
});

test('how long a block took to decode is in the ring to the microsecond, also when it is nothing; the read log as told has it not', () => {
  const ring = new ReadRing(10);
  ring.add({ ...entry(1), decodeMs: 1.2345 });
  ring.add({ ...entry(2), decodeMs: 0 });
  ring.add(entry(3));
  expect(ring.after(0).map(({ decodeMs }) => decodeMs)).toEqual([1.235, 0, undefined]);
  for (const told of ring.entries()) expect(Object.keys(told)).not.toContain('decodeMs');
});

test('errors and waits are remembered within bounds, the latest of them', () => {
  const errors = new ErrorLog();
  for (let i = 1; i <= 300; i++) errors.add({ at: i, code: 'offline', message: `${i}` });
  expect(errors.last).toBe(300);
  expect(errors.after(0)).toHaveLength(256);
  expect(errors.after(0)[0]).toEqual({ serial: 45, at: 45, code: 'offline', message: '45' });
  expect(errors.after(299).map(({ message }) => message)).toEqual(['300']);

  const waits = new WaitLog();
  const steps = (verified: number) => ({ sent: 0, answered: 1, arrived: 2, verified });
  for (let block = 0; block < 8192; block++) waits.add('a', block, steps(block));
  waits.add('a', 0, steps(7)); // Once more: the others are older now.
  waits.add('b', 0, steps(8));
  expect(waits.get('a', 0)?.verified).toBe(7);
  expect(waits.get('a', 1)).toBeUndefined();
  expect(waits.get('a', 2)?.verified).toBe(2);
  expect(waits.get('b', 0)?.verified).toBe(8);
});

test('a request’s record counts what it is told, in whatever order: watching fails no fetch', () => {
  let now = 1000;
  const log = new FetchLog({ now: () => now, isAwaited: (_, block) => block === 2 });
  const all = (after = 0) => log.after(after, () => 7, 50_000);
  const range = { whole: false, start: 10, end: 90 };
  const record = log.begin({ ...range, blob: { sha256: 'a' }, kind: 'demand', since: now });
  expect(all()).toEqual([
    {
      ...{ serial: 1, blob: 7, start: 10, end: 90, kind: 'demand', sent: 51_000 },
      ...{ answered: undefined, ended: undefined, bytes: 0, blocks: 0, verifyMs: 0 },
    },
  ]);
  // Checked, and never said to have come: it took no time that is known.
  now += 5;
  record.verified(1, true);
  record.bytes(30, { whole: true, start: 10, end: 200 });
  record.arrived(2);
  now += 3;
  record.arrived(3);
  now += 2;
  record.verified(2, true);
  now += 2;
  record.verified(3, false);
  record.ended(new SluiceError('offline', 'No network'));
  const { revision } = log;
  expect(all(revision)).toEqual([]);
  const ended = {
    start: 0,
    end: 200,
    answered: 51_005,
    bytes: 30,
    blocks: 2,
    verifyMs: 7,
    failed: 'offline',
  };
  expect(all()).toMatchObject([{ ...ended, ended: 51_012 }]);
  expect(log.waits.get('a', 2)).toEqual({ sent: 1000, answered: 1005, arrived: 1005, verified: 1010 });
  // After its end.
  now += 1;
  record.arrived(4);
  record.verified(4, true);
  record.bytes(1, range);
  expect(all(revision)).toMatchObject([{ serial: 1, bytes: 31, blocks: 3, ended: 51_012 }]);
});

test('of requests the last 2,048 are remembered', () => {
  const log = new FetchLog({ now: () => 0, isAwaited: () => false });
  for (let i = 0; i < 2050; i++)
    log.begin({ blob: { sha256: 'a' }, kind: 'launch', since: i, whole: false, start: 0, end: 1 });
  const told = log.after(0, () => 0, 0);
  expect([told.length, told[0]!.serial, told.at(-1)!.serial]).toEqual([2048, 3, 2050]);
  expect(log.after(0, () => undefined, 0)).toEqual([]);
});

const record = (sha256: string, blockCount: number): BlobRecord => ({
  sha256,
  tableSha256: sha256,
  length: 1,
  tableLength: 1,
  blockCount,
});

test('runs of states are what each block’s state is, whatever is present, marked and pinned', () => {
  const random = seededRandom(5);
  const below = (n: number): number => Math.floor(random() * n);
  for (let round = 0; round < 200; round++) {
    const blobs = Array.from({ length: 1 + below(4) }, (_, i) => record(`${i}`, below(100)));
    const stored = new Map<string, Presence>();
    const marks = new BlockMarks();
    const pinned = new Set<string>();
    const truth: number[] = [];
    for (const { sha256, blockCount } of blobs) {
      if (below(2) === 0) pinned.add(sha256);
      const states: number[] = Array(blockCount).fill(blockState.missing);
      const kind = below(4);
      if (kind > 0) {
        const presence = new Presence(blockCount);
        stored.set(sha256, presence);
        if (kind === 1) presence.seal();
        else for (let i = below(blockCount + 1); i > 0; i--) presence.addRun(below(blockCount), 1);
        for (let block = 0; block < blockCount; block++)
          if (presence.has(block)) states[block] = kind === 1 ? blockState.sealed : blockState.present;
      }
      if (blockCount > 0 && below(2) === 0) {
        // The store's word is overruled first, then the highest counts.
        const lost = below(blockCount);
        marks.lost(sha256, lost);
        states[lost] = blockState.damaged;
        for (let i = below(6); i > 0; i--) {
          const first = below(blockCount);
          const end = first + 1 + below(blockCount - first);
          const state = 1 + below(4);
          marks.add(sha256, first, end, state);
          for (let block = first; block < end; block++) states[block] = Math.max(states[block]!, state);
        }
      }
      truth.push(...states.map((state) => state + (pinned.has(sha256) ? pinnedFlag : 0)));
    }
    const facts: BlockFacts = {
      stored: (sha256) => stored.get(sha256),
      isPinned: (sha256) => pinned.has(sha256),
      inMemory: false,
      others: marks,
    };
    const told = new Uint8Array(truth.length);
    readBlockRuns(blockRuns(blobs, facts), told);
    expect([...told]).toEqual(truth);
  }
});

test('what a store in memory has is told as what this loader has for its life', () => {
  const presence = new Presence(3);
  presence.add(1);
  const runs = blockRuns([record('a', 3)], {
    stored: () => presence,
    isPinned: () => false,
    inMemory: true,
    others: new BlockMarks(),
  });
  const told = new Uint8Array(3);
  readBlockRuns(runs, told);
  expect([...told]).toEqual([blockState.missing, blockState.inMemory, blockState.missing]);
});

test('a launch in figures: reads of its time only, waits once where they overlap, cut off when it was ready', () => {
  const reads = [
    { atMs: 0, waitedMs: 9 }, // Too short to be a wait.
    { atMs: 100, waitedMs: 50 },
    { atMs: 120, waitedMs: 100 },
    { atMs: 400, waitedMs: 30, failed: 'offline' },
    { atMs: 950, waitedMs: 500 }, // Still waits when it is ready, 50 ms later.
    { atMs: 1001, waitedMs: 10 }, // After it.
  ].map((read, block) => ({ path: 'p', blob: 0, block, ...read }));
  const state = {
    image: 'ab',
    bytes: { total: 10, present: 6, fetched: 5 },
    blocks: { total: 4, present: 2 },
  };
  const log = { sluice: 1 as const, image: 'ab', since: 50_000, reads };
  expect(launchMetrics(state, log, 50_000.4, 51_000.4)).toEqual({
    image: 'ab',
    readyMs: 1000,
    bytesAtReady: 6,
    bytesTotal: 10,
    bytesFetched: 5,
    blocksAtReady: 2,
    blocksTotal: 4,
    reads: 5,
    waits: 4,
    waitedMs: expect.closeTo(120 + 30 + 50.4, 3),
    longestWaitMs: 500,
    failedReads: 1,
  });
  expect(launchMetrics(state, log, 50_130, 51_000)).toMatchObject({ reads: 2, waits: 2 });
});
