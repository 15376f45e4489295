import { setTimeout as pause } from 'node:timers/promises';
import type { LaunchMetrics, Sluice } from '../../src/client/index.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { until } from '../support/until.ts';
import { type AppFiles, launched, smallSite } from './small-site.ts';

declare const window: Window & { sluice?: Sluice; metrics: LaunchMetrics[] };

/** The app is ready when it has fetched its level, which is after its page's load event. */
const page = `<!doctype html>
<html><head><meta charset="utf-8"><title>Launch</title><script src="app.js"></script></head><body></body></html>`;
const script = `
window.metrics = [];
sluice.onLaunch((metrics) => window.metrics.push(metrics));
const level = fetch('level.dat').then((response) => response.arrayBuffer());
sluice.ready(level);
level.then(() => { document.documentElement.dataset.app = 'runs'; });
`;
const files: AppFiles = { 'index.html': page, 'app.js': script, 'level.dat': noise(3, 1_300_000) };

/** An answer of the server is so late, at least. */
const delayMs = 300;
/** Clocks of processes. */
const slackMs = 150;

interface Entry {
  readonly name: string;
  /** In Unix ms. */
  readonly start: number;
  readonly end: number;
  readonly track: string;
  readonly properties: [string, string][];
}

test('a launch is measured, for whoever asks and for observers of measures; the performance track shows what happened when', async ({
  context,
}) => {
  // The first blob is small enough to come with the boot page; what lies behind it has to be waited for.
  await using site = await smallSite(files, { blobSize: 512 * 1024, codec: 'none' });
  const blobs = await site.blobs();
  const { promise: isWaitedFor, resolve: letGo } = deferred();
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => {
      if (blobs.indexOf(path.slice(1)) > 0)
        return { type: 'hold', until: Promise.all([isWaitedFor, pause(delayMs)]) };
      return path.endsWith('.bin') ? { type: 'delay', ms: delayMs } : undefined;
    },
  });
  const tab = await context.newPage();
  const began = performance.timeOrigin + performance.now();
  await tab.goto(origin.url);
  // However slow the app is to ask: its level is not here before, and for a while after.
  await until(() =>
    tab.evaluate(async () => {
      const { pendingReads } = await window.sluice!.state();
      return pendingReads.some(({ path, block }) => path === 'level.dat' && block.blob > 0);
    }),
  );
  await pause(delayMs);
  letGo();
  await launched(tab);
  const metricsOf = async (): Promise<LaunchMetrics> => {
    await tab.waitForFunction(() => window.metrics?.length > 0);
    const all = await tab.evaluate(() => window.metrics);
    expect(all).toHaveLength(1);
    return all[0]!;
  };
  const first = await metricsOf();
  expect(first).toMatchObject({
    image: site.image,
    wasComplete: false,
    failedReads: 0,
    bytesTotal: site.storedBytes,
  });
  // Page, script and level have been read, each block of them, and the level's blobs were late.
  expect(first.reads).toBeGreaterThanOrEqual(3);
  expect(first.waits).toBeGreaterThan(0);
  expect(first.longestWaitMs).toBeGreaterThanOrEqual(delayMs - 10);
  expect(first.waitedMs).toBeGreaterThanOrEqual(first.longestWaitMs - 1);
  expect(first.waitedMs).toBeLessThanOrEqual(first.readyMs);
  expect(first.bytesAtReady).toBeGreaterThan(0);
  expect(first.bytesAtReady).toBeLessThanOrEqual(first.bytesTotal);
  const measured = await tab.evaluate(
    () =>
      new Promise<{ start: number; duration: number; detail: unknown; loaded: number }>((resolve) => {
        new PerformanceObserver((list) => {
          const [entry] = list.getEntriesByName('sluice:launch');
          if (!entry) return;
          const { startTime: start, duration, detail } = entry as PerformanceMeasure;
          const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
          resolve({ start, duration, detail, loaded: navigation!.domContentLoadedEventStart });
        }).observe({ type: 'measure', buffered: true });
      }),
  );
  expect(measured.start).toBe(0);
  expect(measured.duration).toBeCloseTo(first.readyMs, 1);
  expect(measured.detail).toEqual(first);
  expect(first.readyMs).toBeGreaterThan(measured.loaded);
  // Who asks late is told the same.
  expect(
    await tab.evaluate(
      () => new Promise((resolve) => window.sluice!.onLaunch((metrics) => resolve(metrics))),
    ),
  ).toEqual(first);

  const entries = (): Promise<Entry[]> =>
    tab.evaluate(() =>
      performance.getEntriesByType('measure').flatMap((entry) => {
        const { name, startTime, duration, detail } = entry as PerformanceMeasure;
        if (!detail?.devtools) return [];
        const { dataType, trackGroup, track, properties } = detail.devtools;
        if (dataType !== 'track-entry' || trackGroup !== 'Sluice') throw new Error(`What is ${trackGroup}?`);
        const start = performance.timeOrigin + startTime;
        return [{ name, start, end: start + duration, track, properties }];
      }),
    );
  expect(await entries()).toEqual([]);
  await tab.evaluate(() => window.sluice!.whenComplete());
  // The service worker tells a little later what it has read, in the order in which it did.
  await until(() =>
    tab.evaluate(async () => {
      const { reads } = await window.sluice!.readLog();
      return reads.some(({ path, end, size }) => path === 'level.dat' && end === size);
    }),
  );
  await tab.evaluate(() => {
    window.sluice!.performanceTrack = true;
  });
  await until(async () => (await entries()).length > 0);
  const shown = await entries();
  const of = (track: string) => shown.filter((entry) => entry.track === track);
  expect(new Set(shown.map(({ track }) => track))).toEqual(
    new Set(['Reads', 'Fetches', 'Stalls', 'Verification']),
  );
  // Each request that the server saw is one entry, which encloses it. (The first blob the boot page's markup has asked for.)
  const requests = origin.requests(({ path }) => blobs.indexOf(path.slice(1)) > 0);
  expect(requests.length).toBeGreaterThan(0);
  for (const { path, range, bodyBytes, startedAt } of requests) {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? `bytes=0-${bodyBytes - 1}`)!;
    const found = of('Fetches').filter(({ properties }) => {
      const words = Object.fromEntries(properties);
      return `/${blobs[Number(words.blob)]}` === path && words.range === `${first}–${Number(last) + 1}`;
    });
    expect(found, `${path} ${range}`).toHaveLength(1);
    const [{ start, end }] = found as [Entry];
    expect(start - slackMs).toBeLessThanOrEqual(performance.timeOrigin + startedAt);
    expect(end + slackMs).toBeGreaterThanOrEqual(performance.timeOrigin + startedAt + delayMs);
    expect(end - start).toBeGreaterThanOrEqual(delayMs - 2);
    expect(start).toBeGreaterThanOrEqual(began - slackMs);
    expect(end).toBeLessThanOrEqual(performance.timeOrigin + performance.now() + slackMs);
  }
  // A stall of the level's lasts as long as a request that brings it, and its blocks were verified before its end.
  const stall = of('Stalls').find(({ name }) => name === 'level.dat')!;
  expect(stall.end - stall.start).toBeGreaterThanOrEqual(100);
  const verified = of('Verification').filter(({ name }) => name === 'level.dat');
  expect(verified.length).toBeGreaterThan(0);
  for (const { start, end, properties } of verified) {
    const block = Object.fromEntries(properties);
    const reads = of('Reads').filter((read) => {
      const { blob, block: index } = Object.fromEntries(read.properties);
      return (
        blob === block.blob &&
        index === block.block &&
        read.start - slackMs <= start &&
        end <= read.end + slackMs
      );
    });
    expect(reads.length, JSON.stringify(block)).toBeGreaterThan(0);
  }
  expect(of('Reads').map(({ name }) => name)).toEqual(
    expect.arrayContaining(['index.html', 'app.js', 'level.dat']),
  );

  // The service worker has told how long it decoded what it had waited for.
  for (const { properties } of of('Stalls'))
    expect(Object.fromEntries(properties)['decoding (ms)']).toMatch(/^\d+\.\d$/);

  // It is remembered, so that the next launch is shown from its begin; and everything is here now.
  await tab.reload();
  await launched(tab);
  const second = await metricsOf();
  expect(second).toMatchObject({ image: site.image, wasComplete: true, bytesAtReady: second.bytesTotal });
  await until(async () =>
    (await entries()).some(({ name, track }) => track === 'Reads' && name === 'level.dat'),
  );
  expect(await tab.evaluate(() => window.sluice!.performanceTrack)).toBe(true);
  await tab.evaluate(() => {
    window.sluice!.performanceTrack = false;
  });
  await until(async () => (await entries()).length === 0);

  // An inspector that is open in the app's page shows it too, as long as it is there.
  await tab.evaluate(async () => {
    const script = document.createElement('script');
    script.src = '__sluice/inspector.js';
    document.head.append(script);
    await customElements.whenDefined('sluice-inspector');
    document.body.append(document.createElement('sluice-inspector'));
  });
  await until(async () => (await entries()).length > 0);
  await tab.evaluate(() => document.querySelector('sluice-inspector')!.remove());
  await until(async () => (await entries()).length === 0);
  expect(await tab.evaluate(() => window.sluice!.performanceTrack)).toBe(false);
  await tab.close();
});
