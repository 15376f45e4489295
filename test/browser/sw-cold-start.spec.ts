import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { keptRuntime } from './kept-runtime.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice };

/*
 * Navigations that find the service worker stopped. Chromium may then ask the network while the worker starts
 * (ServiceWorkerAutoPreload), which costs the server a request a launch, and hangs when the server is gone.
 */

/** The site below `origin`, complete in the profile, its browser closed. */
async function completed(profile: BrowserProfile, origin: Origin): Promise<void> {
  const page = (await profile.launch()).pages()[0]!;
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  // Even of an app so small that it is complete before its page has a loader.
  await keptRuntime(page);
  await profile.close();
}

const navigations = (origin: Origin) =>
  origin.requests(({ headers }) => headers['sec-fetch-mode'] === 'navigate');

test('the server gone: a path of the app comes, another one fails at once in the browser’s own words', async ({
  profile,
}) => {
  await using site = await smallSite(smallApp(200_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await completed(profile, origin);
  await origin.stop();

  const page = (await profile.launch()).pages()[0]!;
  for (let i = 0; i < 3; i++) {
    await page.goto(`${origin.url}/docs/guide.html`);
    await launched(page);
    await stopAllServiceWorkers(page);
    // Where the browser asks the server beside the worker, and waits for both, there is no answer at all.
    await expect(page.goto(`${origin.url}/nowhere.html`, { timeout: 20_000 })).rejects.toThrow(
      /net::ERR_(FAILED|CONNECTION_REFUSED)|NS_ERROR_|NetworkError/,
    );
    await stopAllServiceWorkers(page);
  }
});

test('a cold launch asks the server for no page of the app, and once for one that is not the app’s', async ({
  profile,
  engine,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await completed(profile, origin);
  origin.reset();

  const page = (await profile.launch()).pages()[0]!;
  await page.goto(`${origin.url}/`);
  await launched(page);
  for (const path of ['/docs/guide.html', '/?q', '/docs/guide.html#part']) {
    await stopAllServiceWorkers(page);
    await page.goto(origin.url + path);
    await launched(page);
  }
  expect(navigations(origin)).toEqual([]);

  await stopAllServiceWorkers(page);
  expect((await page.goto(`${origin.url}/nowhere.html`))?.status()).toBe(404);
  // Firefox does not say of a navigation that a worker passes on that it is one.
  if (engine === 'chromium') expect(navigations(origin).map(({ path }) => path)).toEqual(['/nowhere.html']);
});

test('the script that every page waits for comes from our cache without the service worker, in any scope, also offline', async ({
  profile,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'static routes are Chromium’s alone');
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/a (b)*/': site.dir } });
  const page = (await profile.launch()).pages()[0]!;
  await page.goto(`${origin.url}/a (b)*/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const kept = () =>
    page.evaluate(async () => {
      const cache = await caches.open((await caches.keys())[0]!);
      const names = ['client.js', 'loader.js', 'icon.svg'];
      const found = await Promise.all(names.map((name) => cache.match(`__sluice/${name}`)));
      return names.filter((_, i) => found[i]);
    });
  await expect.poll(kept).toEqual(['client.js', 'loader.js', 'icon.svg']);
  // Our service worker keeps again what it had to fetch: of the first it has not heard.
  await page.evaluate(async () => {
    const cache = await caches.open((await caches.keys())[0]!);
    for (const { url } of await cache.keys()) await cache.delete(url);
    for (const name of ['client.js', 'loader.js', 'icon.svg']) await (await fetch(`__sluice/${name}`)).text();
  });
  await expect.poll(kept).toEqual(['loader.js', 'icon.svg']);

  await page.reload();
  await launched(page);
  await expect.poll(kept).toEqual(['client.js', 'loader.js', 'icon.svg']);
  await origin.stop();
  await page.reload();
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
});
