import type { Page } from '@playwright/test';
import { ShapedLink } from '../../../bench/link.ts';
import type { Sluice } from '../../../src/client/index.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { until } from '../../support/until.ts';
import { setReadTimeout } from '../read-timeout.ts';
import { launched, smallSite } from '../small-site.ts';
import { mixedFiles, proofApp } from './proof-app.ts';
import { randomReaders } from './readers.ts';

declare const window: Window & { sluice: Sluice };

const MB = 2 ** 20;
/** A read that is not over by then hangs, on a slow machine too, where 64 readers wait for one another. */
const deadlineMs = 150_000;

/** No read is given up before that by the app's own deadline. */
const beSlow = (page: Page) => setReadTimeout(page, 120_000);

/** Every reader has begun then: they begin together. */
const waitsForBytes = (page: Page) =>
  until(() => page.evaluate(async () => (await window.sluice.state()).pendingReads.length > 0));

test('64 readers, 10,000 reads of an image that is loading: none differs, none hangs', async ({ page }) => {
  const app = proofApp(mixedFiles(1, { count: 60, large: [8 * MB, 8 * MB, 5 * MB, 3 * MB, 8 * MB] }));
  await using site = await smallSite(app.files, { level: 3 });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  // So slow that the image is loading through most of the reads, where the machine is not slow.
  await using link = await ShapedLink.start({
    shape: { mbitPerSecond: 16, rttMs: 20 },
    targetPort: origin.port,
  });
  await page.goto(`${link.url}/`);
  await launched(page);
  await beSlow(page);
  const report = await randomReaders(page, {
    files: app.seeded,
    seed: 2,
    reads: 10_000,
    readers: 64,
    deadlineMs,
    largeShare: 0.08,
  });
  console.log('never wrong:', JSON.stringify({ ...report, storedBytes: site.storedBytes }));
  expect(report.wrong).toEqual([]);
  expect(report.wrongCount).toBe(0);
  expect(report.failures).toEqual({});
  expect(report.reads).toBe(10_000);
  expect(report.whileLoading).toBeGreaterThan(1000);
  await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
  await page.evaluate(() => window.sluice.whenComplete());
});

for (const codec of ['zstd', 'lz4', 'none'] as const) {
  test(`${codec}: 600 reads while it loads, 600 when it is complete`, async ({ page }) => {
    const app = proofApp(mixedFiles(3, { count: 30, large: [3 * MB, 2 * MB] }));
    await using site = await smallSite(app.files, { codec, level: 3, blobSize: MB });
    const [, ...later] = await site.blobs();
    let isLaunched = false;
    const { promise: until, resolve: begin } = deferred();
    await using origin = await Origin.start({
      mounts: { '/': site.dir },
      // The reads begin before the loading, however long the launch took, and the page to begin them.
      fault: ({ path }) => {
        if (!isLaunched && later.some((name) => path.endsWith(name))) return { type: 'hold', until };
        return path.endsWith('.bin') ? { type: 'throttle', bytesPerSecond: 1.5 * MB } : undefined;
      },
    });
    await page.goto(`${origin.url}/`);
    await launched(page);
    await beSlow(page);
    const options = { files: app.seeded, reads: 600, readers: 32, deadlineMs, largeShare: 0.2 };
    const reading = randomReaders(page, { ...options, seed: 4 });
    await waitsForBytes(page);
    isLaunched = true;
    begin();
    const loading = await reading;
    expect(loading.wrong).toEqual([]);
    expect(loading.whileLoading).toBeGreaterThan(30);
    await page.evaluate(() => window.sluice.whenComplete());
    origin.reset();
    const complete = await randomReaders(page, { ...options, seed: 5 });
    expect(complete.wrong).toEqual([]);
    expect(complete.whileLoading).toBe(0);
    expect(origin.requests(/\.bin$/)).toEqual([]);
  });
}
