import { cp } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { expect, test } from '../support/browser.ts';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { bulkSite, readBulk, rightBulk } from './bulk-file.ts';
import { currentImage } from './current-image.ts';
import { launched, type SmallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; back: Promise<void> };

/** What "clear site data" takes in Chromium's own settings and tools. */
const everything = 'cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage';

test.skip(
  ({ engine }) => engine !== 'chromium',
  'site data can be cleared under a page through Chromium’s protocol only',
);

async function clearSiteData(page: Page, origin: Origin, storageTypes: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: origin.url, storageTypes });
  await session.detach();
}

/** A part of a file that was read less than 100 ms ago is handed out without a look (StoreReader). */
async function unread(since: number): Promise<void> {
  await expect.poll(() => performance.now() - since).toBeGreaterThan(200);
}

const stateOf = async (page: Page) => {
  const { complete, loader } = await page.evaluate(() => window.sluice.state());
  return [complete, loader.storage];
};

async function completeAgain(page: Page): Promise<void> {
  await expect.poll(async () => (await stateOf(page))[0]).toBe(true);
}

/**
 * It completes again; Chromium (156) keeps files that were open when they were cleared locked until it ends, so storing may wait for that. Then everything is
 * stored, as a launch without a server shows.
 */
async function storedAgain(page: Page, profile: BrowserProfile, origin: Origin): Promise<void> {
  await completeAgain(page);
  await profile.close();
  const context = await profile.launch();
  const next = context.pages()[0] ?? (await context.newPage());
  await next.goto(`${origin.url}/`);
  await launched(next);
  await expect.poll(() => stateOf(next)).toEqual([true, 'opfs']);
  await origin.stop();
  await next.reload();
  await launched(next);
  expect(await readBulk(next)).toEqual(await rightBulk());
}

async function launchedOn(page: Page, site: SmallSite): Promise<Origin> {
  // The browser's HTTP cache would answer for the server.
  const headers = () => ({ 'Cache-Control': 'no-store' });
  const origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await page.goto(`${origin.url}/`);
  await launched(page);
  return origin;
}

test('its files cleared under a running app: the next read is right, in every tab, and all is stored again', async ({
  profile,
}) => {
  const context = await profile.launch();
  const page = context.pages()[0]!;
  await using site = await bulkSite();
  await using origin = await launchedOn(page, site);
  await page.evaluate(() => window.sluice.whenComplete());
  const other = await context.newPage();
  await other.goto(`${origin.url}/docs/guide.html`);
  await launched(other);
  // The service worker holds snapshots of the files from here on.
  for (const tab of [page, other]) expect(await readBulk(tab)).toEqual(await rightBulk());
  const read = performance.now();
  await clearSiteData(page, origin, 'file_systems');
  await unread(read);
  for (const tab of [other, page, other, page]) expect(await readBulk(tab)).toEqual(await rightBulk());
  await other.close();
  await storedAgain(page, profile, origin);
});

test('cleared while it loads: it completes', async ({ page }) => {
  await using site = await bulkSite();
  const [, , ...late] = await site.blobs();
  const { promise: until, resolve: go } = deferred();
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: () => ({ 'Cache-Control': 'no-store' }),
    fault: ({ path }) => (late.some((name) => path.includes(name)) ? { type: 'hold', until } : undefined),
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await expect
    .poll(() => page.evaluate(async () => (await window.sluice.state()).blocks.present))
    .toBeGreaterThan(3);
  await clearSiteData(page, origin, 'file_systems');
  go();
  expect(await readBulk(page)).toEqual(await rightBulk());
  await completeAgain(page);
});

test('all of the site’s data cleared under a running app, the service worker too: it comes back by itself, with the version that the tab began with', async ({
  page,
}) => {
  await using site = await bulkSite({ 'version.txt': 'one' });
  await using next = await bulkSite({ 'version.txt': 'two' });
  await using origin = await launchedOn(page, site);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await readBulk(page)).toEqual(await rightBulk());
  await cp(next.dir, site.dir, { recursive: true, force: true });
  await page.evaluate(() => {
    window.back = new Promise<void>((resolve) => {
      navigator.serviceWorker.addEventListener('controllerchange', () => {
        if (navigator.serviceWorker.controller) resolve();
      });
    });
  });
  await clearSiteData(page, origin, everything);
  await page.evaluate(() => window.back);
  expect(await readBulk(page)).toEqual(await rightBulk());
  const version = () => page.evaluate(async () => (await fetch('/version.txt')).text());
  expect(await version()).toBe('one');
  // The next page is of the next version, as after every deploy.
  await page.reload();
  await launched(page);
  await expect.poll(() => currentImage(page)).toBe(next.image);
  await page.reload();
  await launched(page);
  expect(await version()).toBe('two');
});

test('a single file of the store removed by somebody else: the next read is right', async ({ page }) => {
  await using site = await bulkSite();
  await using origin = await launchedOn(page, site);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await readBulk(page)).toEqual(await rightBulk());
  const read = performance.now();
  const removed = await page.evaluate(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice');
    let count = 0;
    for await (const store of root.values()) {
      const blobs = await (store as FileSystemDirectoryHandle).getDirectoryHandle('blobs');
      for await (const name of blobs.keys()) {
        // One that the loader holds open is not given up.
        await blobs.removeEntry(name).then(
          () => {
            count += 1;
          },
          () => {},
        );
      }
    }
    return count;
  });
  expect(removed).toBeGreaterThan(2);
  await unread(read);
  expect(await readBulk(page)).toEqual(await rightBulk());
  expect(await readBulk(page)).toEqual(await rightBulk());
  expect(origin.requests(({ path, status }) => path.endsWith('.bin') && status < 400).length).toBeGreaterThan(
    0,
  );
});
