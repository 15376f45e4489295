import type { Page } from '@playwright/test';
import { LINKS, ShapedLink } from '../../bench/link.ts';
import type { Progress, Sluice } from '../../src/client/index.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { pageBeat, pageBeatMs } from '../../src/protocol/page-beat.ts';
import { expect, test } from '../support/browser.ts';
import { hasNginx, Nginx } from '../support/nginx.ts';
import { type LoggedRequest, Origin } from '../support/origin.ts';
import { appPage, appScript, launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & {
  sluice: Sluice;
  address: string;
  heard: string[];
  words: Promise<string>;
  seen: Progress[];
  beats: number;
  isHidden: boolean;
};

const controller = (page: Page) => page.evaluate(() => navigator.serviceWorker.controller?.scriptURL);

test('first launch: the app runs, controlled, and completes', async ({ page }) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(await page.title()).toBe('The small app');
  expect(await controller(page)).toBe(`${origin.url}/sw.js`);
  await page.evaluate(() => window.sluice.whenComplete());
  const state = await page.evaluate(() => window.sluice.state());
  expect(state.complete).toBe(true);
  expect(state.image).toBe(site.image);
  expect(state.blocks.present).toBe(state.blocks.total);
  expect(state.bytes.total).toBe(site.storedBytes);
  const data = await page.evaluate(async () => (await fetch('data.json')).text());
  expect(data).toBe('{"answer": 42}');
});

test('the first page of an app hears of its load and of its show, once each, in this order', async ({
  page,
}) => {
  const events = ['DOMContentLoaded', 'load', 'pageshow'];
  const script = `${appScript}
window.heard = [];
for (const type of ${JSON.stringify(events)}) addEventListener(type, () => heard.push(type));`;
  await using site = await smallSite({ ...smallApp(), 'app.js': script });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await expect.poll(() => page.evaluate(() => window.heard)).toEqual(events);
});

test('a page tells its loader how busy it is while it is in sight, and not before', async ({ page }) => {
  // The driver keeps pages in sight: this one says that it is not, and counts what it tells its loader.
  await page.addInitScript((beat) => {
    window.beats = 0;
    window.isHidden = true;
    Object.defineProperty(Document.prototype, 'hidden', { get: () => window.isHidden });
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...args: [message: unknown]) {
      if (args[0] === beat) window.beats += 1;
      return postMessage.apply(this, args);
    };
  }, pageBeat);
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const early = await page.evaluate(
    (ms) =>
      new Promise((resolve) => {
        let turns = 0;
        setInterval(() => {
          turns += 1;
          if (turns === 3) resolve(window.beats);
        }, ms);
      }),
    pageBeatMs,
  );
  expect(early).toBe(0);
  await page.evaluate(() => {
    window.isHidden = false;
  });
  await page.waitForFunction(() => window.beats > 1);
});

test('next to nothing is fetched twice on the way from the boot page to the app', async ({ page }) => {
  await using site = await smallSite(smallApp(6_000_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await using link = await ShapedLink.start({ shape: LINKS.medium, targetPort: origin.port });
  await page.goto(`http://127.0.0.1:${link.port}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(origin.bytes(/\.bin$/)).toBeLessThan(site.storedBytes * 1.01);
});

test('where the app’s page comes by a navigation, the service worker goes on in between', async ({
  page,
}) => {
  const app = smallApp(6_000_000);
  // Another encoding than the boot page's.
  const html = String(app['index.html']).replace('utf-8', 'windows-1252').replace('small', 'smäll');
  await using site = await smallSite({ ...app, 'index.html': Buffer.from(html, 'latin1') });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const bulk = (await site.blobs()).at(-1)!;
  const { promise: until, resolve: letGo } = deferred();
  // The image is not here when the app's page is, however long the machine takes for that.
  origin.fault = ({ path }) => (path.endsWith(bulk) ? { type: 'hold', until, from: 4_000_000 } : undefined);
  await using link = await ShapedLink.start({
    shape: { mbitPerSecond: 4, rttMs: 50 },
    targetPort: origin.port,
  });
  await page.goto(`http://127.0.0.1:${link.port}/`);
  await launched(page);
  letGo();
  await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
  await page.evaluate(() => window.sluice.whenComplete());
  // One request of 150 ms, and what the link holds, may have been on their way when the boot page went.
  expect(origin.bytes(/\.bin$/)).toBeLessThan(site.storedBytes * 1.12);
  const relayed = ({ path, headers }: LoggedRequest) =>
    path.endsWith('.bin') && headers.referer === `http://127.0.0.1:${link.port}/sw.js`;
  expect(origin.requests(relayed).length).toBeGreaterThan(0);
});

for (const address of ['/?level=3&mode=hard#start', '/docs/guide.html?chapter=2#part-5', '/index.html#x']) {
  test(`deep link ${address}: path, query and fragment are kept`, async ({ page }) => {
    await using site = await smallSite(smallApp());
    await using origin = await Origin.start({ mounts: { '/': site.dir } });
    await page.goto(`${origin.url}${address}`);
    await launched(page);
    expect(await page.evaluate(() => window.address)).toBe(address);
    expect(page.url()).toBe(`${origin.url}${address}`);
    expect(await controller(page)).toBe(`${origin.url}/sw.js`);
  });
}

test('two tabs that visit first at the same time: both come up', async ({ context }) => {
  await using site = await smallSite(smallApp());
  const { promise: until, resolve: deploy } = deferred();
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path === '/sw.js' ? { type: 'hold', until } : undefined),
  });
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(`${origin.url}/`);
    // It has asked for the service worker, or is about to: its loader, which begins first, has brought the image.
    await expect(tab.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '100');
  }
  deploy();
  for (const tab of tabs) await launched(tab);
});

test('a later visit goes straight to the app', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  origin.reset();
  await page.goto(`${origin.url}/docs/guide.html`);
  await launched(page);
  expect(await page.title()).toBe('The guide');
  expect(origin.requests(/html$|\/$/)).toEqual([]);
});

test('a path prefix: two apps of one origin, each with its own worker and store', async ({ page }) => {
  await using doom = await smallSite({ ...smallApp(), 'data.json': '"doom"' });
  await using quake = await smallSite({ ...smallApp(), 'data.json': '"quake"' });
  await using origin = await Origin.start({
    mounts: { '/games/doom/': doom.dir, '/games/quake/': quake.dir },
  });
  for (const game of ['doom', 'quake']) {
    await page.goto(`${origin.url}/games/${game}/docs/guide.html`);
    await launched(page);
    expect(await controller(page)).toBe(`${origin.url}/games/${game}/sw.js`);
    await page.evaluate(() => window.sluice.whenComplete());
    expect(await page.evaluate(async () => (await fetch('../data.json')).json())).toBe(game);
  }
  await page.goto(`${origin.url}/games/doom/`);
  await launched(page);
  expect(await page.evaluate(async () => (await fetch('data.json')).json())).toBe('doom');
});

test('nginx serves the site as it is, below a prefix', async ({ page }) => {
  test.skip(!hasNginx(), 'there is no nginx on this machine');
  await using site = await smallSite(smallApp(100_000));
  await using nginx = await Nginx.start({ mounts: { '/games/doom/': site.dir }, gzip: true });
  await page.goto(`${nginx.url}/games/doom/docs/guide.html?q#f`);
  await launched(page);
  expect(await page.evaluate(() => window.address)).toBe('/games/doom/docs/guide.html?q#f');
  await page.evaluate(() => window.sluice.whenComplete());
});

test('a strict policy: everything works with default-src self', async ({ page, log }) => {
  await using site = await smallSite(smallApp(50_000), {
    attributes: { '**/*.html': { headers: { 'Content-Security-Policy': "default-src 'self'" } } },
    codec: 'lz4',
  });
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: () => ({ 'Content-Security-Policy': "default-src 'self'" }),
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  // The boot page's own decoration is all that the policy may take away. Firefox tells of it as an error of the page.
  const complaints = log.console.filter((line) => /Content[- ]Security[- ]Policy/.test(line));
  const all = [...log.errors, ...complaints];
  expect(all.filter((line) => !/inline style/.test(line))).toEqual([]);
});

test('readLog, progress events, readTimeoutMs', async ({ page }) => {
  await using site = await smallSite(smallApp(2_000_000), { blobSize: 2 ** 20 });
  const last = (await site.blobs()).at(-1)!;
  const { promise: until, resolve: listens } = deferred();
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith(last) ? { type: 'hold', until } : undefined),
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => {
    window.seen = [];
    window.sluice.addEventListener('progress', (event) => window.seen.push(event.detail));
  });
  listens();
  const progress = await page.evaluate(async () => {
    await window.sluice.whenComplete();
    while (!window.seen.at(-1)?.complete)
      await new Promise((resolve) => window.sluice.addEventListener('progress', resolve, { once: true }));
    return window.seen;
  });
  expect(progress.at(-1)).toMatchObject({
    complete: true,
    present: site.storedBytes,
    total: site.storedBytes,
  });
  await page.evaluate(async () => void (await (await fetch('data.json')).text()));
  // The service worker tells what it has read a little later.
  await expect
    .poll(() => page.evaluate(async () => (await window.sluice.readLog()).reads.map(({ path }) => path)))
    .toContain('index.html');
  const log = await page.evaluate(() => window.sluice.readLog());
  expect(log).toMatchObject({ sluice: 1, image: site.image });
  // What sluice record writes down is this: each read with the bytes of its file.
  const entry = log.reads.find(({ path }) => path === 'index.html')!;
  expect(entry).toMatchObject({ start: 0, end: entry.size, block: expect.any(Number) });
  expect(entry.size).toBeGreaterThan(0);
  expect(await page.evaluate(() => window.sluice.readTimeoutMs)).toBe(30_000);
  expect(
    await page.evaluate(() => {
      window.sluice.readTimeoutMs = 1234;
      return window.sluice.readTimeoutMs;
    }),
  ).toBe(1234);
  await expect(
    page.evaluate(() => {
      window.sluice.readTimeoutMs = -1;
    }),
  ).rejects.toThrow(/RangeError/);
});

test('the indicator: off by default, remembered when switched on, gone at completion', async ({ page }) => {
  await using site = await smallSite(smallApp(4_000_000), { blobSize: 2 ** 21 });
  const { promise: gate, resolve: open } = deferred();
  const large = (await site.blobs()).slice(1);
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) =>
      large.some((name) => path.includes(name)) ? { type: 'hold', until: gate } : undefined,
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const indicator = page.getByRole('progressbar', { name: 'App download' });
  await page.evaluate(() => window.sluice.state());
  await expect(indicator).toHaveCount(0);
  await page.evaluate(() => {
    window.sluice.showProgress = true;
  });
  await expect(indicator).toHaveAttribute('aria-valuenow', /^\d+$/);
  await expect(indicator).toContainText(/^\d+ % of \d/);
  await page.reload();
  await launched(page);
  await expect(indicator).toContainText(/^\d+ % of \d/);
  expect(await page.evaluate(() => window.sluice.showProgress)).toBe(true);
  await page.evaluate(() => {
    const { shadowRoot } = document.querySelector('[aria-label="App download"]')!;
    window.words = new Promise((resolve) => {
      const look = (): void => {
        const [last] = /Works .*$/.exec(shadowRoot!.textContent) ?? [];
        if (last) resolve(last);
      };
      new MutationObserver(look).observe(shadowRoot!, { childList: true, subtree: true });
    });
  });
  open();
  expect(await page.evaluate(() => window.words)).toBe('Works offline now');
  await expect(indicator).toHaveCount(0);
});

test("an app's own service worker: refused inside, allowed outside, and ours stays", async ({ page }) => {
  await using site = await smallSite({
    ...smallApp(),
    'app-sw.js': 'onfetch = () => {};',
    'sw.js': '',
    'own/sw.js': '',
  });
  await using outside = await smallSite({ 'index.html': '', 'sw.js': '' });
  await using origin = await Origin.start({ mounts: { '/app/': site.dir, '/other/': outside.dir } });
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  const attempt = (script: string, scope?: string) =>
    page.evaluate(
      ([script, scope]) =>
        navigator.serviceWorker.register(script!, scope === undefined ? {} : { scope }).then(
          (registration) => registration.scope,
          (error: Error) => `${error.name}: ${error.message}`,
        ),
      [script, scope] as const,
    );
  expect(await attempt('app-sw.js')).toMatch(/^SecurityError: Sluice serves .* was refused/);
  expect(await attempt('sw.js')).toMatch(/^SecurityError: Sluice serves/);
  expect(await attempt('own/sw.js')).toMatch(/^SecurityError: Sluice serves/);
  expect(await attempt('/other/sw.js')).toBe(`${origin.url}/other/`);
  await page.reload();
  await launched(page);
  expect(await controller(page)).toBe(`${origin.url}/app/sw.js`);
});

test('a frame of the app shares its loader', async ({ page }) => {
  await using site = await smallSite({
    'index.html': `${appPage('Outer')}<iframe src="inner.html"></iframe>`,
    'inner.html': appPage('Inner'),
    'app.js': appScript,
  });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.waitForFunction(() => window.frames[0]?.document.documentElement?.dataset.app === 'runs');
  expect(await page.evaluate(() => (window.frames[0] as typeof window).sluice === window.sluice)).toBe(true);
});
