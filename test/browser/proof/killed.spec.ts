import type { Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import type { SluiceState } from '../../../src/protocol/state.ts';
import type { StoreReader } from '../../../src/store/store-reader.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { seededRandom } from '../../support/random.ts';
import { smallSite } from '../small-site.ts';
import { killedStore } from './killed-store.ts';
import { mixedFiles, proofApp } from './proof-app.ts';
import { fetchedRanges, Published } from './published.ts';
import { wrongFiles } from './readers.ts';
import { storedBlobs } from './stored-blobs.ts';

declare const window: Window & { sluice?: Sluice };

/**
 * SLUICE_LONG=1 kills the browser 50 times over a larger image (four minutes) instead of 6 times. SLUICE_SEED is the seed of the moments (default 1).
 */
const long = process.env.SLUICE_LONG === '1';
const kills = long ? 50 : 6;
const seed = Number(process.env.SLUICE_SEED ?? 1);

const MB = 2 ** 20;
/** From the start of the navigation to the kill, in milliseconds: from before the page is there until well into loading. */
const moments = { first: 100, last: 3000 };
/** So that the image is still loading at the last kill. */
const bytesPerSecond = (long ? 0.9 : 1.2) * MB;
const large = Array.from({ length: long ? 15 : 2 }, (_, i) => (i % 3 === 0 ? 8 : 4) * MB);

test(`SIGKILL at ${kills} moments of loading: nothing journaled is lost, or fetched again`, async ({
  profile,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'where a browser keeps OPFS on disk is known of Chromium only');
  test.setTimeout(long ? 20 * 60_000 : 120_000);
  const app = proofApp(mixedFiles(11, { count: 40, large }));
  await using site = await smallSite(app.files, { level: 3, blobSize: 2 * MB });
  const published = await Published.open(site);
  let throttled = true;
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) =>
      throttled && path.endsWith('.bin') ? { type: 'throttle', bytesPerSecond } : undefined,
  });

  const random = seededRandom(seed);
  const figures: { killedAfterMs: number; mountedAfterMs: number | undefined; journaled: number }[] = [];
  let store: StoreReader | undefined;
  for (let kill = 0; kill < kills; kill++) {
    const context = await profile.launch();
    const page = context.pages()[0] ?? (await context.newPage());
    origin.reset();
    const killedAfterMs = Math.round(moments.first + random() * (moments.last - moments.first));
    const life = await liveFor(page, `${origin.url}/`, killedAfterMs, () => profile.kill());
    checkMount(published, store, life.state);
    checkRequests(published, store, origin);
    const after = await killedStore(profile.dir);
    if (store) expect(lost(published, store, after), `lost by kill ${kill}`).toEqual([]);
    store = after;
    figures.push({
      killedAfterMs,
      mountedAfterMs: life.mountedAfterMs,
      journaled: present(published, store),
    });
  }
  const total = present(published);
  const whileLoading = figures.filter(({ journaled }) => journaled < total).length;
  console.log(
    `killed: ${JSON.stringify({ kills, seed, storedBytes: site.storedBytes, total, whileLoading, figures })}`,
  );
  expect(whileLoading).toBeGreaterThanOrEqual(kills * 0.8);
  expect(figures.filter(({ mountedAfterMs }) => mountedAfterMs !== undefined).length).toBeGreaterThan(
    kills / 3,
  );

  throttled = false;
  const context = await profile.launch();
  const page = context.pages()[0] ?? (await context.newPage());
  origin.reset();
  await page.goto(`${origin.url}/`);
  await page.waitForFunction(() => window.sluice !== undefined);
  checkMount(published, store, await page.evaluate(() => window.sluice!.state()));
  await page.evaluate(() => window.sluice!.whenComplete());
  checkRequests(published, store, origin);
  const names = [...published.tables.keys()];
  expect(await storedBlobs(page)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  origin.reset();
  expect(await wrongFiles(page, app.seeded)).toEqual([]);
  expect(origin.requests(/\.bin$/)).toEqual([]);
});

interface Life {
  /** What the app's page said as soon as it could; undefined when the kill came first. */
  readonly state: SluiceState | undefined;
  readonly mountedAfterMs: number | undefined;
}

/** A launch that is killed `ms` after its navigation began. */
async function liveFor(page: Page, url: string, ms: number, kill: () => Promise<void>): Promise<Life> {
  const startedAt = performance.now();
  let killed = false;
  const mount = async (): Promise<Life> => {
    try {
      await page.goto(url, { waitUntil: 'commit' });
      await page.waitForFunction(() => window.sluice !== undefined);
      const state = await page.evaluate(() => window.sluice!.state());
      return { state, mountedAfterMs: Math.round(performance.now() - startedAt) };
    } catch (error) {
      if (killed) return { state: undefined, mountedAfterMs: undefined };
      throw error;
    }
  };
  const life = mount();
  life.catch(() => {}); // Awaited below, after the kill.
  await new Promise((resolve) => setTimeout(resolve, ms));
  killed = true;
  await kill();
  return life;
}

function checkMount(
  published: Published,
  store: StoreReader | undefined,
  state: SluiceState | undefined,
): void {
  if (!state) return;
  expect(state.loader.storage).toBe('opfs');
  expect(state.loader.lastError).toBeUndefined();
  expect(state.blocks.present).toBeGreaterThanOrEqual(store ? present(published, store) : 0);
}

/** What a life asked of the server was not in the journal when it began. */
function checkRequests(published: Published, store: StoreReader | undefined, origin: Origin): void {
  if (!store) return;
  const again: string[] = [];
  for (const fetched of fetchedRanges(origin.log, 'asked')) {
    if (store.images().includes(fetched.sha256)) again.push(`bootstrap ${fetched.sha256}`);
    for (const block of published.blocksOf(fetched)) {
      const here = block < 0 ? store.hasTable(fetched.sha256) : store.has(fetched.sha256, block);
      if (here) again.push(`${fetched.sha256} block ${block} of ${fetched.start}-${fetched.end}`);
    }
  }
  expect(again).toEqual([]);
}

/** Blocks that `before` has and `after` has not. */
function lost(published: Published, before: StoreReader, after: StoreReader | undefined): string[] {
  const found: string[] = [];
  for (const [sha256, table] of published.tables) {
    if (before.sealed(sha256) && !after?.sealed(sha256)) found.push(`${sha256} sealed`);
    for (let block = 0; block < table.count; block++) {
      if (before.has(sha256, block) && !after?.has(sha256, block)) found.push(`${sha256} ${block}`);
    }
  }
  return found;
}

/** Blocks of the image that are in the store; without one, how many there are. */
function present(published: Published, store?: StoreReader): number {
  let count = 0;
  for (const [sha256, table] of published.tables) {
    for (let block = 0; block < table.count; block++) if (!store || store.has(sha256, block)) count += 1;
  }
  return count;
}
