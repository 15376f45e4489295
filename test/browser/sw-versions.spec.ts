import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { textRoutes } from '../support/routes.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { currentImage } from './current-image.ts';
import { newestWorkerActive } from './newest-worker.ts';
import { appPage, appScript, launched, smallSite } from './small-site.ts';
import { storeIsFree } from './store-at-rest.ts';

declare const window: Window & { sluice: Sluice };

const version = (n: number) => ({
  'index.html': appPage(`Version ${n}`),
  'app.js': appScript,
  'later.txt': `of version ${n}`,
  'frame.html': `<title>Frame ${n}</title><a href="frame.html?again">again</a>`,
  'worker.js': `onmessage = async () => postMessage(await (await fetch('later.txt')).text());`,
});

const read = (page: Page) => page.evaluate(async () => (await fetch('later.txt')).text());

function readInWorker(page: Page): Promise<unknown> {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const worker = new Worker('worker.js');
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage('');
      }),
  );
}

/** The same in a worker whose script is not a file. */
function readInBlobWorker(page: Page): Promise<unknown> {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const script = `onmessage = async ({ data }) => postMessage(await (await fetch(data)).text());`;
        const worker = new Worker(URL.createObjectURL(new Blob([script])));
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(new URL('later.txt', location.href).href);
      }),
  );
}

/** The title of a frame that the page makes, and of what a link inside of it leads to. */
function framed(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const frame = document.createElement('iframe');
    const loaded = () => new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    frame.src = 'frame.html';
    document.body.append(frame);
    await loaded();
    const titles = [frame.contentDocument!.title];
    frame.contentDocument!.querySelector('a')!.click();
    await loaded();
    titles.push(frame.contentDocument!.title);
    frame.remove();
    return titles;
  });
}

test('a tab never sees two versions: the open one keeps its own, a new navigation gets the new one', async ({
  page,
  context,
}) => {
  await using one = await smallSite(version(1));
  await using two = await smallSite(version(2));
  await using origin = await Origin.start({ mounts: { '/': one.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await expect.poll(() => currentImage(page)).toBe(one.image);

  // Deployed: blobs first, the pointer with the rest.
  await cp(two.dir, one.dir, { recursive: true, force: true });
  expect(await readFile(join(one.dir, 'sluice.json'), 'utf8')).toContain(two.image);
  const second = await context.newPage();
  await second.goto(`${origin.url}/`);
  await launched(second);
  await expect.poll(() => currentImage(second)).toBe(two.image);
  // Both tabs began with the old version and keep it, their workers too, also when the service worker is restarted.
  for (const tab of [page, second]) expect(await read(tab)).toBe('of version 1');
  expect(await readInWorker(page)).toBe('of version 1');
  for (let i = 0; i < 2; i++) expect(await readInBlobWorker(page)).toBe('of version 1');
  await stopAllServiceWorkers(page);
  for (const tab of [page, second]) expect(await read(tab)).toBe('of version 1');
  // So does a loader that takes the place of one that died.
  await second.evaluate(() => window.sluice.state());
  await second
    .workers()[0]!
    .evaluate(() => self.close())
    .catch(() => {}); // It does not answer any more.
  expect(await second.evaluate(async () => (await window.sluice.state()).image)).toBe(one.image);

  await second.reload();
  await launched(second);
  expect(await second.title()).toBe('Version 2');
  expect(await read(second)).toBe('of version 2');
  expect(await read(page)).toBe('of version 1');
  expect(await readInWorker(page)).toBe('of version 1');
  expect(await readInWorker(second)).toBe('of version 2');
  // (Of two tabs with one address, the one last used is taken for the frame's.)
  await second.goto(`${origin.url}/?second`);
  await launched(second);
  expect(await framed(page)).toEqual(['Frame 1', 'Frame 1']);
  expect(await framed(second)).toEqual(['Frame 2', 'Frame 2']);
  await second.close();
  expect(await readInBlobWorker(page)).toBe('of version 1');
  await stopAllServiceWorkers(page);
  expect(await framed(page)).toEqual(['Frame 1', 'Frame 1']);
});

test('an image that is gone, here and from the server: the newer release takes its place', async ({
  page,
}) => {
  await using one = await smallSite(version(1));
  await using two = await smallSite(version(2));
  await using origin = await Origin.start({ mounts: { '/': one.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.goto(`${origin.url}/app.js`);
  await rm(join(one.dir, `${one.image}.bin`));
  await cp(two.dir, one.dir, { recursive: true, force: true });
  await storeIsFree(page);
  await page.evaluate(async () => {
    const opfs = await navigator.storage.getDirectory();
    await opfs.removeEntry('sluice', { recursive: true });
  });
  await stopAllServiceWorkers(page);
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(await page.title()).toBe('Version 2');
  expect(await read(page)).toBe('of version 2');
});

test('a new service worker waits for the tabs of the old one, and comes with its runtime', async ({
  page,
}) => {
  await using site = await smallSite(version(1));
  await using origin = await Origin.start({
    mounts: { '/app/': site.dir },
    routes: textRoutes({ '/': ['text/html', 'outside'] }),
  });
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const worker = join(site.dir, 'sw.js');
  // Another build: another cache of runtime files. (And of another length: as nginx does, the server tells files apart by that and by the second.)
  const code = await readFile(worker, 'utf8');
  const [build] = /[\w.]+-[0-9a-f]{12}/.exec(code)!;
  await writeFile(worker, code.replaceAll(build, `${build.slice(0, -1)}x`).concat('\n'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.update());
  await expect
    .poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.waiting?.state))
    .toBe('installed');
  expect(await page.evaluate(() => caches.keys())).toHaveLength(2);
  const kept = await page.evaluate(async () => {
    const name = (await caches.keys()).find((key) => key.endsWith('x'))!;
    return (await (await caches.open(name)).keys()).map(({ url }) => url.split('/').at(-1)).sort();
  });
  expect(kept).toEqual(['client.js', 'icon.svg', 'loader.js', 'zstd.wasm']);
  expect(await read(page)).toBe('of version 1');

  // The last tab of the old one goes, and its time is over.
  await page.goto(`${origin.url}/`);
  await newestWorkerActive(page, '/app/');
  expect(await page.evaluate(() => caches.keys())).toEqual([expect.stringMatching(/x$/)]);
  await origin.stop();
  await page.goto(`${origin.url}/app/`);
  await launched(page);
  expect(await read(page)).toBe('of version 1');
});
