import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { type AppFiles, appPage, launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; heard: unknown[] };

const isolated = ['same-origin', 'require-corp', 'same-origin'];
const padding = `/*${'x'.repeat(40_000)}*/`;

const files: AppFiles = {
  ...smallApp(),
  'docs/index.html': appPage('Docs', '../'),
  'clip.bin': noise(3, 5000),
  'isolated.js': `postMessage(self.crossOriginIsolated); ${padding}`,
  'zz-far.bin': noise(4, 1_500_000),
};

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Status and isolation of an answer. */
function policyOf(page: Page, path: string, init: Asked = {}): Promise<unknown[]> {
  return page.evaluate(
    async ({ path, init }) => {
      const { status, headers } = await fetch(path, { cache: 'no-store', ...init });
      const policies = ['Opener', 'Embedder', 'Resource'];
      return [status, ...policies.map((policy) => headers.get(`Cross-Origin-${policy}-Policy`))];
    },
    { path, init },
  );
}

/** What a worker of this script says. */
function workerSays(page: Page, script: string): Promise<unknown> {
  return page.evaluate(
    (script) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(script);
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => reject(new Error('the worker did not start'));
      }),
    script,
  );
}

test('cross-origin isolation is on every kind of answer: whole, part, not modified, error, redirect, from Cache Storage', async ({
  page,
  context,
}) => {
  await using site = await smallSite(files, { crossOriginIsolate: true, blobSize: 524_288 });
  await using origin = await Origin.start({ mounts: { '/app/': site.dir } });
  const [last] = (await site.blobs()).slice(-1);
  origin.fault = ({ path }) => (path.endsWith(last!) ? { type: 'status', status: 404 } : undefined);
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  const range = (value: string): Asked => ({ headers: { Range: value } });
  for (const [path, init, status] of [
    ['clip.bin', {}, 200],
    ['clip.bin', { method: 'HEAD' }, 200],
    ['clip.bin', range('bytes=0-9'), 206],
    ['clip.bin', range('bytes=9999-'), 416],
    ['clip.bin', { headers: { 'If-None-Match': '*' } }, 304],
    ['./', {}, 200],
    ['__sluice/client.js', {}, 200],
    ['__sluice/loader.js', {}, 200],
    ['zz-far.bin', range('bytes=-10'), 502],
  ] as const) {
    expect([path, ...(await policyOf(page, path, init))]).toEqual([path, status, ...isolated]);
  }
  // Each step of a navigation is asked: where one of them says nothing, an isolated opener loses sight of its window.
  const [popup] = await Promise.all([context.waitForEvent('page'), page.evaluate(() => void open('docs'))]);
  // In another process than where it was opened: a driver may lose sight of what it began to wait for there.
  await popup.waitForURL('**/app/docs/');
  await launched(popup);
  expect(await popup.evaluate(() => [location.pathname, crossOriginIsolated, opener !== null])).toEqual([
    '/app/docs/',
    true,
    true,
  ]);
  await popup.close();
  // The second copy of code, made after its first run.
  expect(await workerSays(page, 'isolated.js')).toBe(true);
  const copied = () => page.evaluate(async () => (await caches.match('isolated.js')) !== undefined);
  await expect.poll(copied).toBe(true);
  expect(await workerSays(page, 'isolated.js')).toBe(true);
});

const strictest = [
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self'",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sluice",
].join('; ');

for (const [name, attributes] of [
  ['on the boot page alone, whose place the app takes', {}],
  ['on every page', { '**/*.html': { headers: { 'Content-Security-Policy': strictest } } }],
] as const) {
  test(`the strictest policy, with Trusted Types and without WebAssembly, ${name}: everything works`, async ({
    page,
    log,
  }) => {
    await using site = await smallSite(smallApp(50_000), { attributes, codec: 'lz4' });
    await using origin = await Origin.start({
      mounts: { '/': site.dir },
      headers: () => ({ 'Content-Security-Policy': strictest }),
    });
    await page.goto(`${origin.url}/`);
    await launched(page);
    await page.evaluate(() => window.sluice.whenComplete());
    expect((await page.evaluate(() => window.sluice.state())).loader.role).toBe('leader');
    await page.reload();
    await launched(page);
    // The boot page's own style is for those who allow it.
    expect(log.errors.filter((line) => !/inline style/.test(line))).toEqual([]);
    const complaints = log.console.filter((line) => /Content Security Policy|Trusted/.test(line));
    expect(complaints.filter((line) => !/inline style/.test(line))).toEqual([]);
  });
}

test('only pages of the scope are heard: another app of the origin can neither hand over a loader nor name a release', async ({
  page,
  context,
}) => {
  await using site = await smallSite(smallApp());
  await using other = await smallSite({ ...smallApp(), 'index.html': appPage('Another one') });
  // All that would be needed to take it is there.
  for (const name of await readdir(other.dir))
    if (name.endsWith('.bin')) await copyFile(join(other.dir, name), join(site.dir, name));
  const neighbour = join(other.dir, 'neighbour');
  await mkdir(neighbour);
  await writeFile(join(neighbour, 'index.html'), '<!doctype html><title>Neighbour</title>');
  await using origin = await Origin.start({ mounts: { '/app/': site.dir, '/app-too/': neighbour } });
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const { image } = other;
  const release = {
    image,
    bytes: await page.evaluate(async (name) => (await (await fetch(name)).blob()).size, `${image}.bin`),
  };
  /** Asks and tells; what it is answered is in `heard`. */
  const speak = (from: Page): Promise<void> =>
    from.evaluate(async (release) => {
      const worker = (await navigator.serviceWorker.getRegistration('/app/'))!.active!;
      window.heard = [];
      const say = (message: object): void => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => window.heard.push(data?.type ?? data);
        worker.postMessage(message, [port2]);
      };
      say({ type: 'sluice:has-path', url: new URL('/app/app.js', location.href).href });
      say({ type: 'sluice:loader-port', version: 1 });
      worker.postMessage({ type: 'sluice:release', release });
    }, release);
  const heard = (by: Page): Promise<unknown[]> => by.evaluate(() => window.heard);
  const titleNow = async (): Promise<string> => {
    const tab = await context.newPage();
    await tab.goto(`${origin.url}/app/`);
    await launched(tab);
    const title = await tab.title();
    await tab.close();
    return title;
  };
  const stranger = await context.newPage();
  await stranger.goto(`${origin.url}/app-too/`);
  await speak(stranger);
  // Its navigations are answered behind those words.
  expect(await titleNow()).toBe('The small app');
  expect(await titleNow()).toBe('The small app');
  expect(await heard(stranger)).toEqual([]);
  // The same words of a page of the scope.
  await speak(page);
  await expect.poll(() => heard(page)).toEqual(expect.arrayContaining([true, 'alive']));
  await expect.poll(titleNow).toBe('Another one');
});

test('what others say on the loaders’ channel is no harm: the loader lives on, and reads', async ({
  page,
  log,
}) => {
  await using site = await smallSite(smallApp(50_000));
  await using origin = await Origin.start({ mounts: { '/app/': site.dir } });
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const loader = await page.evaluate(() => window.sluice.state().then(({ loader }) => loader.id));
  await page.evaluate(async (image) => {
    const channel = new BroadcastChannel(`sluice:loaders:${new URL('./', location.href)}`);
    for (const event of [
      undefined,
      { type: 'release' },
      { type: 'release', release: null },
      { type: 'sealed', blobs: 7 },
      { type: 'dropped' },
      { type: 'progress', image, progress: null },
    ])
      channel.postMessage({ type: 'happened', event });
    channel.postMessage({ type: 'leads', loader: {} });
    channel.postMessage(null);
  }, site.image);
  // It has heard all of that when it answers on the same channel.
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const channel = new BroadcastChannel(`sluice:loaders:${new URL('./', location.href)}`);
        channel.onmessage = ({ data }) => data.type === 'leads' && resolve(undefined);
        channel.postMessage({ type: 'who-leads' });
      }),
  );
  expect(await page.evaluate(() => window.sluice.state().then(({ loader }) => loader.id))).toBe(loader);
  expect(await page.evaluate(() => fetch('data.json').then((answer) => answer.json()))).toEqual({
    answer: 42,
  });
  expect(log.errors).toEqual([]);
});

test('no address leads out of the image, or into it by a side door', async ({ page }) => {
  await using site = await smallSite({ ...smallApp(), 'docs/index.html': appPage('Docs', '../') });
  const neighbour = join(site.dir, '../neighbour');
  await mkdir(neighbour);
  await writeFile(join(neighbour, 'secret.txt'), 'the network’s own');
  await using origin = await Origin.start({ mounts: { '/app/': site.dir, '/': neighbour } });
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  const answers = await page.evaluate(async () => {
    const paths = [
      'docs/../app.js',
      'docs\\guide.html',
      'docs%2fguide.html',
      'docs%5cguide.html',
      'docs/%2e%2e%2fapp.js',
      'app.js%00',
      'app.js%00.html',
      './/app.js',
      'app.js/',
      '%61pp.js',
      '%2561pp.js',
      '..%2fapp/app.js',
      '%2e%2e/secret.txt',
      '..%5csecret.txt',
      '__sluice/..%2fapp.js',
    ];
    return Promise.all(
      paths.map(async (path) => {
        const answer = await fetch(path, { cache: 'no-store' });
        await answer.arrayBuffer();
        // Answers of the image have the file's tag.
        const isOurs = /^"[0-9a-f]{16}"$/.test(answer.headers.get('ETag') ?? '');
        return `${path} ${isOurs ? 'image' : 'network'}`;
      }),
    );
  });
  expect(answers).toEqual([
    'docs/../app.js image',
    'docs\\guide.html image',
    'docs%2fguide.html network',
    'docs%5cguide.html network',
    'docs/%2e%2e%2fapp.js network',
    'app.js%00 network',
    'app.js%00.html network',
    './/app.js network',
    'app.js/ network',
    '%61pp.js image',
    '%2561pp.js network',
    '..%2fapp/app.js network',
    '%2e%2e/secret.txt network',
    '..%5csecret.txt network',
    '__sluice/..%2fapp.js network',
  ]);
});
