import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { Image } from '../../src/image/image.ts';
import { expect, test } from '../support/browser.ts';
import type { FaultHook } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { mountServer } from './mount-page.ts';
import { storedBlobs } from './proof/stored-blobs.ts';
import { launched, type SmallSite, smallApp, smallSite } from './small-site.ts';
import { storeDurably, storeIsFree } from './store-at-rest.ts';

declare const window: Window & { readonly sluice: Sluice };

interface Place {
  /** SHA-256. */
  readonly blob: string;
  readonly block: number;
  /** In the blob's file. */
  readonly at: number;
}

/** Where a byte of a published file lies, which must be stored raw: the app's noise is. */
async function placeOf({ dir, image }: SmallSite, path: string, offset: number): Promise<Place> {
  const opened = await Image.open(new Uint8Array(await readFile(join(dir, `${image}.bin`))));
  for (const span of opened.mapExtents(opened.lookup(path)!, offset, offset + 1)) {
    const { sha256 } = opened.blob(span.blob);
    return { blob: sha256, block: span.firstBlock, at: span.storedOffset + span.blockOffset };
  }
  throw new Error(`${path} has no byte ${offset}`);
}

/** Writes zeros into a stored blob, from a page without a loader, as soon as the loaders of others have let go of it. */
async function zeros(page: Page, { blob, at }: Place, length: number): Promise<void> {
  await storeIsFree(page);
  await page.evaluate(
    async ({ blob, at, length }) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice');
      for await (const store of root.values()) {
        const blobs = await (store as FileSystemDirectoryHandle).getDirectoryHandle('blobs');
        let file: FileSystemFileHandle | undefined;
        for await (const [name, handle] of blobs.entries())
          if (name.startsWith(blob)) file = handle as FileSystemFileHandle;
        if (!file) throw new Error(`${blob} has no file`);
        const before = (await file.getFile()).size;
        const writable = await file.createWritable({ keepExistingData: true });
        await writable.write({ type: 'write', position: at, data: new Uint8Array(length) });
        await writable.close();
        if ((await file.getFile()).size !== before) throw new Error('It has another length');
      }
    },
    { blob, at, length },
  );
}

const digestOf = (page: Page, path: string): Promise<string> =>
  page.evaluate(async (path) => {
    const bytes = await (await fetch(path)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, path);

const launch = async (page: Page, origin: string): Promise<void> => {
  await page.goto(`${origin}/site/`);
  await launched(page);
};

test('hash_tree: a stored block that went bad is found by scrub(), with its path, comes again, and the app reads what was published', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp(1_500_000), { blobSize: 2 ** 20 });
  await using server = await mountServer(site.dir);
  const { origin } = server;
  await launch(page, origin.url);
  await page.evaluate(() => window.sluice.whenComplete());
  const right = await digestOf(page, 'bulk.dat');

  await page.goto(`${origin.url}/`);
  const place = await placeOf(site, 'bulk.dat', 700_000);
  await zeros(page, place, 100);
  // A disk spoils its files without a word; Chromium would tell a worker that has this one at hand that it was written.
  await stopAllServiceWorkers(page);
  await launch(page, origin.url);
  // Digests are checked before a block is stored, and again by a scrub, not at each read.
  expect(await digestOf(page, 'bulk.dat')).not.toBe(right);
  origin.reset();
  const report = await page.evaluate(() => window.sluice.scrub());
  expect(report.bad).toEqual([{ blob: place.blob, block: place.block, paths: ['bulk.dat'], lost: false }]);
  expect(report.blocks).toBeGreaterThan(5);
  // At once, in every tab: the bad bytes are not in anybody's reach any more.
  const other = await context.newPage();
  await launch(other, origin.url);
  for (const tab of [page, other]) expect(await digestOf(tab, 'bulk.dat')).toBe(right);

  await expect.poll(() => page.evaluate(async () => (await window.sluice.state()).complete)).toBe(true);
  await page.evaluate(() => window.sluice.whenComplete());
  for (const [name, digest] of Object.entries(await storedBlobs(page))) expect(digest).toBe(name);
  // From a standby as well; and there is nothing to be found any more.
  for (const tab of [page, other]) {
    expect((await tab.evaluate(() => window.sluice.scrub())).bad).toEqual([]);
  }
  const blobRequests = origin.requests(/\.bin$/).map(({ path }) => path);
  expect([...new Set(blobRequests)]).toEqual([`/site/${place.blob}.bin`]);
  await origin.stop();
  expect(await digestOf(other, 'bulk.dat')).toBe(right);
});

test('a tab that is killed while it loads: the next launch checks by itself what that one wrote', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(1_500_000), { blobSize: 2 ** 20 });
  const [, last] = await site.blobs();
  let isHeld = true;
  const hold: FaultHook = ({ path }) => (isHeld && path.endsWith(last!) ? { type: 'hang' } : undefined);
  await using server = await mountServer(site.dir, hold);
  const { origin } = server;
  const place = await placeOf(site, 'bulk.dat', 100_000);
  await launch(page, origin.url);
  const isStored = async () => (await storedBlobs(page))[place.blob] === place.blob;
  await expect.poll(isStored).toBe(true);
  await storeDurably(page);

  await page.goto(`${origin.url}/`);
  await zeros(page, place, 100);
  isHeld = false;
  origin.reset();
  await launch(page, origin.url);
  await page.evaluate(() => window.sluice.whenComplete());
  await expect.poll(() => storedBlobs(page)).toMatchObject({ [place.blob]: place.blob });
  await expect.poll(() => page.evaluate(async () => (await window.sluice.state()).complete)).toBe(true);
  expect((await page.evaluate(() => window.sluice.scrub())).bad).toEqual([]);
  const again = origin.requests(new RegExp(place.blob)).map(({ bodyBytes }) => bodyBytes);
  expect(again.length).toBe(1);
  expect(again[0]).toBeLessThan(2 ** 18 + 1);
});
