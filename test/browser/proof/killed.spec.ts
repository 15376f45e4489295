import type { Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import type { SluiceState } from '../../../src/protocol/state.ts';
import type { StoreReader } from '../../../src/store/store-reader.ts';
import { expect, test } from '../../support/browser.ts';
import { type LoggedRequest, Origin } from '../../support/origin.ts';
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
/** A kill comes so many milliseconds after the navigation began, which may be before the page is there; each second one, after the app was there. */
const moments = { navigation: [100, 3000], mount: [0, 1500] } as const;
const bytesPerSecond = (long ? 0.9 : 1.2) * MB;
const large = Array.from({ length: long ? 15 : 2 }, (_, i) => (i % 3 === 0 ? 8 : 4) * MB);

test(`SIGKILL at ${kills} moments of loading: nothing journaled is lost, or fetched again`, async ({
  profile,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'where a browser keeps OPFS on disk is known of Chromium only');
  if (long) test.setTimeout(20 * 60_000);
  const app = proofApp(mixedFiles(11, { count: 40, large }));
  await using site = await smallSite(app.files, { level: 3, blobSize: 2 * MB });
  const published = await Published.open(site);
  let throttled = true;
  const last = (await site.blobs()).at(-1)!;
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => {
      if (!throttled || !path.endsWith('.bin')) return undefined;
      // The image is loading at the last kill, too, however long the lives before it were.
      return path.endsWith(last) ? { type: 'hang' } : { type: 'throttle', bytesPerSecond };
    },
  });

  const random = seededRandom(seed);
  const figures: {
    from: keyof typeof moments;
    killedAfterMs: number;
    mountedAfterMs: number | undefined;
    journaled: number;
  }[] = [];
  let store: StoreReader | undefined;
  for (let kill = 0; kill < kills; kill++) {
    const context = await profile.launch();
    const page = context.pages()[0] ?? (await context.newPage());
    origin.reset();
    const from = kill % 2 === 0 ? 'navigation' : 'mount';
    const [first, end] = moments[from];
    const killedAfterMs = Math.round(first + random() * (end - first));
    const life = await liveFor(page, `${origin.url}/`, { from, ms: killedAfterMs }, () => profile.kill());
    checkMount(published, store, life.state);
    checkRequests(published, store, origin);
    const after = await killedStore(profile.dir);
    if (store) expect(lost(published, store, after), `lost by kill ${kill}`).toEqual([]);
    store = after;
    figures.push({
      from,
      killedAfterMs,
      mountedAfterMs: life.mountedAfterMs,
      // A kill may come before there is a store.
      journaled: store ? present(published, store) : 0,
    });
  }
  const total = present(published);
  const whileLoading = figures.filter(({ journaled }) => journaled < total).length;
  console.log(
    `killed: ${JSON.stringify({ kills, seed, storedBytes: site.storedBytes, total, whileLoading, figures })}`,
  );
  expect(whileLoading).toBe(kills);
  expect(figures.at(-1)!.journaled).toBeGreaterThan(0);

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

/** A launch that is killed `ms` after its navigation began, or after the app was there. */
async function liveFor(
  page: Page,
  url: string,
  { from, ms }: { readonly from: keyof typeof moments; readonly ms: number },
  kill: () => Promise<void>,
): Promise<Life> {
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
  if (from === 'mount') await life;
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

/**
 * What a life asked of the server was not in the journal when it began. (A boot page's markup knows of no journal. There is one as long as the browser was killed
 * before it had the service worker.)
 */
function checkRequests(published: Published, store: StoreReader | undefined, origin: Origin): void {
  if (!store) return;
  const again: string[] = [];
  const byMarkup = ({ headers }: LoggedRequest): boolean =>
    !/\/(loader|sw)\.js$/.test(String(headers.referer));
  const asked = origin.requests((request) => !byMarkup(request));
  for (const fetched of fetchedRanges(asked, 'asked')) {
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
