import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { currentImage } from './current-image.ts';
import { keptRuntime } from './kept-runtime.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

// What an app does with its origin, which it takes for its own: ours is there as well.

declare const window: Window & { sluice: Sluice };

/** Complete, and so to be launched without a server. */
async function stored(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await keptRuntime(page);
}

/** By a new browser process, and without a server. */
async function launchedOffline(profile: BrowserProfile, origin: Origin): Promise<void> {
  await origin.stop();
  await profile.close();
  const page = (await profile.launch()).pages()[0]!;
  await page.goto(`${origin.url}/`);
  await launched(page);
}

test('an app that keeps things by idb-keyval finds none of ours there, and may clear it', async ({
  profile,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const page = (await profile.launch()).pages()[0]!;
  await stored(page, `${origin.url}/`);
  const found = await page.evaluate(async () => {
    const settled = <Value>(request: IDBRequest<Value>) =>
      new Promise<Value>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    // As the library does for `keys()` and `clear()`.
    const opening = indexedDB.open('keyval-store');
    opening.onupgradeneeded = () => opening.result.createObjectStore('keyval');
    const store = (await settled(opening)).transaction('keyval', 'readwrite').objectStore('keyval');
    const keys = await settled(store.getAllKeys());
    await settled(store.clear());
    return keys;
  });
  expect(found).toEqual([]);

  await launchedOffline(profile, origin);
});

test('an app that deletes every database of its origin does not wait for us, and what we keep there comes again', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await expect.poll(() => currentImage(page)).toBe(site.image);
  // The page's own connection, beside the service worker's.
  await page.evaluate(() => {
    window.sluice.showProgress = true;
  });
  const deleted = await page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name!);
    await Promise.all(
      names.map(
        (name) =>
          new Promise((resolve, reject) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = resolve;
            request.onerror = () => reject(request.error);
          }),
      ),
    );
    return names;
  });
  expect(deleted).not.toEqual([]);

  await page.reload();
  await launched(page);
  await page.evaluate(() => {
    window.sluice.readTimeoutMs = 12_345;
  });
  const kept = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  await expect.poll(kept).toEqual(deleted);
});

test('an app that unregisters whatever service worker it finds is launched by ours all the same, offline too', async ({
  profile,
  log,
}) => {
  const rid = `
    navigator.serviceWorker.ready.then((registration) => registration.unregister())
      .then((done) => { document.documentElement.dataset.unregistered = done; });`;
  const files = smallApp();
  await using site = await smallSite({ ...files, 'app.js': `${files['app.js']}${rid}` });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const page = (await profile.launch()).pages()[0]!;
  await stored(page, `${origin.url}/`);
  const answer = () => page.evaluate(() => document.documentElement.dataset.unregistered);
  await expect.poll(answer).toBe('false');
  expect(
    log.console.filter((line) => /^warning: Sluice serves .* asked to unregister/.test(line)),
  ).toHaveLength(1);

  await launchedOffline(profile, origin);
});

test('an app that deletes every cache of its origin keeps what launches it offline', async ({ profile }) => {
  const files = smallApp();
  const clear = `
    const clearing = caches.open('their own').then(() => caches.keys())
      .then((names) => Promise.all(names.map((name) => caches.delete(name))))
      .then((deleted) => { document.documentElement.dataset.deleted = deleted.filter(Boolean).length; });`;
  await using site = await smallSite({ ...files, 'app.js': `${files['app.js']}${clear}` });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const page = (await profile.launch()).pages()[0]!;
  await stored(page, `${origin.url}/`);
  // When there is something of ours to be deleted.
  await page.reload();
  await launched(page);
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.deleted)).toBe('1');

  await launchedOffline(profile, origin);
});
