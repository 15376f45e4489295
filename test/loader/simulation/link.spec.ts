import { expect, test } from '@playwright/test';
import { planLimits } from '../../../src/loader/plan-limits.ts';
import { seededRandom } from '../../support/random.ts';
import { type Fixture, makeSite } from '../site-fixture.ts';
import { LINKS, simulate } from './simulation.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const block = 64 * KiB;
/** Blocks of the launch set. */
const launchBlocks = 32;

let site: Fixture;

test.beforeAll(async () => {
  // More than is fetched eagerly on any of these links.
  site = await makeSite(
    [
      { name: 'launch', size: launchBlocks * block, shift: 16 },
      { name: 'rest', size: 7 * MiB, shift: 16 },
    ],
    4 * MiB,
    1,
    // As a build makes it: the first blob comes whole.
    { launchFiles: 1, firstBlobBytes: MiB - block },
  );
});

for (const [name, shape] of Object.entries(LINKS)) {
  const total = (): number => site.blobs.reduce((sum, { record }) => sum + record.length, 0);

  test(`utilisation: the link is full while anything is missing (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, complete }) => {
      engine.complete(mount);
      await complete;
      // From when the link was measured and has its connections.
      const from = link.requests[2]!.firstAt!;
      expect(link.utilisation(from, clock.now() - link.idleMs(0) / 2)).toBeGreaterThan(0.95);
      expect(link.takenTwice).toBe(0);
      // Coalescing: as few requests as requests of that length can be, but for the ends of blobs.
      const perRequest = Math.max(
        block,
        (shape.mbitPerSecond / 8) * 1000 * (planLimits.requestMs.background / 2),
      );
      expect(link.requests.length).toBeLessThan(total() / perRequest + 4 * site.blobs.length);
    }));

  test(`the launch set comes as one stream, beside readers who compute and read on (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, read }) => {
      engine.complete(mount);
      // The boot page is there before the app.
      await clock.sleep(1);
      for (let i = 0; i < launchBlocks; i++) {
        // Not quite in the file's order: it is not readahead that helps.
        const at = (i ^ 1) * block;
        await read('launch', at, at + block);
        // Never calm.
        await clock.sleep(10);
      }
      const readyMs = clock.now();
      const bytes = launchBlocks * block;
      expect(readyMs).toBeLessThan(
        Math.max(link.idleMs(bytes) * 1.1, launchBlocks * 10) + 4 * shape.rttMs + 20,
      );
      expect(link.requests.filter(({ priority }) => priority === 'high').length).toBe(0);
      expect(link.takenTwice).toBe(0);
    }));

  test(`a reader while the background fills the link waits hardly longer than on an idle one (${name})`, () =>
    simulate(site, shape, async ({ clock, link, engine, mount, read, complete }) => {
      const random = seededRandom(3);
      engine.complete(mount);
      let over = false;
      void complete.then(() => {
        over = true;
      });
      const waits: number[] = [];
      // The tables, without which nobody knows where a block is.
      await Promise.all([read('launch', 0, 1), read('rest', 0, 1), read('rest', 7 * MiB - 1)]);
      while (!over) {
        // From the end: the background comes there last.
        const at = Math.floor(random() * 100) * block;
        const waited = await read('rest', at, at + block);
        if (waited > 0) waits.push(waited);
        // Long enough for the background to come back, and to be somewhere in its requests.
        await clock.sleep(1050 + random() * 400);
      }
      if (name === 'slow') expect(waits.length).toBeGreaterThan(10);
      const bound = link.idleMs(block) + 150 + shape.rttMs;
      expect(Math.max(...waits)).toBeLessThan(bound);
      expect(link.takenTwice).toBe(0);
    }));
}
