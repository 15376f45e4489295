import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { crc32 } from '../../src/format/crc32.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import { encodeHeader } from '../../src/store/journal.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { publishRuntime, rebuilt } from '../support/rebuilt.ts';
import { bulkSite, readBulk, rightBulk } from './bulk-file.ts';
import { launched } from './small-site.ts';
import { storeIsFree } from './store-at-rest.ts';

declare const window: Window & { sluice: Sluice; asked: number };

const headers = () => ({ 'Cache-Control': 'no-store' });

const stateOf = (page: Page) => page.evaluate(() => window.sluice.state());

test('no OPFS, as in private windows: the same launch, kept in memory, in every tab', async ({
  context,
  page,
}) => {
  await using site = await bulkSite();
  const denied = `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('denied', 'SecurityError'));`;
  await publishRuntime(site.dir, await rebuilt(site.dir, { sw: denied, loader: denied }));
  await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(await readBulk(page)).toEqual(await rightBulk());
  await page.evaluate(() => window.sluice.whenComplete());
  const { complete, loader } = await stateOf(page);
  expect([complete, loader.storage]).toEqual([true, 'memory']);
  const other = await context.newPage();
  await other.goto(`${origin.url}/docs/guide.html`);
  await launched(other);
  origin.reset();
  expect(await readBulk(other)).toEqual(await rightBulk());
  expect(origin.requests(({ path }) => path.endsWith('.bin'))).toEqual([]);
});

test('a quota that is met by one write or another: the app launches, reads right, and notices nothing', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'only Chromium lets a test set a quota');
  await using site = await bulkSite();
  const session = await page.context().newCDPSession(page);
  // From nothing at all to nearly enough.
  for (const quotaSize of [0, 200_000, 1_500_000]) {
    await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
    await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize });
    for (const path of ['/', '/docs/guide.html']) {
      await page.goto(`${origin.url}${path}`);
      await launched(page);
      for (let i = 0; i < 2; i++) expect(await readBulk(page), `${quotaSize}`).toEqual(await rightBulk());
    }
    await expect.poll(async () => (await stateOf(page)).loader.storage, `${quotaSize}`).toBe('memory');
    expect((await stateOf(page)).loader.health, `${quotaSize}`).toBe('ok');
  }
});

/** The journals of the origin's store, hex. */
function journals(page: Page, write?: string): Promise<string[]> {
  return page.evaluate(async (write) => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice');
    const found: string[] = [];
    for await (const store of root.values()) {
      for (const name of ['journal-a', 'journal-b']) {
        const handle = await (store as FileSystemDirectoryHandle).getFileHandle(name);
        if (write !== undefined) {
          const stream = await handle.createWritable({ keepExistingData: true });
          await stream.write(Uint8Array.from(write.match(/../g)!, (byte) => Number.parseInt(byte, 16)));
          await stream.close();
        }
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        found.push([...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
      }
    }
    return found;
  }, write);
}

test('a store that a newer release wrote: it is left alone, the app runs without storing', async ({
  page,
}) => {
  await using site = await bulkSite();
  await using origin = await Origin.start({ mounts: { '/': site.dir }, headers });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await page.goto(`${origin.url}/sluice.json`);
  await storeIsFree(page);
  const header = encodeHeader(7);
  new DataView(header.buffer).setUint32(8, 2, true);
  new DataView(header.buffer).setUint32(28, crc32(header.subarray(0, 28)), true);
  const before = await journals(page, Buffer.from(header).toString('hex'));
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(await readBulk(page)).toEqual(await rightBulk());
  await page.evaluate(() => window.sluice.whenComplete());
  const { complete, loader } = await stateOf(page);
  expect([complete, loader.storage, loader.lastError?.code]).toEqual([true, 'memory', 'store-too-new']);
  expect(await journals(page)).toEqual(before);
});

test('persist() is asked for once the app is complete and the visitor does something, and its answer is in state()', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'Firefox asks the visitor, whom nothing here can stand for');
  await using site = await bulkSite();
  const { promise: until, resolve: go } = deferred();
  const [, , ...late] = await site.blobs();
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers,
    fault: ({ path }) => (late.some((name) => path.includes(name)) ? { type: 'hold', until } : undefined),
  });
  await page.addInitScript(() => {
    window.asked = 0;
    const ask = StorageManager.prototype.persist;
    StorageManager.prototype.persist = function () {
      window.asked += 1;
      return ask.call(this);
    };
  });
  // Left to itself a browser decides by what it knows of the site, and of the profile.
  const session = await page.context().newCDPSession(page);
  const browserAnswers = (setting: 'granted' | 'denied') =>
    session.send('Browser.setPermission', {
      origin: origin.url,
      permission: { name: 'persistent-storage' },
      setting,
    });
  await browserAnswers('denied');
  await page.goto(`${origin.url}/`);
  await launched(page);
  const asked = () => page.evaluate(() => window.asked);
  await page.mouse.click(5, 5);
  expect(await asked()).toBe(0);
  go();
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await asked()).toBe(0);
  await expect
    .poll(async () => {
      await page.mouse.click(5, 5);
      return asked();
    })
    .toBe(1);
  // An app may ask again by itself.
  expect((await stateOf(page)).persisted).toBe(false);
  await browserAnswers('granted');
  expect(await page.evaluate(() => window.sluice.persist())).toBe(true);
  expect((await stateOf(page)).persisted).toBe(true);
  // Nobody is asked twice in a week, whatever the answer was.
  await browserAnswers('denied');
  await page.reload();
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await page.mouse.click(5, 5);
  expect([(await stateOf(page)).persisted, await asked()]).toEqual([false, 0]);
});
