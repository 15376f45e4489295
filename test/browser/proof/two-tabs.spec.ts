import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { ShapedLink } from '../../../bench/link.ts';
import type { Sluice } from '../../../src/client/index.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { stopAllServiceWorkers } from '../../support/service-workers.ts';
import { until } from '../../support/until.ts';
import { setReadTimeout } from '../read-timeout.ts';
import { launched, type SmallSite, smallSite } from '../small-site.ts';
import { mixedFiles, proofApp } from './proof-app.ts';
import { type Fetched, Published, twiceFetched } from './published.ts';
import { randomReaders } from './readers.ts';
import { storedBlobs } from './stored-blobs.ts';

declare const window: Window & { sluice: Sluice };

const MB = 2 ** 20;
const app = proofApp(mixedFiles(21, { count: 40, large: [8 * MB, 4 * MB, 6 * MB] }));
/** A read that is not over by then hangs, on a slow machine too, where all readers wait for one another. */
const deadlineMs = 150_000;
const readers = { files: app.seeded, readers: 16, deadlineMs, largeShare: 0.1 };
let site: SmallSite;
/** The blobs that no launch needs. */
let later: string[];

test.beforeAll(async () => {
  site = await smallSite(app.files, { level: 3, blobSize: 2 * MB });
  const published = await Published.open(site);
  const launch = ['index.html', 'pages/second.html', 'app.js'].flatMap((path) => published.blobsOf(path));
  later = (await site.blobs()).filter((name) => !launch.includes(name.replace('.bin', '')));
  expect(later.length).toBeGreaterThan(3);
});

test.afterAll(() => site[Symbol.asyncDispose]());

/**
 * The site behind a link, so that what is counted has arrived, and loading takes about 15 s, from `begin()` on: until then there is what
 * tabs are launched with.
 */
async function shapedSite(
  mbitPerSecond = 10,
): Promise<{ link: ShapedLink; begin: () => void } & AsyncDisposable> {
  const { promise: until, resolve: begin } = deferred();
  const origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (later.some((name) => path.endsWith(name)) ? { type: 'hold', until } : undefined),
  });
  const link = await ShapedLink.start({ shape: { mbitPerSecond, rttMs: 20 }, targetPort: origin.port });
  const dispose = async (): Promise<void> => {
    await link.stop();
    await origin.stop();
  };
  return { link, begin, [Symbol.asyncDispose]: dispose };
}

async function openTab(page: Page, url: string): Promise<Page> {
  await page.goto(url);
  await launched(page);
  // No read is given up before that by the app's own deadline.
  await setReadTimeout(page, 120_000);
  return page;
}

/** What is left comes as fast as it can: what was to happen while it loads has happened. */
async function completed(link: ShapedLink, ...tabs: Page[]): Promise<void> {
  await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
  await Promise.all(tabs.map((tab) => tab.evaluate(() => window.sluice.whenComplete())));
}

const stateOf = (page: Page) => page.evaluate(() => window.sluice.state());

/** Whoever leads is told of the reads of all tabs. */
const waitsForBytes = (page: Page) => until(async () => (await stateOf(page)).pendingReads.length > 0);

/** Stored bytes that reached the browser more than once, as a share of the image's. */
async function twiceShare(link: ShapedLink): Promise<number> {
  const { exchanges } = await link.log();
  const fetched = exchanges.flatMap(({ line, range, bytes }): Fetched[] => {
    const sha256 = /^GET \/([0-9a-f]{64})\.bin/.exec(line)?.[1];
    if (sha256 === undefined) return [];
    const start = Number(range.split('-')[0] ?? 0);
    // Headers are counted with the body: some 300 bytes, which would be counted as overlap with the next range.
    const asked = range ? Number(range.split('-')[1]) + 1 : Number.POSITIVE_INFINITY;
    return [{ sha256, start, end: Math.min(asked, start + Math.max(0, bytes - headerBytes)) }];
  });
  return twiceFetched(fetched) / site.storedBytes;
}

const headerBytes = 300;

test('two tabs opened at once, on the first visit: one writer, both read right, nothing is fetched twice', async ({
  context,
  page,
  engine,
}) => {
  await using shaped = await shapedSite();
  const { link, begin } = shaped;
  const other = await context.newPage();
  const [first, second] = await Promise.all([
    openTab(page, `${link.url}/`),
    openTab(other, `${link.url}/pages/second.html`),
  ]);
  const states = await Promise.all([stateOf(first), stateOf(second)]);
  expect(states.map(({ loader }) => loader.role).sort()).toEqual(['leader', 'standby']);
  const reading = Promise.all([
    randomReaders(first, { ...readers, reads: 150, seed: 1 }),
    randomReaders(second, { ...readers, reads: 150, seed: 2 }),
  ]);
  await waitsForBytes(first);
  begin();
  const reports = await reading;
  for (const { wrong, whileLoading } of reports) {
    expect(wrong).toEqual([]);
    // All of them, where the machine is not slow.
    expect(whileLoading).toBeGreaterThan(30);
  }
  await completed(link, first, second);
  expect((await stateOf(second)).complete).toBe(true);
  const twice = await twiceShare(link);
  console.log(
    `two tabs: ${(100 * twice).toFixed(2)} % fetched twice`,
    JSON.stringify(reports.map((r) => [r.elapsedMs, r.slowestMs, r.whileLoading])),
  );
  // What a boot page asks for ahead, bootstrap and first blob, Firefox fetches for each tab where both ask at once.
  const { size } = await stat(join(site.dir, (await site.blobs())[0]!));
  expect(twice).toBeLessThanOrEqual(engine === 'firefox' ? 0.005 + size / site.storedBytes : 0.02);
});

test('the leader is closed while loading: the other takes over and completes', async ({ context, page }) => {
  await using shaped = await shapedSite();
  const { link, begin } = shaped;
  const leader = await openTab(page, `${link.url}/`);
  const standby = await openTab(await context.newPage(), `${link.url}/pages/second.html`);
  begin();
  const reading = randomReaders(standby, { ...readers, reads: 200, seed: 3 });
  await until(async () => {
    const { present, total } = (await stateOf(standby)).bytes;
    return present > total / 3;
  });
  const closedAt = performance.now();
  await leader.close();
  await until(async () => (await stateOf(standby)).loader.role === 'leader');
  const tookMs = performance.now() - closedAt;
  const { wrong, slowestMs } = await reading;
  expect(wrong).toEqual([]);
  await completed(link, standby);
  const twice = await twiceShare(link);
  console.log(
    `leader closed: taken over in ${Math.round(tookMs)} ms, slowest read ${slowestMs} ms, ${(100 * twice).toFixed(2)} % fetched twice`,
  );
  // Not by a deadline that runs out.
  expect(tookMs).toBeLessThan(15_000);
  expect(twice).toBeLessThanOrEqual(0.02);
  const blobs = await storedBlobs(standby);
  expect(Object.keys(blobs).length).toBeGreaterThan(5);
  for (const [name, digest] of Object.entries(blobs)) expect(digest).toBe(name);
});

test('the standby is closed while loading: the leader goes on as if nothing had been', async ({
  context,
  page,
}) => {
  await using shaped = await shapedSite(20);
  const { link, begin } = shaped;
  const leader = await openTab(page, `${link.url}/`);
  const standby = await openTab(await context.newPage(), `${link.url}/pages/second.html`);
  const abandoned = randomReaders(standby, { ...readers, reads: 5000, seed: 4 }).catch(() => undefined);
  const reading = randomReaders(leader, { ...readers, reads: 150, seed: 5 });
  await waitsForBytes(leader);
  begin();
  await standby.close();
  await abandoned;
  expect((await reading).wrong).toEqual([]);
  await completed(link, leader);
  expect((await stateOf(leader)).loader.role).toBe('leader');
  expect((await stateOf(leader)).pendingReads).toEqual([]);
  // What was asked for a tab that is gone is called off while others wait; what was on the wire then comes again.
  expect(await twiceShare(link)).toBeLessThanOrEqual(0.04);
});

test('the service worker is killed between reads, as browsers do: nothing changes', async ({
  context,
  page,
}) => {
  await using shaped = await shapedSite();
  const { link, begin } = shaped;
  const first = await openTab(page, `${link.url}/`);
  const second = await openTab(await context.newPage(), `${link.url}/pages/second.html`);
  begin();
  for (let kill = 0; kill < 8; kill++) {
    await stopAllServiceWorkers(first);
    const reports = await Promise.all([
      randomReaders(first, { ...readers, reads: 40, seed: 30 + kill }),
      randomReaders(second, { ...readers, reads: 40, seed: 40 + kill }),
    ]);
    for (const { wrong } of reports) expect(wrong).toEqual([]);
  }
  expect((await stateOf(first)).loader.role).toBe('leader');
  await completed(link, first, second);
  const twice = await twiceShare(link);
  console.log(`service worker killed between reads: ${(100 * twice).toFixed(2)} % fetched twice`);
  expect(twice).toBeLessThanOrEqual(0.02);
});

test('the service worker is killed in the middle of reads: none is wrong, none hangs', async ({
  context,
  page,
  engine,
}) => {
  // By force, that is: for what takes long it is kept awake (long-answers.ts).
  test.skip(engine !== 'chromium', 'Firefox ends what a killed worker was sending as if that were all');
  await using shaped = await shapedSite();
  const { link, begin } = shaped;
  const first = await openTab(page, `${link.url}/`);
  const second = await openTab(await context.newPage(), `${link.url}/pages/second.html`);
  begin();
  const watcher = await context.newPage();
  let reading = true;
  // The browser breaks off an answer whose worker is gone, and asks anew only once where there is none yet.
  const reports = Promise.all([
    randomReaders(first, { ...readers, reads: 150, seed: 6, mayFail: true }),
    randomReaders(second, { ...readers, reads: 150, seed: 7, mayFail: true }),
  ]).finally(() => {
    reading = false;
  });
  let kills = 0;
  for (; reading && kills < 8; kills++) {
    await stopAllServiceWorkers(watcher);
    // It starts again with the next read; killed again when that has been answered.
    await first.evaluate(async () => (await fetch('/app.js')).text()).catch(() => '');
  }
  const [a, b] = await reports;
  console.log(
    `service worker killed ${kills} times in the middle: ${JSON.stringify([a!.failures, b!.failures])}`,
  );
  for (const { wrong, failures } of [a!, b!]) {
    expect(wrong).toEqual([]);
    expect(Object.keys(failures).filter((how) => how !== 'broken off' && how !== 'no answer')).toEqual([]);
  }
  expect(kills).toBeGreaterThan(3);
  expect((await stateOf(first)).loader.role).toBe('leader');
  await completed(link, first, second);
  const after = await Promise.all([
    randomReaders(first, { ...readers, reads: 50, seed: 8 }),
    randomReaders(second, { ...readers, reads: 50, seed: 9 }),
  ]);
  for (const { wrong } of after) expect(wrong).toEqual([]);
  expect(await twiceShare(link)).toBeLessThanOrEqual(0.02);
});

test('a multi-page app: from page to page and back while loading', async ({ page }) => {
  await using shaped = await shapedSite();
  const { link, begin } = shaped;
  await openTab(page, `${link.url}/`);
  begin();
  const titles: string[] = [];
  for (let i = 0; i < 6; i++) {
    const report = await randomReaders(page, { ...readers, reads: 30, seed: 10 + i });
    expect(report.wrong).toEqual([]);
    if (i % 2 === 0) await page.goto(`${link.url}/pages/second.html`);
    else await page.goBack();
    await launched(page);
    titles.push(await page.title());
    expect((await stateOf(page)).loader.lastError).toBeUndefined();
  }
  expect(titles).toEqual(Array.from({ length: 3 }, () => ['The second page', 'The proof']).flat());
  await completed(link, page);
  const twice = await twiceShare(link);
  console.log(`six navigations: ${(100 * twice).toFixed(2)} % fetched twice`);
  // A page that goes takes with it what is under way and what is not journaled yet: 200 ms of the link at most.
  expect(twice * site.storedBytes).toBeLessThanOrEqual(6 * 0.2 * (10e6 / 8));
});
