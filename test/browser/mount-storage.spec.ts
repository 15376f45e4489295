import { cp } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { FsmapRow, Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { currentImage } from './current-image.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { appPage, appScript, launched, type SmallSite, smallApp, smallSite } from './small-site.ts';

/** Firefox 153 has no command for it. */
const NO_QUOTA = 'the quota of one origin can be set in Chromium only';

declare const window: LibraryWindow & { readonly sluice: Sluice };

const MB = 1_000_000;
const bulk = 5 * MB;
const small = { blobSize: 1024 * 1024 };

/** The blobs, or bootstraps, that have a file in OPFS, by name, with their lengths. */
function storedFiles(page: Page, folder: 'blobs' | 'images' = 'blobs'): Promise<Record<string, number>> {
  return page.evaluate(async (folder) => {
    const found: Record<string, number> = {};
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice');
    for await (const store of root.values()) {
      const files = await (store as FileSystemDirectoryHandle).getDirectoryHandle(folder);
      for await (const file of files.values())
        found[file.name] = (await (file as FileSystemFileHandle).getFile()).size;
    }
    return found;
  }, folder);
}

/** Their names on the server. */
const publishedNames = (stored: Record<string, number>): string[] =>
  Object.keys(stored).map((name) => `${name.slice(0, 64)}.bin`);

const fetchedBlobs = (origin: Origin): number =>
  origin.requests(({ path, status }) => path.endsWith('.bin') && status < 400).length;

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}

/** Of the file as the mounted image reads it. */
function readDigest(page: Page, path: string): Promise<string> {
  return page.evaluate(async (path) => {
    const bytes = await window.image.readFile(path);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, path);
}

async function mountWhole(page: Page): Promise<void> {
  await page.evaluate(async () => {
    window.image = await window.mount('/site/');
    await window.image.whenComplete();
  });
}

test('pin, unpin, evict and fsmap of a mounted image, in OPFS', async ({ page }) => {
  await using site = await smallSite(smallApp(bulk), small);
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await mountWhole(page);
  const blobs = await site.blobs();
  expect(blobs.length).toBeGreaterThan(4);
  expect(publishedNames(await storedFiles(page)).sort()).toEqual(blobs.toSorted());

  // The map and the disk agree, row by row.
  const mapOf = () =>
    page.evaluate(async () => {
      const rows: FsmapRow[] = [];
      for await (const row of window.image.fsmap()) rows.push(row);
      return rows;
    });
  const rows = await mapOf();
  const ends: Record<string, number> = {};
  for (const { file, start, end, flags } of rows) {
    expect(start).toBe(ends[file] ?? 0);
    expect(flags).not.toContain('free');
    ends[file] = end;
  }
  for (const [name, length] of Object.entries(await storedFiles(page)))
    expect(ends[`blobs/${name}`]).toBe(length);
  expect(ends[`images/${site.image}.bin`]).toBeGreaterThan(0);
  const owned = rows.flatMap(({ owners }) => owners.filter(({ path }) => path === 'bulk.dat'));
  expect(owned.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(bulk);

  // What is pinned is not evicted.
  await page.evaluate(() => window.image.pin(['bulk.*']));
  await page.evaluate(() => window.image.evict());
  const pinned = Object.keys(await storedFiles(page));
  expect(pinned.length).toBeGreaterThanOrEqual(5);
  expect((await mapOf()).filter(({ flags }) => flags.includes('pinned')).length).toBeGreaterThan(0);
  server.origin.reset();
  expect(await readDigest(page, 'bulk.dat')).toBe(await digestOf(noise(7, bulk)));
  expect(fetchedBlobs(server.origin)).toBe(0);

  await page.evaluate(() => window.image.unpin());
  await page.evaluate(() => window.image.evict());
  expect(await storedFiles(page)).toEqual({});
  const state = await page.evaluate(() => window.image.state());
  expect([state.complete, state.blocks.present]).toEqual([false, 0]);
  expect((await mapOf()).filter(({ file }) => file.startsWith('blobs/'))).toEqual([]);
  expect(await page.evaluate(() => window.image.filledRanges('bulk.dat'))).toEqual([]);
  server.origin.reset();
  expect(await readDigest(page, 'bulk.dat')).toBe(await digestOf(noise(7, bulk)));
  expect(fetchedBlobs(server.origin)).toBeGreaterThan(0);
  await expect.poll(async () => Object.keys(await storedFiles(page)).length).toBeGreaterThanOrEqual(5);
  expect(await page.evaluate(() => window.outcome(window.image.pin(['nope'])))).toBe('ENOENT');
});

test('an answer that is read slowly while its blobs are evicted and begin again: right to its end, or broken off', async ({
  page,
}) => {
  const long = 24 * MB;
  await using site = await smallSite(smallApp(long), small);
  const headers = () => ({ 'Cache-Control': 'no-store' });
  await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const outcome = await page.evaluate(async (size) => {
    const slow = (await fetch('/bulk.dat')).body!.getReader();
    const got: Uint8Array<ArrayBuffer>[] = [(await slow.read()).value!];
    await window.sluice.evict();
    // Of each blob a block comes again, so that each has a file with gaps.
    for (let at = 500_000; at < size; at += 2 ** 20)
      await (await fetch('/bulk.dat', { headers: { Range: `bytes=${at}-${at + 9}` } })).arrayBuffer();
    try {
      for (let next = await slow.read(); !next.done; next = await slow.read()) got.push(next.value);
    } catch {
      return 'broken off';
    }
    const bytes = await new Blob(got).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, long);
  expect([await digestOf(noise(7, long)), 'broken off']).toContain(outcome);
});

test('a launched app evicts itself: the service worker answers by it at once, in every tab, and what is read comes again', async ({
  context,
  page,
}) => {
  await using site = await smallSite({ ...smallApp(bulk), 'unread.dat': noise(9, 3 * MB) }, small);
  // The browser's HTTP cache may have short blobs, and would answer for the server.
  const headers = () => ({ 'Cache-Control': 'no-store' });
  await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const other = await context.newPage();
  await other.goto(`${origin.url}/docs/guide.html`);
  await launched(other);
  const fetched = (tab: Page) =>
    tab.evaluate(async () => {
      const answer = await fetch('/bulk.dat');
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()));
      return [answer.status, [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')];
    });
  const right = [200, await digestOf(noise(7, bulk))];
  // Its mappings are in the service worker's cache from here on.
  expect(await fetched(page)).toEqual(right);
  for (const tab of [page, other]) {
    origin.reset();
    await tab.evaluate(() => window.sluice.evict());
    expect(await storedFiles(tab)).toEqual({});
    expect((await tab.evaluate(() => window.sluice.state())).blocks.present).toBe(0);
    expect(await fetched(page)).toEqual(right);
    expect(await fetched(other)).toEqual(right);
    expect(fetchedBlobs(origin)).toBeGreaterThan(0);
    const { blocks, complete } = await tab.evaluate(() => window.sluice.state());
    expect(blocks.present).toBeGreaterThan(0);
    expect(complete).toBe(false);
  }
  // Only what was read has come: the background's work has stopped.
  const { present, total } = (await page.evaluate(() => window.sluice.state())).blocks;
  expect(present).toBeLessThan(total);
  const rows = await other.evaluate(async () => {
    let count = 0;
    for await (const row of window.sluice.fsmap()) if (row.file.startsWith('blobs/')) count += 1;
    return count;
  });
  expect(rows).toBeGreaterThan(0);
});

/** Another version of the app, of which nothing is the same. */
async function update(site: SmallSite, seed: number): Promise<SmallSite> {
  const two = await smallSite(
    {
      'index.html': appPage('The next version'),
      'app.js': `${appScript}// ${seed}`,
      'bulk.dat': noise(seed, bulk),
    },
    small,
  );
  await cp(two.dir, site.dir, { recursive: true });
  return two;
}

test('a small quota: the version that no tab uses is culled for the one that is loaded', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_QUOTA);
  await using site = await smallSite(smallApp(bulk), small);
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await mountWhole(page);
  await page.evaluate(() => window.image.close());
  const old = await site.blobs();
  await using two = await update(site, 8);
  const session = await page.context().newCDPSession(page);
  const origin = server.origin.url;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 9 * MB });
  await mountWhole(page);
  expect(await readDigest(page, 'bulk.dat')).toBe(await digestOf(noise(8, bulk)));
  const state = await page.evaluate(() => window.image.state());
  expect([state.complete, state.loader.storage]).toEqual([true, 'opfs']);
  const stored = publishedNames(await storedFiles(page));
  const current = await two.blobs();
  expect(stored).toEqual(expect.arrayContaining(current));
  expect(old.filter((name) => stored.includes(name)).length).toBeLessThan(old.length);
});

test('a small quota: of the release that no tab uses not even the bootstrap stays, and the next one runs without a server', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_QUOTA);
  await using site = await smallSite(smallApp(bulk), small);
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const launch = async (title: string): Promise<void> => {
    await page.goto(`${origin.url}/`);
    await launched(page);
    expect(await page.title()).toBe(title);
    await page.evaluate(() => window.sluice.whenComplete());
  };
  await launch('The small app');
  await using two = await update(site, 8);
  // This page hears of it, and the next one is of it. The first leader after that is still told what was read of the old one.
  await launch('The small app');
  await expect.poll(() => currentImage(page)).toBe(two.image);
  await launch('The next version');
  const bootstraps = async () => Object.keys(await storedFiles(page, 'images'));
  expect(await bootstraps()).toContain(`${site.image}.bin`);
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize: 9 * MB });
  await launch('The next version');
  await expect.poll(bootstraps).toEqual([`${two.image}.bin`]);
  expect(publishedNames(await storedFiles(page)).sort()).toEqual((await two.blobs()).toSorted());
  await stopAllServiceWorkers(page);
  await origin.stop();
  await launch('The next version');
  const answer = await page.evaluate(async () => (await (await fetch('bulk.dat')).arrayBuffer()).byteLength);
  expect(answer).toBe(bulk);
});

test('a small quota and nothing that may be culled: all is read, nothing more is stored, until there is room', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_QUOTA);
  await using site = await smallSite(smallApp(bulk), small);
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await mountWhole(page);
  await page.evaluate(async () => {
    await window.image.pin();
    await window.image.close();
  });
  const old = await storedFiles(page);
  await using _two = await update(site, 8);
  const session = await page.context().newCDPSession(page);
  const origin = server.origin.url;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 9 * MB });
  await page.evaluate(async () => {
    window.image = await window.mount('/site/');
  });
  expect(await readDigest(page, 'bulk.dat')).toBe(await digestOf(noise(8, bulk)));
  await expect
    .poll(async () => (await page.evaluate(() => window.image.state())).loader.storage)
    .toBe('memory');
  expect(await readDigest(page, 'bulk.dat')).toBe(await digestOf(noise(8, bulk)));
  const state = await page.evaluate(() => window.image.state());
  expect([state.complete, state.loader.lastError?.code]).toEqual([false, 'ENOSPC']);
  expect(await storedFiles(page)).toMatchObject(old);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100 * MB });
  // Another tab that opens the image has the loader look.
  const other = await page.context().newPage();
  await libraryPage(other, server.origin);
  await mountWhole(other);
  const after = await page.evaluate(() => window.image.state());
  expect([after.complete, after.loader.storage]).toEqual([true, 'opfs']);
});
