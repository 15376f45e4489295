import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import type { mount as Mount, Sluice } from '../../src/client/index.ts';
import { type AppFiles, appPage, appScript, type SmallSite, smallSite } from '../browser/small-site.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import type { WebDriver } from '../support/webkit/web-driver.ts';
import { WebKitBrowser, webkitMissing } from '../support/webkit/webkit-browser.ts';

/*
 * WebKitGTK's MiniBrowser has service workers, Web Locks and no OPFS: a launch that stores nothing, in an engine that is neither Chromium nor Firefox.
 * Its windows of one session share service workers, and nothing outlives the session.
 */

declare const window: Window & { sluice: Sluice };

const test = base.extend<{ readonly driver: WebDriver }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  driver: async ({}, use) => {
    const missing = await webkitMissing();
    test.skip(missing !== undefined, missing);
    await using browser = await WebKitBrowser.start();
    await use(browser.driver);
  },
});

const words = 'The quick brown fox jumps over the lazy dog. '.repeat(8_000);

/** Raw, and compressed; in one block, in many; HTML below the root. */
const app: AppFiles = {
  'index.html': appPage('The app'),
  'app.js': appScript,
  'docs/guide.html': appPage('The guide', '../'),
  'words.txt': words,
  'data.bin': noise(1, 700_000),
  'bulk.dat': noise(2, 5_000_000),
};

async function serve(site: SmallSite, bytesPerSecond?: number): Promise<Origin> {
  return Origin.start({
    mounts: { '/lib/': 'dist/lib', '/': site.dir },
    fault: ({ path }) =>
      bytesPerSecond !== undefined && path.endsWith('.bin')
        ? { type: 'throttle', bytesPerSecond }
        : undefined,
  });
}

/** Until the app's script has run. */
async function launched(driver: WebDriver): Promise<void> {
  await expect.poll(() => driver.evaluate(() => document.documentElement?.dataset.app)).toBe('runs');
}

/** What `fetch` brings of each file: its SHA-256, in hex. */
function digests(driver: WebDriver, paths: readonly string[]): Promise<string[]> {
  return driver.evaluate(
    (paths) =>
      Promise.all(
        paths.map(async (path) => {
          const response = await fetch(path);
          const bytes = await response.arrayBuffer();
          const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
          return `${response.status} ${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
        }),
      ),
    paths,
  );
}

function published(site: SmallSite, paths: readonly string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(join(site.appDir, path));
      return `200 ${createHash('sha256').update(bytes).digest('hex')}`;
    }),
  );
}

for (const codec of ['zstd', 'lz4', 'none'] as const) {
  test(`${codec}: launches while it is loading, completes in memory, every file is right`, async ({
    driver,
  }) => {
    await using site = await smallSite(app, { codec });
    await using origin = await serve(site, 3_000_000);
    await driver.goto(`${origin.url}/?x=1#there`);
    await launched(driver);
    expect(await driver.evaluate(() => [document.title, location.search, location.hash])).toEqual([
      'The app',
      '?x=1',
      '#there',
    ]);
    const paths = Object.keys(app);
    expect(await digests(driver, paths)).toEqual(await published(site, paths));
    await driver.evaluate(() => window.sluice.whenComplete());
    const state = await driver.evaluate(() => window.sluice.state());
    expect(state).toMatchObject({ complete: true, image: site.image, loader: { storage: 'memory' } });
    // Without a cache on disk, a worker asks again for what the boot page's markup has asked for: the first blob.
    expect(origin.bytes(/\.bin$/)).toBeLessThan(site.storedBytes * 1.02 + 2 ** 19);
  });
}

test('ranges, a head, and what has not changed', async ({ driver }) => {
  await using site = await smallSite(app);
  await using origin = await serve(site);
  await driver.goto(`${origin.url}/`);
  await launched(driver);
  const answers = await driver.evaluate(async () => {
    const ask = async (init: RequestInit) => {
      const { status, headers, body } = await fetch('data.bin', init);
      const bytes = body ? [...new Uint8Array(await new Response(body).arrayBuffer())] : [];
      return { status, range: headers.get('Content-Range'), bytes, etag: headers.get('ETag') };
    };
    const range = await ask({ headers: { Range: 'bytes=0-1' } });
    const last = await ask({ headers: { Range: 'bytes=699999-800000' } });
    const outside = await ask({ headers: { Range: 'bytes=700000-' } });
    const head = await ask({ method: 'HEAD' });
    const same = await ask({ headers: { 'If-None-Match': head.etag! } });
    return [range, last, outside, head, same].map(({ status, range, bytes }) => ({ status, range, bytes }));
  });
  const bytes = [...(app['data.bin'] as Uint8Array)];
  expect(answers).toEqual([
    { status: 206, range: 'bytes 0-1/700000', bytes: bytes.slice(0, 2) },
    { status: 206, range: 'bytes 699999-699999/700000', bytes: bytes.slice(-1) },
    { status: 416, range: 'bytes */700000', bytes: [] },
    { status: 200, range: null, bytes: [] },
    { status: 304, range: null, bytes: [] },
  ]);
});

test('a page that is loaded again, and another window, go on without a boot page', async ({ driver }) => {
  await using site = await smallSite(app);
  await using origin = await serve(site);
  await driver.goto(`${origin.url}/`);
  await launched(driver);
  await driver.reload();
  await launched(driver);
  const { back } = await driver.open();
  await driver.goto(`${origin.url}/docs/guide.html`);
  await launched(driver);
  expect(await driver.evaluate(() => document.title)).toBe('The guide');
  const paths = ['data.bin', 'words.txt', 'bulk.dat'].map((path) => `../${path}`);
  expect(await digests(driver, paths)).toEqual(
    await published(
      site,
      paths.map((path) => path.slice(3)),
    ),
  );
  // The loader that leads goes with its window, and with it all that it holds.
  await back();
  await driver.closeWindow();
});

test('no network: what is here is served, what is missing is 503 offline', async ({ driver }) => {
  await using site = await smallSite({ ...app, 'zz-late.dat': noise(3, 1_000_000) }, { blobSize: 2 ** 20 });
  await using origin = await serve(site);
  const late = (await site.blobs()).at(-1)!;
  origin.fault = ({ path }) => (path.endsWith(late) ? { type: 'hang' } : undefined);
  await driver.goto(`${origin.url}/`);
  await launched(driver);
  expect(await digests(driver, ['words.txt'])).toEqual(await published(site, ['words.txt']));
  await origin.stop();
  expect(await digests(driver, ['words.txt'])).toEqual(await published(site, ['words.txt']));
  const [status, code] = await driver.evaluate(async () => {
    const { status, headers } = await fetch('zz-late.dat', { headers: { Range: 'bytes=-2' } });
    return [status, headers.get('Sluice-Error')];
  });
  expect([status, code]).toEqual([503, 'offline']);
});

test('mount() reads in the manner of fs/promises', async ({ driver }) => {
  await using site = await smallSite(app);
  await using origin = await serve(site);
  await driver.goto(`${origin.url}/lib/nothing-here`);
  const read = await driver.evaluate(async () => {
    const library = '/lib/index.js';
    const { mount } = (await import(library)) as { mount: typeof Mount };
    const image = await mount('/');
    const text = await image.readFile('words.txt', 'utf8');
    const names = (await image.readdir('/')) as string[];
    const missing = await image.readFile('no-such-file').catch((error) => error.code);
    await image.close();
    return { text, names, missing };
  });
  expect(read.text).toBe(words);
  expect(read.names).toEqual(['app.js', 'bulk.dat', 'data.bin', 'docs', 'index.html', 'words.txt']);
  expect(read.missing).toBe('ENOENT');
});
