import { cp, readdir } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { clearCaches } from './clear-caches.ts';
import { appPage, launched, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; made: string; lib: string };

/* Code files have second copies in Cache Storage, since Chromium keeps compiled code for what comes from there. */

const padding = `/*${'x'.repeat(40_000)}*/`;
/** A module of one memory and nothing else, and a custom section that makes it long. */
const wasm = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1],
  ...[0, 0x82, 0x80, 2, 1, 120],
  ...new Uint8Array(32_768),
]);

const app = (n = 1) => ({
  'index.html': appPage('Code', '').replace('</body>', '<script src="lib.js?q"></script></body>'),
  'app.js': `document.documentElement.dataset.app = 'runs'; window.made = 'image ${n}';
    window.done = WebAssembly.compileStreaming(fetch('code.wasm'));
    fetch('data.js'); import('./small.js'); ${padding}`,
  'lib.js': `window.lib = 'image'; ${padding}`,
  'small.js': 'export {};',
  'data.js': `'only fetched'; ${padding}`,
  'never.js': `'not read'; ${padding}`,
  'code.wasm': wasm,
  'bulk.dat': noise(3, 200_000),
});

const copied = ['app.js', 'code.wasm', 'lib.js?q'];

/** What has a copy, below the scope. */
function copies(page: Page, scope: string): Promise<string[]> {
  return page.evaluate(async (scope) => {
    const name = `sluice-code:${scope}`;
    if (!(await caches.has(name))) return [];
    const keys = await (await caches.open(name)).keys();
    return keys.map(({ url }) => url.slice(scope.length)).sort();
  }, scope);
}

/** Launches, and waits until the code is copied. */
async function copiedApp(page: Page, origin: Origin): Promise<void> {
  await page.goto(`${origin.url}/`);
  await launched(page);
  await expect.poll(() => copies(page, `${origin.url}/`)).toEqual(copied);
}

/** Puts a script with other words, and all headers that a copy has, in the place of the copy of app.js: whoever answers by copies gives it away. */
async function markCopy(page: Page, made: string, change: Record<string, string> = {}): Promise<void> {
  await page.evaluate(
    async ({ made, change }) => {
      const [name] = (await caches.keys()).filter((name) => name.startsWith('sluice-code:'));
      const cache = await caches.open(name!);
      // Those of this tab's version.
      const { headers: own } = await fetch('app.js', { method: 'HEAD' });
      const headers = new Headers(own);
      for (const [key, value] of Object.entries(change)) headers.set(key, value);
      const code = `document.documentElement.dataset.app = 'runs'; window.made = '${made}';`;
      await cache.put('app.js', new Response(code, { headers }));
    },
    { made, change },
  );
}

/** Who made the script that runs after another navigation. */
async function relaunched(page: Page, url = page.url()): Promise<string> {
  await page.goto('about:blank');
  await page.goto(url);
  await launched(page);
  return page.evaluate(() => window.made);
}

test('what a launch compiles is copied, and answered from the copy with the headers of an answer from blocks; nothing else is', async ({
  page,
}) => {
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await copiedApp(page, origin);
  const state = await page.evaluate(() => window.sluice.state());
  expect(state.copies.files).toBe(3);
  expect(state.copies.bytes).toBeGreaterThan(100_000);
  const [copy, blocks] = await page.evaluate(async () => {
    const headers = (response: Response) => [...response.headers].sort();
    return [headers((await caches.match('app.js'))!), headers(await fetch('app.js'))];
  });
  expect(copy).toEqual(blocks);

  await markCopy(page, 'copy');
  expect(await relaunched(page)).toBe('copy');
  await stopAllServiceWorkers(page);
  expect(await relaunched(page)).toBe('copy');
  // A fetch is not compiled.
  expect(await page.evaluate(async () => (await fetch('app.js')).text())).toContain('image 1');
});

test('Chromium keeps what it compiled beside the copy', async ({ profile, engine }) => {
  test.skip(engine !== 'chromium', 'what other browsers keep cannot be told from their files');
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const page = (await profile.launch()).pages()[0]!;
  await copiedApp(page, origin);
  await profile.close();
  // The second file of an entry of Cache Storage has what was compiled.
  const compiled = async () => {
    const files = await readdir(`${profile.dir}/Default/Service Worker/CacheStorage`, { recursive: true });
    return files.filter((name) => /[0-9a-f]{16}_1$/.test(name)).length;
  };
  const before = await compiled();
  const again = (await profile.launch()).pages()[0]!;
  await again.goto(`${origin.url}/`);
  await launched(again);
  await expect.poll(compiled).toBe(before + 2);
});

test('read_log: a launch from copies is in the log as one from blocks', async ({ page }) => {
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const logged = () =>
    page.evaluate(async () => {
      const { reads } = await window.sluice.readLog();
      return [...new Set(reads.map(({ path, blob, block }) => `${path} ${blob} ${block}`))].sort();
    });
  await copiedApp(page, origin);
  // What the app reads besides, and when, has nothing to do with the copies; and the service worker tells a little later what it has read.
  await expect
    .poll(async () => [...new Set((await logged()).map((read) => read.split(' ')[0]))])
    .toEqual(['app.js', 'code.wasm', 'data.js', 'index.html', 'lib.js', 'small.js']);
  const cold = await logged();
  expect(cold.filter((read) => /^(app|lib)\.js|^code\.wasm/.test(read)).length).toBeGreaterThan(2);
  await relaunched(page);
  await expect.poll(logged).toEqual(cold);
});

test('a copy that is gone, of other headers, or of another file, is passed over', async ({ page }) => {
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await copiedApp(page, origin);
  for (const change of [
    { ETag: '"0000000000000000"' },
    { 'Content-Type': 'text/javascript; charset=latin1' },
    { 'Content-Length': '5' },
  ]) {
    await markCopy(page, 'another', change);
    expect(await relaunched(page)).toBe('image 1');
  }
  // And made again, by a loader: one begins with what it is asked.
  await page.evaluate(() => window.sluice.state());
  await expect
    .poll(() =>
      page.evaluate(async () => (await (await caches.match('app.js'))?.text())?.includes('image 1')),
    )
    .toBe(true);
  await clearCaches(page);
  expect(await relaunched(page)).toBe('image 1');
  await page.evaluate(() => window.sluice.state());
  await expect.poll(() => copies(page, `${origin.url}/`)).toEqual(copied);
});

test('delete_on_whiteout: what was removed or replaced at run time is not answered from the copy of what it was', async ({
  page,
}) => {
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await copiedApp(page, origin);
  await markCopy(page, 'copy');
  const script = () =>
    page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const script = Object.assign(document.createElement('script'), { src: 'app.js' });
          script.onload = () => resolve(window.made);
          script.onerror = () => resolve('none');
          document.head.append(script);
        }),
    );
  expect(await script()).toBe('copy');
  await page.evaluate(() => window.sluice.unlink('app.js'));
  expect(await script()).toBe('none');
  await page.evaluate(
    (padding) =>
      window.sluice.createFile('app.js', {
        content: new TextEncoder().encode(`window.made = 'run time'; ${padding}`),
      }),
    padding,
  );
  expect(await script()).toBe('run time');
  await expect.poll(() => copies(page, `${origin.url}/`)).toEqual(copied.slice(1));
});

test('copies go with their blocks: evicted', async ({ page }) => {
  await using site = await smallSite(app());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await copiedApp(page, origin);
  await page.evaluate(() => window.sluice.evict());
  expect(await copies(page, `${origin.url}/`)).toEqual([]);
  expect(await relaunched(page)).toBe('image 1');
});

test('an update: no version gets the copy of another, and what is the same keeps it', async ({
  page,
  context,
}) => {
  await using one = await smallSite(app(1));
  await using two = await smallSite(app(2));
  await using origin = await Origin.start({ mounts: { '/': one.dir } });
  await copiedApp(page, origin);
  await markCopy(page, 'copy of 1');
  await cp(two.dir, one.dir, { recursive: true, force: true });
  const second = await context.newPage();
  await second.goto(`${origin.url}/`);
  await launched(second);
  expect(await second.evaluate(() => window.made)).toBe('copy of 1');
  await expect
    .poll(async () => {
      await second.reload();
      await launched(second);
      return second.evaluate(() => window.made);
    })
    .toBe('image 2');
  const script = (tab: Page) =>
    tab.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const script = Object.assign(document.createElement('script'), { src: 'app.js' });
          script.onload = () => resolve(window.made);
          document.head.append(script);
        }),
    );
  // A copy of the second version is passed over by the open tab of the first. (The leader may be copying just now, which takes its place.)
  await expect(async () => {
    await markCopy(second, 'copy of 2');
    expect(await script(second)).toBe('copy of 2');
  }).toPass();
  expect(await script(page)).toBe('image 1');
  // The next leader makes a copy of the second version in the place of one of the first, and leaves what is the same.
  await markCopy(page, 'copy of 1');
  await second.evaluate(async () => {
    const cache = await caches.open((await caches.keys()).find((name) => name.startsWith('sluice-code:'))!);
    const lib = (await cache.match('lib.js?q'))!;
    await cache.put('lib.js?q', new Response("window.lib = 'copy';", { headers: lib.headers }));
  });
  await page.close();
  await second.reload();
  await launched(second);
  expect(await second.evaluate(() => [window.made, window.lib])).toEqual(['image 2', 'copy']);
  await expect
    .poll(() => second.evaluate(async () => (await (await caches.match('app.js'))?.text()) ?? ''))
    .toContain('image 2');
  await second.reload();
  await launched(second);
  expect(await second.evaluate(() => [window.made, window.lib])).toEqual(['image 2', 'copy']);
});

test('two apps of one origin have their own copies', async ({ page }) => {
  await using one = await smallSite(app(1));
  await using two = await smallSite(app(2));
  await using origin = await Origin.start({ mounts: { '/a/': one.dir, '/a/b/': two.dir } });
  for (const scope of ['/a/', '/a/b/']) {
    await page.goto(origin.url + scope);
    await launched(page);
    await expect.poll(() => copies(page, origin.url + scope)).toEqual(copied);
  }
  expect(await copies(page, `${origin.url}/a/`)).toEqual(copied);
  expect(await relaunched(page, `${origin.url}/a/`)).toBe('image 1');
  expect(await relaunched(page, `${origin.url}/a/b/`)).toBe('image 2');
});
