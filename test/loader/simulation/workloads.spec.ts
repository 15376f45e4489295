import { expect, test } from '@playwright/test';
import type { LinkShape } from '../../../bench/link.ts';
import { seededRandom } from '../../support/random.ts';
import { type Fixture, makeSite } from '../site-fixture.ts';
import type { ModelRequest } from './link-model.ts';
import { LINKS, type Simulation, simulate } from './simulation.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const block = 64 * KiB;

let site: Fixture;

test.beforeAll(async () => {
  const apart = { launchFiles: 2, firstBlobBytes: MiB / 2 };
  site = await makeSite(
    [
      { name: 'launch', size: MiB / 2, shift: 16 },
      { name: 'small', size: 40 * KiB, shift: 12 },
      { name: 'large', size: 4 * MiB, shift: 16 },
      { name: 'tail', size: 300 * KiB, shift: 14 },
    ],
    2 * MiB,
    1,
    apart,
  );
});

const recordOf = (sha256: string) => site.blobs.find(({ record }) => record.sha256 === sha256)!.record;

/** A reader's next range. */
type Habit = (random: () => number, size: number, last: number) => readonly [start: number, end: number];

const habits: readonly Habit[] = [
  // Anywhere, a little.
  (random, size) => {
    const start = Math.floor(random() * size);
    return [start, Math.min(size, start + 1 + Math.floor(random() * block))];
  },
  // In order.
  (random, size, last) => [last % size, Math.min(size, (last % size) + 1 + Math.floor(random() * 2 * block))],
  // Much at once.
  (random, size) => {
    const start = Math.floor(random() * size);
    return [start, Math.min(size, start + 6 * block)];
  },
];
/** No reader asks for more at once. */
const mostRead = 6 * block + 2 * block;

async function readOn(
  { clock, read }: Simulation,
  random: () => number,
  { reads, withdraws = 0 }: { readonly reads: number; readonly withdraws?: number },
): Promise<number[]> {
  const habit = habits[Math.floor(random() * habits.length)]!;
  const names = [...site.files.keys()];
  const waits: number[] = [];
  let last = 0;
  for (let i = 0; i < reads; i++) {
    const name = names[Math.floor(random() * names.length)]!;
    const [start, end] = habit(random, site.files.get(name)!.length, last);
    last = end;
    const abort = new AbortController();
    const gone = random() < withdraws;
    if (gone) clock.after(random() * 300, () => abort.abort(new Error('gone')));
    try {
      waits.push(await read(name, start, end, abort.signal));
    } catch (error) {
      if (!gone || (error as Error).message !== 'gone') throw error;
    }
    await clock.sleep(random() * 200);
  }
  return waits;
}

/** Whether the block that the request was late for lies in it, or is here. */
function isServed({ link, engine, mount }: Simulation, request: ModelRequest): boolean {
  const flying = [...link.requests.filter(({ endedAt }) => endedAt === undefined), request];
  return engine.pendingReads(mount).every(({ block: { blob, index } }) => {
    const state = mount.blob(blob)!;
    const range = state.table?.stored(index);
    if (state.isHere(index)) return true;
    // Without the table, nobody can tell yet; it comes first.
    if (!range) return flying.some(({ sha256 }) => sha256 === state.sha256);
    return flying.some(
      ({ sha256, start, end }) => sha256 === state.sha256 && start < range.end && range.start < end,
    );
  });
}

/** Links and seeds, a few of each: the workloads differ by both. */
const runs: readonly (readonly [name: string, shape: LinkShape, seed: number])[] = Object.entries(
  LINKS,
).flatMap(([name, shape]) => [1, 2, 3].map((seed) => [name, shape, seed] as const));

for (const [name, shape, seed] of runs) {
  test(`random readers: served in time, in the order of classes, nothing twice, and all is here soon after (${name}, ${seed})`, () =>
    simulate(site, shape, async (simulation) => {
      const { clock, link, engine, mount, complete } = simulation;
      const random = seededRandom(seed);
      const early: ModelRequest[] = [];
      link.onRequest = (request) => {
        if (request.priority === 'low' && !isServed(simulation, request)) early.push(request);
      };
      engine.complete(mount);
      const readers = 4;
      const waits = await Promise.all(
        Array.from({ length: readers }, () =>
          readOn(simulation, seededRandom(random() * 1e9), { reads: 20 }),
        ),
      );
      // Each waits at most for what all of them want, twice over, and three round trips: connection, table, block.
      const bound = 2 * (link.idleMs(readers * mostRead) - shape.rttMs) + 3 * shape.rttMs + 150;
      expect(Math.max(...waits.flat())).toBeLessThan(bound);
      expect(early, 'nothing for later is asked for before what somebody waits for').toEqual([]);
      const since = clock.now();
      await complete;
      const total = site.blobs.reduce((sum, { record }) => sum + record.length, 0);
      expect(clock.now() - since).toBeLessThan(1000 + link.idleMs(total) * 1.1 + 4 * shape.rttMs);
      expect(link.takenTwice).toBe(0);
      expect(Math.round(link.sentBytes), 'every byte crosses the link once').toBe(total);
    }));
}

for (const [name, shape] of Object.entries(LINKS)) {
  test(`readers that give up cost what was on its way then, and no more (${name})`, () =>
    simulate(site, shape, async (simulation) => {
      const { link, engine, mount, complete } = simulation;
      const random = seededRandom(9);
      await Promise.all(
        Array.from({ length: 4 }, () =>
          readOn(simulation, seededRandom(random() * 1e9), { reads: 15, withdraws: 0.5 }),
        ),
      );
      engine.complete(mount);
      await complete;
      const aborted = link.requests.filter(({ start, end, received }) => received < end - start).length;
      expect(aborted, 'what nobody waits for is ended').toBeGreaterThan(0);
      // Of a block that was cut in two, the first part is kept until another one of its blob is.
      expect(link.takenTwice).toBeLessThanOrEqual(aborted * block);
      const total = site.blobs.reduce((sum, { record }) => sum + record.length, 0);
      // The link goes on for half a round trip, and what it has sent by then arrives; a lump more, since a turn is not cut.
      const bytesPerMs = (shape.mbitPerSecond * 1e6) / 8 / 1000;
      const thrownAway = bytesPerMs * (shape.rttMs + 4) + 4096;
      expect(link.sentBytes - total).toBeLessThan(aborted * (thrownAway + block) + 1);
    }));

  test(`readers as long as anything is missing starve none of them (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, read, complete }) => {
      engine.complete(mount);
      const random = seededRandom(4);
      const places = Array.from({ length: 64 }, (_, i) => i * block).toSorted(() => random() - 0.5);
      let longest = 0;
      const reader = async (): Promise<void> => {
        for (let at = places.pop(); at !== undefined; at = places.pop()) {
          longest = Math.max(longest, await read('large', at, at + block));
          await clock.sleep(5);
        }
      };
      const readers = 12;
      await Promise.all(Array.from({ length: readers }, reader));
      expect(longest).toBeLessThan(2 * (link.idleMs(readers * block) - shape.rttMs) + 3 * shape.rttMs + 150);
      await complete;
      expect(link.takenTwice).toBe(0);
    }));

  test(`order: readers, then the launch set, then what follows in the image (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, complete, read }) => {
      engine.complete(mount);
      await clock.sleep(1);
      const waiting = read('tail', 0, 10);
      await complete;
      await waiting;
      // Tables come by themselves, a blob before their blocks.
      const order = link.requests
        .filter(({ priority, sha256, end }) => priority === 'low' && end > recordOf(sha256).tableLength)
        .map(({ sha256 }) => site.blobs.findIndex(({ record }) => record.sha256 === sha256));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(link.requests.some(({ priority }) => priority === 'high')).toBe(true);
    }));

  test(`a file that is read in order by ranges costs a few round trips (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, read }) => {
      const bytes = 2 * MiB;
      engine.complete(mount);
      await read('large', 3 * MiB, 3 * MiB + 1);
      const begin = clock.now();
      const asked = link.requests.length;
      for (let at = MiB / 2; at < MiB / 2 + bytes; at += block) {
        await read('large', at, at + block);
        await clock.sleep(5);
      }
      const ms = clock.now() - begin;
      const oneByOne = (bytes / block) * (link.idleMs(block) + 5);
      const atBest = Math.max(link.idleMs(bytes), (bytes / block) * 5);
      expect(ms).toBeLessThan(atBest * 1.1 + 7 * shape.rttMs);
      expect(ms).toBeLessThan(oneByOne * 0.7);
      expect(link.requests.length - asked).toBeLessThan(bytes / block / 2 + 4);
    }));

  test(`blocks that are wanted in one go share requests (${name})`, () =>
    simulate(site, shape, async ({ link, engine, mount, read }) => {
      await Promise.all([read('large', 0, 1), read('large', 4 * MiB - 1)]);
      const asked = link.requests.length;
      const spans = [...mount.tree.mapRange(mount.tree.lookup('large')!, MiB / 4, MiB)];
      expect(new Set(spans.map(({ blob }) => blob)).size).toBe(1);
      await Promise.all(
        spans.map(({ blob, block: index }) =>
          engine.read(mount, { blob, block: index, path: 'large', timeoutMs: 60_000 }),
        ),
      );
      expect(spans.length).toBe(12);
      expect(link.requests.length - asked).toBe(1);
    }));

  // The fast link brings all of this image in a second: it is not worth to be lazy there.
  if (name === 'fast') continue;

  test(`a file that is read at random costs what is read, and no byte more (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, read }) => {
      engine.complete(mount);
      await clock.sleep(1);
      const reads = 30;
      for (let i = 0; i < reads; i++) {
        const at = ((i * 23) % 64) * block;
        await read('large', at, at + 1);
        await clock.sleep(5);
      }
      const asked = link.requests.reduce((sum, { start, end }) => sum + end - start, 0);
      const tables = site.blobs.reduce((sum, { record }) => sum + record.tableLength, 0);
      expect(asked).toBeLessThanOrEqual(mount.image.launchSet!.bytes + tables + reads * block);
    }));
}
