import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { expect, test } from '../support/browser.ts';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { appPage, appScript, launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice };

const isBlob = /\.bin$/;

/** A first visit that has brought everything, and a browser that was closed behind it. */
async function visitOnce(profile: BrowserProfile, url: string): Promise<void> {
  const context = await profile.launch();
  const page = await context.newPage();
  await page.goto(url);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await profile.close();
}

/** A page whose load event, behind which its loader begins by itself, does not come before the function is called that is answered. */
async function heldLoad(page: Page): Promise<() => void> {
  const { promise: held, resolve: answer } = deferred();
  await page.route('**/held.png', async (route) => {
    await held;
    await route.abort();
  });
  await page.addInitScript(() =>
    addEventListener('DOMContentLoaded', () => {
      new Image().src = 'http://held.test/held.png';
    }),
  );
  return answer;
}

const fetchText = (page: Page, path: string) =>
  page.evaluate(async (path) => (await fetch(path)).text(), path);

test('with nothing missing, the loader begins behind the launch', async ({ profile }) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await visitOnce(profile, `${origin.url}/`);

  const page = await (await profile.launch()).newPage();
  const began = page.waitForEvent('worker');
  const letLoad = await heldLoad(page);
  await page.goto(`${origin.url}/`, { waitUntil: 'commit' });
  await launched(page);
  expect(await fetchText(page, 'data.json')).toBe('{"answer": 42}');
  expect(page.workers()).toEqual([]);
  letLoad();
  await began;
  expect(await page.evaluate(async () => (await window.sluice.state()).complete)).toBe(true);
});

test('whoever asks a loader that has not begun is answered', async ({ profile }) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await visitOnce(profile, `${origin.url}/`);

  const page = await (await profile.launch()).newPage();
  const letLoad = await heldLoad(page);
  await page.goto(`${origin.url}/`, { waitUntil: 'commit' });
  await launched(page);
  expect(page.workers()).toEqual([]);
  expect(await page.evaluate(async () => (await window.sluice.state()).complete)).toBe(true);
  await page.evaluate(() => window.sluice.whenComplete());
  letLoad();
});

test('what is missing after all brings the loader at once', async ({ profile }) => {
  // Its image is whole when the page begins, and a tab beside it gives up what is there. The service worker itself goes on with the first 8 MiB.
  const bulk = noise(7, 300_000);
  await using site = await smallSite({
    'index.html': appPage('The app'),
    'app.js': appScript,
    'data/first.dat': noise(8, 9 * 2 ** 20),
    'data/last.dat': bulk,
  });
  // Else the browser's own cache has what the store has given up.
  const headers = () => ({ 'Cache-Control': 'no-store' });
  await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await visitOnce(profile, `${origin.url}/`);

  const context = await profile.launch();
  const page = await context.newPage();
  const letLoad = await heldLoad(page);
  await page.goto(`${origin.url}/`, { waitUntil: 'commit' });
  await launched(page);
  expect(page.workers()).toEqual([]);
  const beside = await context.newPage();
  await beside.goto(`${origin.url}/`);
  await launched(beside);
  await beside.evaluate(() => window.sluice.evict());
  await beside.close();
  const loaders = () =>
    page.evaluate(async () => {
      const { held } = await navigator.locks.query();
      return held!.filter(({ name }) => name!.startsWith('sluice:loader:')).length;
    });
  await expect.poll(loaders).toBe(0);
  origin.reset();
  const sum = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch('data/last.dat')).arrayBuffer());
    return bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0);
  });
  expect(sum).toBe(bulk.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0));
  // The service worker may have read on by itself while the page, which it has told, came to begin it.
  await expect.poll(() => page.workers().length).toBe(1);
  expect(origin.requests(isBlob).length).toBeGreaterThan(0);
  letLoad();
});

test('an image of which something is missing gets its loader with the page', async ({ profile }) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await visitOnce(profile, `${origin.url}/`);

  const context = await profile.launch();
  const first = await context.newPage();
  await first.goto(`${origin.url}/`);
  await launched(first);
  await first.evaluate(() => window.sluice.evict());
  const letLoad = await heldLoad(first);
  const began = first.waitForEvent('worker');
  await first.reload({ waitUntil: 'commit' });
  await began;
  letLoad();
  await launched(first);
});
