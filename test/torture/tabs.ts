import { ShapedLink } from '../../bench/link.ts';
import type { Sluice } from '../../src/client/index.ts';
import { mixedFiles, type ProofApp, proofApp } from '../browser/proof/proof-app.ts';
import { Published } from '../browser/proof/published.ts';
import { storedBlobs } from '../browser/proof/stored-blobs.ts';
import { type SmallSite, smallSite } from '../browser/small-site.ts';
import { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { seededRandom } from '../support/random.ts';
import { type BlockFetches, blockFetches } from './block-fetches.ts';
import { type SteadyReaderOptions, type SteadyReads, stopReading, takeReads } from './steady-reader.ts';
import { type Ending, endings, Tab } from './tab.ts';

declare const window: Window & { sluice: Sluice };

export interface TabsOptions {
  readonly seed: number;
  /** Over two apps of one origin, by turns. */
  readonly tabs: number;
  readonly ms: number;
  readonly killEveryMs: number;
  readonly mbitPerSecond: number;
  /** Of each app. */
  readonly appBytes: number;
}

export interface TabsFigures {
  readonly seed: number;
  readonly reads: number;
  readonly bytes: number;
  readonly wrong: readonly string[];
  /** By the browser, as a crash of a service worker's process breaks off what it answers. */
  readonly brokenOff: number;
  readonly kills: Readonly<Record<Ending, number>>;
  readonly medianMs: number;
  /** 99 of 100 reads took no longer. */
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Reads that took longer than two seconds. */
  readonly over2s: number;
  readonly fetches: BlockFetches;
  /** Local blobs whose bytes are not those that their names say. */
  readonly badBlobs: readonly string[];
}

const MB = 2 ** 20;
const rttMs = 20;
const readDeadlineMs = 30_000;

/**
 * Tabs of two apps on one origin read at random while the images are loading, and every few seconds the loader that leads one of the apps goes
 * without a word: its tab is closed, its process crashes, or its worker ends. What is gone is opened again. In the end both images are completed,
 * and everything that crossed the link is counted.
 */
export async function tortureTabs(options: TabsOptions): Promise<TabsFigures> {
  const { seed, tabs: count, ms, killEveryMs, mbitPerSecond } = options;
  const random = seededRandom(seed);
  const apps = [1, 2].map((app) => appOf(seed * 10 + app, options.appBytes));
  await using sites = await buildAll(apps);
  await using origin = await Origin.start({
    mounts: { '/one/': sites.of[0]!.dir, '/two/': sites.of[1]!.dir },
  });
  await using link = await ShapedLink.start({ shape: { mbitPerSecond, rttMs }, targetPort: origin.port });
  const urls = [`${link.url}/one/`, `${link.url}/two/`];
  const profile = await BrowserProfile.create();
  try {
    const context = await profile.launch();
    let readerSeed = seed;
    const open = (app: number): Promise<Tab> =>
      Tab.open(context, app, urls[app]!, readersOf(apps[app]!, ++readerSeed));
    const tabs = await Promise.all(Array.from({ length: count }, (_, i) => open(i % 2)));
    const all: SteadyReads[] = [];
    const kills: Record<Ending, number> = { close: 0, crash: 0, worker: 0 };
    const endAt = performance.now() + ms;
    for (let next = performance.now() + killEveryMs; next < endAt; next += killEveryMs) {
      await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
      const app = random() < 0.5 ? 0 : 1;
      const ending = endings[Math.floor(random() * endings.length)]!;
      const at = await leaderOf(tabs, app);
      if (at < 0) continue; // Nobody leads yet since the last one went.
      const leader = tabs[at]!;
      // What has been read so far goes with the page.
      all.push(await takeReads(leader.page));
      if (!(await leader.end(ending))) tabs[at] = await open(app);
      kills[ending] += 1;
    }
    for (const { page } of tabs) all.push(await stopReading(page));
    await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
    for (const tab of tabs.slice(0, 2)) await tab.page.evaluate(() => window.sluice.whenComplete());
    const blobs = await storedBlobs(tabs[0]!.page);
    const published = await Promise.all(sites.of.map((site) => Published.open(site)));
    const names = published.flatMap(({ tables }) => [...tables.keys()]);
    const times = all.flatMap((reads) => reads.times).sort((a, b) => a - b);
    return {
      seed,
      reads: times.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      wrong: all.flatMap(({ wrong }) => wrong),
      brokenOff: all.reduce((sum, { brokenOff }) => sum + brokenOff, 0),
      kills,
      medianMs: times[times.length >> 1] ?? 0,
      p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
      longestMs: times.at(-1) ?? 0,
      over2s: times.filter((took) => took > 2000).length,
      fetches: blockFetches(published, (await link.log()).exchanges),
      badBlobs: names.filter((name) => blobs[name] !== name),
    };
  } finally {
    await profile.remove();
  }
}

function appOf(seed: number, bytes: number): ProofApp {
  const large = Array.from({ length: Math.max(1, Math.round(bytes / (8 * MB))) }, () => 8 * MB);
  return proofApp(mixedFiles(seed, { count: 40, large }));
}

async function buildAll(apps: readonly ProofApp[]): Promise<{ of: SmallSite[] } & AsyncDisposable> {
  const sites: SmallSite[] = [];
  for (const { files } of apps) sites.push(await smallSite(files, { level: 3 }));
  return {
    of: sites,
    [Symbol.asyncDispose]: async () => {
      for (const site of sites) await site[Symbol.asyncDispose]();
    },
  };
}

function readersOf({ seeded }: ProofApp, seed: number): SteadyReaderOptions {
  return { files: seeded, seed, readers: 2, pauseMs: 400, deadlineMs: readDeadlineMs };
}

async function leaderOf(tabs: readonly Tab[], app: number): Promise<number> {
  const leads = await Promise.all(tabs.map((tab) => tab.app === app && tab.leads()));
  return leads.indexOf(true);
}
