import { QuietPage } from '../../bench/quiet-page.ts';
import type { mount as Mount, Sluice } from '../../src/client/index.ts';
import { mixedFiles, proofApp } from '../browser/proof/proof-app.ts';
import { smallSite } from '../browser/small-site.ts';
import { Origin } from '../support/origin.ts';
import { type ProcessUsage, processUsage } from '../support/process-usage.ts';
import { textRoutes } from '../support/routes.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startReading, stopReading } from './steady-reader.ts';

declare const window: Window & { readonly sluice: Sluice; mount: typeof Mount };

export interface SoakOptions {
  readonly seed: number;
  readonly cycles: number;
  /** How often it is looked at what is held. */
  readonly looks: number;
}

/** What is held after so many cycles. */
export interface SoakLook extends ProcessUsage {
  readonly cycles: number;
  /** Bytes of the two pages' heaps, after a collection. */
  readonly heap: number;
  readonly locks: number;
}

export interface SoakFigures {
  readonly looks: readonly SoakLook[];
  readonly wrong: readonly string[];
  readonly elapsedMs: number;
}

const MB = 2 ** 20;
/** The import is here: a bundler would make something of its own of one within a function. */
const plainPage = `<title>plain</title><script type="module">import { mount } from '/lib/index.js'; window.mount = mount;</script>`;

/**
 * Mounts, reads, evicts and unmounts an image again and again in one page, while the app itself is open in another tab, whose loader leads and whose service worker
 * answers its reads. Nothing that a cycle takes may stay behind.
 */
export async function soak({ seed, cycles, looks: count }: SoakOptions): Promise<SoakFigures> {
  const app = proofApp(mixedFiles(seed, { count: 10, large: [2 * MB] }));
  await using site = await smallSite(app.files, { level: 3, blobSize: MB / 2 });
  await using origin = await Origin.start({
    mounts: { '/site/': site.dir, '/lib/': 'dist/lib' },
    routes: textRoutes({ '/': ['text/html', plainPage] }),
  });
  const profile = await tempDir('soak');
  const startedAt = performance.now();
  // Nobody watches: a test driver has the browser keep what comes over the network, which looks like a leak.
  const appPage = await QuietPage.launch(profile.path);
  try {
    await appPage.goto(`${origin.url}/site/`);
    await until(() => appPage.evaluate(() => document.documentElement?.dataset.app === 'runs'));
    const page = await appPage.another();
    await page.goto(`${origin.url}/`); // A page of the origin that is no app.
    await until(() => page.evaluate(() => window.mount !== undefined));
    const paths = app.seeded.map(({ path }) => path);
    const wrong: string[] = [];
    const looks: SoakLook[] = [];
    for (let look = 0; look < count; look++) {
      const from = Math.round((cycles * look) / count);
      const to = Math.round((cycles * (look + 1)) / count);
      for (let cycle = from; cycle < to; cycle++) await oneCycle(page, appPage, paths, seed + cycle);
      await startReading(appPage, {
        files: app.seeded,
        seed: to,
        readers: 4,
        pauseMs: 5,
        deadlineMs: 20_000,
      });
      const read = await stopReading(appPage);
      wrong.push(...read.wrong.map((words) => `after ${to} cycles: ${words}`));
      // What is let go of is gone when its worker is, which a busy browser ends when it can. What stays is counted.
      const most = looks[0]?.locks ?? Number.POSITIVE_INFINITY;
      await until(async () => (await locksOf(page)) <= most).catch(() => {});
      looks.push({
        cycles: to,
        heap: await heapOf([page, appPage]),
        locks: await locksOf(page),
        ...(await processUsage(profile.path)),
      });
      origin.reset();
    }
    return { looks, wrong, elapsedMs: performance.now() - startedAt };
  } finally {
    await appPage.close();
    await profile.remove();
  }
}

/** The app reads at the same time, so that what is evicted is wanted again. */
async function oneCycle(
  page: QuietPage,
  appPage: QuietPage,
  paths: readonly string[],
  seed: number,
): Promise<void> {
  const chosen = Array.from({ length: 4 }, (_, i) => paths[(seed * 7 + i * 5) % paths.length]!);
  await Promise.all([
    page.evaluate(async (chosen) => {
      const image = await window.mount('/site/', { background: false });
      for (const path of chosen) await image.readFile(path);
      await image.evict();
      await image.close();
    }, chosen),
    appPage.evaluate(
      async (urls) => {
        for (const url of urls) await (await fetch(url)).arrayBuffer();
      },
      chosen.map((path) => `/site/${path.split('/').map(encodeURIComponent).join('/')}`),
    ),
  ]);
}

async function heapOf(pages: readonly QuietPage[]): Promise<number> {
  let heap = 0;
  for (const page of pages) {
    // The browser keeps an entry for each of the first 250 requests.
    await page.evaluate(() => performance.clearResourceTimings());
    heap += await page.heapUsed();
  }
  return heap;
}

/** Of the origin, whoever has them. */
const locksOf = (page: QuietPage): Promise<number> =>
  page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query();
    return held.length + pending.length;
  });
