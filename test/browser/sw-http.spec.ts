import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { expect, test } from '../support/browser.ts';
import type { Fault } from '../support/fault.ts';
import { Origin, type OriginOptions } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { keptRuntime } from './kept-runtime.ts';
import { setReadTimeout } from './read-timeout.ts';
import { type AppFiles, appPage, appScript, launched, type SmallSite, smallSite } from './small-site.ts';
import { storeDurably, storeIsFree } from './store-at-rest.ts';

declare const window: Window & { sluice: Sluice };

const root = '/games/app/';
/** Half of the deadline that a read has where nobody sets another. */
const soonMs = 15_000;
const clip = noise(1, 256);
const large = noise(2, 3_000_000);
const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

const files: AppFiles = {
  'index.html': appPage('The app'),
  'app.js': appScript,
  'docs/index.html': appPage('Docs', '../'),
  'docs/page.html': '<p>no head</p>',
  'clip.mp3': clip,
  'large.bin': large,
  'empty.txt': '',
  'module.wasm': wasm,
  'größe 100%.txt': 'odd name',
  'style.css': 'p { color: red }',
  'data.json': '{"a":1}',
  'module.mjs': 'export const x = 1;',
  'font.woff2': noise(3, 500),
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'worker.js': `onmessage = async ({ data }) => postMessage(await (await fetch(data)).text());`,
};

interface Launched extends AsyncDisposable {
  readonly site: SmallSite;
  readonly origin: Origin;
  /** Absolute URL of the app. */
  readonly url: string;
}

/** The app below a path prefix, on screen, perhaps still loading. */
async function launch(
  page: Page,
  more: {
    files?: AppFiles;
    build?: Parameters<typeof smallSite>[1];
    origin?: Partial<OriginOptions>;
    /** Before the first request. */
    prepare?: (origin: Origin, site: SmallSite) => Promise<void>;
  } = {},
): Promise<Launched> {
  const site = await smallSite(more.files ?? files, more.build);
  const origin = await Origin.start({ mounts: { [root]: site.dir }, ...more.origin });
  const url = `${origin.url}${root}`;
  await more.prepare?.(origin, site);
  await page.goto(url);
  await launched(page);
  const dispose = async () => {
    await origin.stop();
    await site[Symbol.asyncDispose]();
  };
  return { site, origin, url, [Symbol.asyncDispose]: dispose };
}

interface Got {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly redirected: boolean;
  readonly url: string;
  readonly length: number;
  /** SHA-256, hex. */
  readonly digest: string;
  /** Of short answers. */
  readonly text: string;
  readonly ms: number;
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What `fetch` in the page gets. */
async function get(page: Page, path: string, init: Asked = {}): Promise<Got> {
  return page.evaluate(
    async ({ path, init }) => {
      const started = performance.now();
      const response = await fetch(path, init);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const ms = performance.now() - started;
      const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('');
      const { status, redirected, url } = response;
      const headers: Record<string, string> = {};
      response.headers.forEach((value, name) => {
        headers[name] = value;
      });
      const text = bytes.length > 10_000 ? '' : new TextDecoder().decode(bytes);
      return { status, headers, redirected, url, length: bytes.length, digest, text, ms };
    },
    { path, init },
  );
}

/** SHA-256, hex. */
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const range = (value: string, more: Record<string, string> = {}) => ({ headers: { Range: value, ...more } });

test('status, headers and bytes of every kind of request', async ({ page }) => {
  await using app = await launch(page);
  await page.evaluate(() => window.sluice.whenComplete());
  app.origin.reset();

  const whole = await get(page, 'clip.mp3');
  expect(whole.status).toBe(200);
  expect(whole.digest).toBe(digestOf(clip));
  expect(whole.headers).toMatchObject({
    'content-type': 'audio/mpeg',
    'content-length': '256',
    'accept-ranges': 'bytes',
  });
  const etag = whole.headers.etag!;
  expect(etag).toMatch(/^"[0-9a-f]+"$/);

  for (const [asked, start, end] of [
    ['bytes=0-1', 0, 2],
    ['bytes=0-0', 0, 1],
    ['bytes=0-999', 0, 256],
    ['bytes=0-256', 0, 256],
    ['bytes=100-', 100, 256],
    ['bytes=-5', 251, 256],
    ['bytes=-999', 0, 256],
    ['Bytes=5-6', 5, 7],
  ] as const) {
    const part = await get(page, 'clip.mp3', range(asked));
    expect([asked, part.status]).toEqual([asked, 206]);
    expect(part.headers['content-range']).toBe(`bytes ${start}-${end - 1}/256`);
    expect(part.headers['content-length']).toBe(String(end - start));
    expect(part.headers.etag).toBe(etag);
    expect(part.digest).toBe(digestOf(clip.subarray(start, end)));
  }
  for (const asked of ['bytes=256-', 'bytes=-0', 'bytes=300-400']) {
    const out = await get(page, 'clip.mp3', range(asked));
    expect([asked, out.status, out.headers['content-range'], out.length]).toEqual([
      asked,
      416,
      'bytes */256',
      0,
    ]);
  }
  for (const asked of ['bytes=5-4', 'items=0-1', 'bytes=x', 'bytes=0-1,5-6']) {
    const all = await get(page, 'clip.mp3', range(asked));
    expect([asked, all.status, all.length, all.headers['content-range']]).toEqual([
      asked,
      200,
      256,
      undefined,
    ]);
  }
  expect((await get(page, 'clip.mp3', range('bytes=0-1', { 'If-Range': etag }))).status).toBe(206);
  expect((await get(page, 'clip.mp3', range('bytes=0-1', { 'If-Range': '"old"' }))).status).toBe(200);
  const same = await get(page, 'clip.mp3', { headers: { 'If-None-Match': etag } });
  expect([same.status, same.length]).toEqual([304, 0]);
  expect((await get(page, 'clip.mp3', { headers: { 'If-None-Match': '"old"' } })).status).toBe(200);
  const head = await get(page, 'clip.mp3', { method: 'HEAD' });
  expect([head.status, head.headers['content-length'], head.length]).toEqual([200, '256', 0]);
  const empty = await get(page, 'empty.txt');
  expect([empty.status, empty.headers['content-length']]).toEqual([200, '0']);

  const middle = await get(page, 'large.bin', range('bytes=1000000-1999999'));
  expect(middle.digest).toBe(digestOf(large.subarray(1_000_000, 2_000_000)));
  const all = await get(page, 'large.bin');
  expect(all.digest).toBe(digestOf(large));

  for (const [path, type] of [
    ['index.html', 'text/html'],
    ['app.js', 'text/javascript'],
    ['module.mjs', 'text/javascript'],
    ['style.css', 'text/css'],
    ['data.json', 'application/json'],
    ['module.wasm', 'application/wasm'],
    ['font.woff2', 'font/woff2'],
    ['picture.svg', 'image/svg+xml'],
    ['large.bin', 'application/octet-stream'],
  ] as const) {
    const got = await get(page, path, { method: 'HEAD' });
    expect([path, got.headers['content-type']?.replace(/;.*/, '')]).toEqual([path, type]);
  }
  expect(
    await page.evaluate(async () => (await WebAssembly.compileStreaming(fetch('module.wasm'))) !== null),
  ).toBe(true);
  // All of this came from the image.
  expect(app.origin.requests((r) => !/\/(sw\.js|__sluice\/.*|favicon\.ico)$/.test(r.path))).toEqual([]);
});

test('paths: queries, encodings, directories, redirects, navigations', async ({ page }) => {
  await using app = await launch(page);
  expect((await get(page, 'data.json?v=1&w')).text).toBe('{"a":1}');
  expect((await get(page, 'gr%C3%B6%C3%9Fe%20100%25.txt')).text).toBe('odd name');
  expect((await get(page, './größe 100%25.txt#f')).text).toBe('odd name');
  const docs = await get(page, 'docs?a=1&b=/');
  expect([docs.status, docs.redirected, docs.url]).toEqual([200, true, `${app.url}docs/?a=1&b=/`]);
  // A fetch gets the file as it is; only a navigation gets our script.
  expect(docs.text).toBe(files['docs/index.html']);
  expect((await get(page, '.')).text).toBe(files['index.html']);

  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/docs/?q=1')),
    page.goto(`${app.url}docs?q=1#part`),
  ]);
  await launched(page);
  expect(page.url()).toBe(`${app.url}docs/?q=1#part`);
  const html = await answer.text();
  expect(html).toContain(`<head><script src="${root}__sluice/client.js" integrity="sha256-`);
  expect(answer.headers()['content-length']).toBe(String(Buffer.byteLength(html)));
  await page.goto(`${app.url}docs/page.html`);
  // It has run, and the document is the app's alone.
  expect(await page.evaluate(() => document.scripts.length)).toBe(0);
  expect(await page.evaluate(() => typeof window.sluice.state)).toBe('function');
});

test('what a boot page asks for, to put it in its place, is found as a navigation finds it, and has no script of ours', async ({
  page,
}) => {
  await using app = await launch(page, { build: { fallback: 'index.html' } });
  const init = { headers: { 'Sluice-Launch': '1' } };
  expect((await get(page, 'a/page/of/its/own', init)).text).toBe(files['index.html']);
  expect((await get(page, 'docs/', init)).text).toBe(files['docs/index.html']);
  expect((await get(page, 'a/page/of/its/own')).status).toBe(404);
  expect(app.origin.requests(/of\/its\/own$/)).toHaveLength(1);
});

test('what is not the app’s goes to the network untouched', async ({ page }) => {
  const seen: string[] = [];
  const echo: NonNullable<OriginOptions['routes']>[string] = async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    seen.push(`${req.method} ${req.url} ${req.headers['x-app'] ?? ''} ${Buffer.concat(chunks)}`);
    res.writeHead(201, { 'X-From': 'server' }).end('made');
  };
  await using app = await launch(page, { origin: { routes: { [`${root}api`]: echo, '/elsewhere': echo } } });
  const posted = await get(page, 'api', { method: 'POST', body: 'b', headers: { 'X-App': '1' } });
  expect([posted.status, posted.headers['x-from'], posted.text]).toEqual([201, 'server', 'made']);
  await get(page, 'api', { headers: { 'X-App': '2' } });
  await get(page, '/elsewhere', { method: 'PUT', body: 'c' });
  await get(page, 'data.json', { method: 'POST', body: 'd' });
  expect(seen).toEqual([`POST ${root}api 1 b`, `GET ${root}api 2 `, 'PUT /elsewhere  c']);
  expect(app.origin.requests((r) => r.method === 'POST' && r.path.endsWith('data.json')).length).toBe(1);

  const missing = await get(page, 'missing.png');
  expect([missing.status, missing.headers['sluice-error']]).toEqual([404, undefined]);
  for (const path of ['docs%2Fpage.html', 'docs%5Cpage.html', 'data.json%00', 'docs//page.html']) {
    await get(page, path);
    expect([path, app.origin.requests((r) => r.path === root + path).length]).toEqual([path, 1]);
  }
  // The same while the worker has just been restarted and the image is not open yet.
  await stopAllServiceWorkers(page);
  const late = await get(page, 'api', { headers: { 'X-App': '3' } });
  expect([late.status, seen.at(-1)]).toEqual([201, `GET ${root}api 3 `]);
  await stopAllServiceWorkers(page);
  expect((await get(page, 'missing.png')).status).toBe(404);
});

const bulk = noise(5, 2_000_000);

/** The app with a file whose last blob does not come before `release()`; `fault` is what happens to it until then. */
async function launchHeld(page: Page, fault: (held: Promise<void>) => Fault, build = {}) {
  const { promise: held, resolve: release } = deferred();
  let last = '';
  let released = false;
  const app = await launch(page, {
    files: { ...files, 'zz.bin': bulk },
    build: { blobSize: 1 << 20, ...build },
    prepare: async (origin, site) => {
      last = (await site.blobs()).at(-1)!;
      origin.fault = ({ path }) => (path.endsWith(last) && !released ? fault(held) : undefined);
    },
  });
  return Object.assign(app, {
    /** File name. */
    last,
    release: () => {
      released = true;
      release();
    },
  });
}

test('killed at any time: the next request, and one that is held, are answered', async ({ page, engine }) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  for (let i = 0; i < 3; i++) {
    await stopAllServiceWorkers(page);
    expect((await get(page, 'data.json')).text).toBe('{"a":1}');
  }
  // What a service worker that is killed holds, Chromium sends to the next one; Firefox breaks it off.
  if (engine === 'firefox') return;
  const reading = get(page, 'zz.bin', range('bytes=-1000'));
  await expect
    .poll(() => page.evaluate(async () => (await window.sluice.state()).pendingReads.map(({ path }) => path)))
    .toContain('zz.bin');
  await stopAllServiceWorkers(page);
  app.release();
  const got = await reading;
  expect(got.status).toBe(206);
  expect(got.digest).toBe(digestOf(bulk.subarray(-1000)));
});

test('a missing block: held till its deadline, then 504; when it comes, 200', async ({ page }) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  await setReadTimeout(page, 1500);
  const late = await get(page, 'zz.bin', range('bytes=-10'));
  expect([late.status, late.headers['sluice-error'], late.headers['retry-after']]).toEqual([
    504,
    'read-timeout',
    '1',
  ]);
  expect(late.ms).toBeGreaterThan(1400);
  expect(late.ms).toBeLessThan(soonMs);
  expect(late.text).toContain('zz.bin');
  // Nothing of this waits for it.
  expect((await get(page, 'zz.bin', { method: 'HEAD' })).headers['content-length']).toBe('2000000');
  expect((await get(page, 'zz.bin', range('bytes=2000000-'))).status).toBe(416);
  expect((await get(page, 'data.json')).status).toBe(200);
  await setReadTimeout(page, 120_000);
  const reading = get(page, 'zz.bin');
  app.release();
  expect((await reading).digest).toBe(digestOf(bulk));
});

test('a page that goes away takes its reads with it; those of others go on', async ({ page, context }) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  const pending = (tab: Page) =>
    tab.evaluate(async () => (await window.sluice.state()).pendingReads.map(({ block }) => block.index));
  const other = await context.newPage();
  await other.goto(app.url);
  await launched(other);
  // In a worker of that page, so that it is no page that must be found alive.
  const reading = other.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const code = `onmessage = async ({ data }) => postMessage((await (await fetch(data, { headers: { Range: 'bytes=-9' } })).text()).length)`;
        const worker = new Worker(URL.createObjectURL(new Blob([code])));
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(new URL('zz.bin', location.href).href);
      }),
  );
  await expect.poll(async () => (await pending(page)).length).toBe(1);
  await page.evaluate(() => void fetch('zz.bin', { headers: { Range: 'bytes=-100000' } }));
  await expect.poll(async () => (await pending(page)).length).toBeGreaterThan(1);
  await page.goto(`${app.url}docs/`);
  await launched(page);
  await expect.poll(async () => (await pending(page)).length).toBe(1);
  app.release();
  expect(await reading).toBeGreaterThan(0);
});

test('a long deadline outlives a restart of the worker', async ({ page }) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  await setReadTimeout(page, 1500);
  await stopAllServiceWorkers(page);
  const late = await get(page, 'zz.bin', range('bytes=-10'));
  expect([late.status, late.headers['sluice-error']]).toEqual([504, 'read-timeout']);
  expect(late.ms).toBeLessThan(soonMs);
  void app;
});

test('offline: what is here works, what is missing is 503 at once; back online it works', async ({
  page,
}) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  await app.origin.stop();
  const missing = await get(page, 'zz.bin', range('bytes=-10'));
  expect([missing.status, missing.headers['sluice-error']]).toEqual([503, 'offline']);
  expect(missing.ms).toBeLessThan(soonMs);
  expect((await get(page, 'data.json')).status).toBe(200);
  app.release();
  await app.origin.start();
  const again = await get(page, 'zz.bin', range('bytes=-10'));
  expect([again.status, again.digest]).toEqual([206, digestOf(bulk.subarray(-10))]);
});

test('wrong bytes: 502 for that file, the others work; mended, it works without a reload', async ({
  page,
  engine,
}) => {
  await using app = await launchHeld(page, () => ({ type: 'flip-bit', offset: 300_000 }));
  const { last } = app;
  const outcomes = await page.evaluate(async () => {
    const response = await fetch('zz.bin');
    return response.arrayBuffer().then(
      () => [response.status, response.headers.get('Sluice-Error')],
      (error: Error) => [response.status, error.name],
    );
  });
  // The first block may be right: then the body errors. It never ends as if it were whole.
  // (A body that breaks off is a TypeError; Firefox says that it was aborted.)
  expect(outcomes).toEqual([200, engine === 'firefox' ? 'AbortError' : 'TypeError']);
  expect((await get(page, 'data.json')).status).toBe(200);
  app.release();
  expect(app.origin.requests((r) => r.path.endsWith(last)).length).toBeGreaterThan(0);
  const got = await get(page, 'zz.bin');
  expect(got.digest).toBe(digestOf(bulk));
});

test('no loader alive: the worker reads the store and fetches what is missing by itself, once', async ({
  page,
}) => {
  await using app = await launchHeld(page, (until) => ({ type: 'hold', until }));
  // All is here but the last blob.
  const missing = () =>
    page.evaluate(async () => {
      const { bytes } = await window.sluice.state();
      return bytes.total - bytes.present;
    });
  await expect.poll(missing).toBeLessThan(1 << 20);
  await storeDurably(page);
  // A page of the scope that is no HTML has no client, and so no loader.
  await page.goto(`${app.url}app.js`);
  expect(await page.evaluate(() => 'sluice' in window)).toBe(false);
  await stopAllServiceWorkers(page);
  app.origin.reset();
  expect((await get(page, 'data.json')).text).toBe('{"a":1}');
  expect((await get(page, 'large.bin')).digest).toBe(digestOf(large));
  // The browser itself wishes for an icon, and looks for another worker, sooner or later.
  expect(app.origin.requests(({ path }) => !/\/(sw\.js|favicon\.ico)$/.test(path))).toEqual([]);

  app.release();
  const parts = await Promise.all([get(page, 'zz.bin'), get(page, 'zz.bin'), get(page, 'zz.bin')]);
  for (const part of parts) expect(part.digest).toBe(digestOf(bulk));
  const fetched = app.origin.bytes(/\.bin$/);
  expect(fetched).toBeGreaterThan(0);
  expect(fetched).toBeLessThan(1.1 * (1 << 20));
  // A new page's loader gets what was fetched, and fetches the rest. It may have asked for some of it before it was told of it: a slow
  // machine gives it the time for a request or two of 256 KiB, but not for all.
  await page.goto(app.url);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(app.origin.bytes(/\.bin$/)).toBeLessThan(1.75 * (1 << 20));
  await page.goto(`${app.url}app.js`);
  await app.origin.stop();
  await stopAllServiceWorkers(page);
  expect((await get(page, 'zz.bin')).digest).toBe(digestOf(bulk));
});

test('a first navigation with nothing stored: the worker brings bootstrap and page by itself', async ({
  page,
  engine,
}) => {
  await using app = await launch(page);
  // The loader must not hold its files while they are taken away.
  await page.goto(`${app.url}app.js`);
  await storeIsFree(page);
  await page.evaluate(async () => {
    const opfs = await navigator.storage.getDirectory();
    await opfs.removeEntry('sluice', { recursive: true });
  });
  await stopAllServiceWorkers(page);
  app.origin.reset();
  // (Chromium may ask the network as well while a stopped worker starts; what counts is who answers.)
  const answer = await page.goto(`${app.url}docs/`);
  // (Firefox does not tell.)
  if (engine === 'chromium') expect(answer?.fromServiceWorker()).toBe(true);
  await launched(page);
  expect(await page.title()).toBe('Docs');
  await page.evaluate(() => window.sluice.whenComplete());
  expect((await get(page, '../large.bin')).digest).toBe(digestOf(large));
  // Bootstrap and blobs once, besides what the loader may ask twice while the worker hands over.
  expect(app.origin.bytes(/\.bin$/)).toBeLessThan(1.3 * app.site.storedBytes);
});

test('complete: a navigation offline, after a restart of the browser', async ({ profile }) => {
  const page = (await profile.launch()).pages()[0]!;
  const app = await launch(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await keptRuntime(page);
  await app.origin.stop();
  await profile.close();
  const again = (await profile.launch()).pages()[0]!;
  await again.goto(`${app.url}docs?x=1#y`);
  await launched(again);
  expect(again.url()).toBe(`${app.url}docs/?x=1#y`);
  expect((await get(again, '../large.bin')).digest).toBe(digestOf(large));
  await again.evaluate(() => window.sluice.whenComplete());
  await app[Symbol.asyncDispose]();
});

test('workers and frames are served, and cross-origin isolation holds in all of them', async ({ page }) => {
  await using app = await launch(page, {
    files: { ...files, 'isolated.js': 'postMessage(self.crossOriginIsolated)' },
    build: { crossOriginIsolate: true },
  });
  void app;
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const fromWorker = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('worker.js');
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => reject(new Error('the worker did not start'));
        worker.postMessage('data.json');
      }),
  );
  expect(fromWorker).toBe('{"a":1}');
  const isolated = await page.evaluate(
    () => new Promise((resolve) => (new Worker('isolated.js').onmessage = ({ data }) => resolve(data))),
  );
  expect(isolated).toBe(true);
  // The loader lives in a worker of the isolated page too.
  await page.evaluate(() => window.sluice.whenComplete());
  const framed = await page.evaluate(async () => {
    const frame = document.createElement('iframe');
    frame.src = 'docs/page.html';
    document.body.append(frame);
    await new Promise((resolve) => frame.addEventListener('load', resolve));
    const { sluice, crossOriginIsolated } = frame.contentWindow as unknown as typeof window;
    return [sluice !== undefined, crossOriginIsolated];
  });
  expect(framed).toEqual([true, true]);
});

test('messages from elsewhere, or of no sense, change nothing', async ({ page, engine }) => {
  await using app = await launch(page);
  const answers = await page.evaluate(async () => {
    const worker = navigator.serviceWorker.controller!;
    const ask = (url: unknown) =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => resolve(data);
        port1.addEventListener('close', () => resolve('closed'));
        worker.postMessage({ type: 'sluice:has-path', url }, [port2]);
      });
    const digest = 'f'.repeat(64);
    for (const message of [
      null,
      'sluice:release',
      { type: 'sluice:release' },
      { type: 'sluice:release', release: { image: 'x', bytes: 1 } },
      { type: 'sluice:release', release: { image: digest, bytes: -1 } },
      { type: 'sluice:settings', readTimeoutMs: -5 },
      { type: 'sluice:loader-port', version: 99 },
      { type: 'toString' },
      // Well-formed, but there is no such image: it must not take the place of the good one.
      { type: 'sluice:release', release: { image: digest, bytes: 100 } },
    ]) {
      worker.postMessage(message);
    }
    return Promise.all(
      [location.href, 'docs', 'data.json', 'docs/none.html', '/'].map((path) =>
        ask(new URL(path, location.href).href),
      ),
    );
  });
  expect(answers).toEqual([true, true, true, false, false]);
  expect((await get(page, 'data.json')).status).toBe(200);
  await app.origin.waitForRequest(/f{64}\.bin$/);
  await stopAllServiceWorkers(page);
  const answer = await page.goto(`${app.url}docs/`);
  // (Firefox does not tell.)
  if (engine === 'chromium') expect(answer?.fromServiceWorker()).toBe(true);
  await launched(page);
});

test('a synchronous request of a worker is answered; of a page, where the browser shows it', async ({
  page,
  engine,
}) => {
  await using app = await launch(page, {
    files: {
      ...files,
      'sync.js': `
        function sync(url) {
          const request = new XMLHttpRequest();
          request.open('GET', url, false);
          request.send();
          return [request.status, request.responseText];
        }
        if (!globalThis.document) postMessage(sync('data.json'));`,
    },
  });
  const ofWorker = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new Worker('sync.js').onmessage = (event) => resolve(event.data);
      }),
  );
  expect(ofWorker).toEqual([200, files['data.json']]);
  await page.addScriptTag({ url: `${app.url}sync.js` });
  const [status] = await page.evaluate(() =>
    (globalThis as unknown as { sync: (url: string) => [number, string] }).sync('data.json'),
  );
  expect(status).toBe(engine === 'chromium' ? 404 : 200);
});

test('an app’s own service worker is refused inside the scope, by name', async ({ page, log }) => {
  await using app = await launch(page, { files: { ...files, 'own-sw.js': '' } });
  const refused = await page.evaluate(() =>
    navigator.serviceWorker.register('own-sw.js').then(
      () => 'registered',
      (error: Error) => error.name,
    ),
  );
  expect(refused).toBe('SecurityError');
  await expect.poll(() => log.console.join()).toContain(`${app.url}own-sw.js`);
  // The script itself is a file like any other.
  expect((await get(page, 'own-sw.js')).status).toBe(200);
  expect((await get(page, 'data.json')).status).toBe(200);
});
