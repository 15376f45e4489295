import { expect, test } from '@playwright/test';
import type { LocalService } from '../../src/loader/local-service.ts';
import type { LocalServiceOptions } from '../../src/loader/local-service-options.ts';
import { withDeadline } from '../../src/protocol/deadline.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';
import { FlakyDirectory } from './flaky-directory.ts';
import { startLeader } from './leader.ts';
import { inSteps, ManualClock } from './manual-clock.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

let site: Fixture;
test.beforeAll(async () => {
  site = await makeSite([{ name: 'index.html', size: 3000, shift: 14 }], 128 * 1024);
});

interface Rig {
  readonly clock: ManualClock;
  readonly told: string[];
  start(directory: LocalServiceOptions['directory']): Promise<LocalService>;
  storage(service: LocalService): Promise<string>;
}

async function withLeaders(run: (rig: Rig) => Promise<void>): Promise<void> {
  const published = await tempDir('return-site');
  await site.write(published.path);
  const origin = await Origin.start({ mounts: { '/': published.path } });
  const clock = new ManualClock();
  const told: string[] = [];
  const services: LocalService[] = [];
  try {
    await run({
      clock,
      told,
      start: async (directory) => {
        const scope = `${origin.url}/`;
        const onStore = (what: string): void => void told.push(what);
        const service = await startLeader({ directory, scope, clock, random: () => 0.5, onStore });
        services.push(service);
        const release = { image: site.image, bytes: site.bootstrap.length };
        await service.open({ loader: 'tab', release, background: false });
        return service;
      },
      storage: async (service) => (await service.state(site.image)).loader.storage,
    });
  } finally {
    for (const service of services) await service.close();
    await origin.stop();
    await published.remove();
  }
}

/** A store with a journal, of which somebody holds a file. */
async function heldStore(): Promise<{ directory: MemoryDirectory; release: () => void }> {
  const directory = new MemoryDirectory();
  await (await BlockStore.open(directory)).close();
  const held = await directory.open('journal-b');
  return { directory, release: () => held.close() };
}

/** Advances until the work has ended, or the time is over. */
async function passing<T>(clock: ManualClock, ms: number, work: Promise<T>): Promise<T> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  work.then(end, end);
  const until = clock.now() + ms;
  while (!ended && clock.now() < until) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return withDeadline('what was to end', work, 10_000);
}

test('somebody is still about to let go of the store: its next leader waits for that', () =>
  withLeaders(async ({ clock, start, storage }) => {
    const { directory, release } = await heldStore();
    clock.after(8000, release);
    const service = await passing(clock, 9000, start(directory));
    expect(clock.now()).toBeGreaterThanOrEqual(8000);
    expect(await storage(service)).toBe('opfs');
  }));

test('an empty journal that is busy is not waited for: all is in memory at once', () =>
  withLeaders(async ({ clock, start, storage }) => {
    const directory = new MemoryDirectory();
    await directory.open('journal-a', { create: true });
    const service = await start(directory);
    expect(clock.now()).toBe(0);
    expect(await storage(service)).toBe('memory');
  }));

test('a store that could not be opened and can be now: looked for after 2, 4, 8 … 60 s, then its leader ends', () =>
  withLeaders(async ({ clock, told, start, storage }) => {
    const directory = new FlakyDirectory();
    let opened: number[] = [];
    directory.fails = (operation, path) => {
      if (operation !== 'open' || path !== 'journal-a') return undefined;
      opened.push(clock.now());
      return 'unreadable';
    };
    const service = await start(directory);
    expect(await storage(service)).toBe('memory');
    expect((await service.state(site.image)).loader.lastError?.code).toBe('unreadable');
    const { signal } = new AbortController();
    expect((await service.read(site.image, 'index.html', 0, 3000, 10_000, signal)).length).toBe(3000);
    opened = [];
    await inSteps(clock, 200_000);
    expect(opened.map((at) => at / 1000)).toEqual([2, 6, 14, 30, 62, 122, 182]);
    directory.fails = () => undefined;
    expect(told).toEqual([]);
    clock.advance(60_000);
    await expect.poll(() => told).toEqual(['back']);
    // For the next leader to open.
    await (await BlockStore.open(directory)).close();
    clock.advance(3_600_000);
    expect(told).toEqual(['back']);
  }));

test('a leader in memory that has made files at run time stays, and one that is closed tells nothing', () =>
  withLeaders(async ({ clock, told, start }) => {
    const [one, two] = [await heldStore(), await heldStore()];
    const makes = await passing(clock, 11_000, start(one.directory));
    const closes = await passing(clock, 11_000, start(two.directory));
    await makes.changeTree(site.image, { type: 'mkdir', path: 'made', recursive: false }, 'ab'.repeat(32));
    one.release();
    two.release();
    // Both look, and one is closed meanwhile.
    clock.advance(2000);
    await closes.close();
    await inSteps(clock, 130_000);
    expect(told).toEqual([]);
  }));

test('a store of a newer release is not looked at again', () =>
  withLeaders(async ({ clock, told, start, storage }) => {
    const directory = new FlakyDirectory();
    directory.fails = (operation) => (operation === 'open' ? 'store-too-new' : undefined);
    const service = await start(directory);
    expect(await storage(service)).toBe('memory');
    directory.fails = () => undefined;
    await inSteps(clock, 130_000);
    expect(told).toEqual([]);
  }));
