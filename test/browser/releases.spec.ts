import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { NewRelease, Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { textRoutes } from '../support/routes.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { currentImage } from './current-image.ts';
import { appPage, appScript, launched, type SmallSite, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; news: NewRelease[] };

const offer = 'There is a new version';

/** Versions that share nothing, and in which the page itself is a block like others. */
const versionOf = (n: number): Promise<SmallSite> =>
  smallSite({
    'index.html': appPage(`Version ${n}`),
    'app.js': `${appScript}// ${n}`,
    'bulk.dat': noise(n, 500_000),
  });

/** What the server has of `site` is the other version from now on, and nothing else. */
async function deploy(site: SmallSite, next: SmallSite): Promise<void> {
  for (const name of [...(await site.blobs()), `${site.image}.bin`]) await rm(join(site.dir, name));
  await cp(next.dir, site.dir, { recursive: true, force: true });
}

const startOrigin = (site: SmallSite): Promise<Origin> =>
  Origin.start({ mounts: { '/': site.dir }, headers: () => ({ 'Cache-Control': 'no-store' }) });

async function launch(page: Page, origin: Origin): Promise<void> {
  await page.goto(`${origin.url}/`);
  await launched(page);
}

/** Until everything is here. */
async function launchWhole(page: Page, origin: Origin): Promise<void> {
  await launch(page, origin);
  await page.evaluate(() => window.sluice.whenComplete());
}

/** Notes what the page is told of releases. */
const listen = (page: Page, prevent = false) =>
  page.evaluate((prevent) => {
    window.news = [];
    window.sluice.addEventListener('release', (event) => {
      window.news.push(event.detail);
      if (prevent) event.preventDefault();
    });
  }, prevent);

const read = (page: Page) =>
  page.evaluate(async () => {
    const answer = await fetch('bulk.dat');
    return [answer.status, answer.headers.get('Sluice-Error')];
  });

test('a deploy in the middle of a visit, and the old files dropped: bad-origin, an event, an offer to reload, and the reload brings the new version', async ({
  page,
}) => {
  await using one = await versionOf(1);
  await using two = await versionOf(2);
  const image = one.image;
  await using origin = await startOrigin(one);
  await launchWhole(page, origin);
  await listen(page);
  await deploy(one, two);
  // What is here goes on being read.
  expect(await read(page)).toEqual([200, null]);
  await page.evaluate(() => window.sluice.evict());
  expect(await read(page)).toEqual([502, 'bad-origin']);
  await expect.poll(() => page.evaluate(() => window.news)).toEqual([{ image: two.image, isGone: true }]);
  expect(await page.evaluate(async () => (await window.sluice.state()).image)).toBe(image);
  await expect(page.getByText(offer)).toBeVisible();
  await page.getByRole('button', { name: 'Later' }).click();
  await expect(page.getByText(offer)).toHaveCount(0);

  await page.reload();
  await launched(page);
  expect(await page.title()).toBe('Version 2');
  expect(await read(page)).toEqual([200, null]);
});

test('the button reloads; whoever has listened and prevented it is not offered anything', async ({
  context,
  page,
}) => {
  await using one = await versionOf(1);
  await using two = await versionOf(2);
  await using origin = await startOrigin(one);
  await launchWhole(page, origin);
  const other = await context.newPage();
  await launch(other, origin);
  await listen(other, true);
  await deploy(one, two);
  await page.evaluate(() => window.sluice.evict());
  expect(await read(page)).toEqual([502, 'bad-origin']);
  await expect
    .poll(() => other.evaluate(() => window.news.at(-1)))
    .toEqual({ image: two.image, isGone: true });
  await page.getByRole('button', { name: 'Reload' }).click();
  await expect.poll(() => page.title()).toBe('Version 2');
  await expect(other.getByText(offer)).toHaveCount(0);
});

test('files that are missing without a new release: bad-origin, and no offer, since a reload would not help', async ({
  page,
}) => {
  await using one = await versionOf(1);
  await using origin = await startOrigin(one);
  await launchWhole(page, origin);
  await listen(page);
  for (const name of await one.blobs()) await rm(join(one.dir, name));
  await page.evaluate(() => window.sluice.evict());
  origin.reset();
  expect(await read(page)).toEqual([502, 'bad-origin']);
  await origin.waitForRequest(({ path }) => path.endsWith('sluice.json'));
  expect(await read(page)).toEqual([502, 'bad-origin']);
  expect(await page.evaluate(() => window.news)).toEqual([]);
  await expect(page.getByText(offer)).toHaveCount(0);
});

test('a new page whose version the server has dropped, and nobody is there who would know: it is of the version that is published', async ({
  page,
}) => {
  await using one = await versionOf(1);
  await using two = await versionOf(2);
  await using origin = await startOrigin(one);
  await launchWhole(page, origin);
  await page.evaluate(() => window.sluice.evict());
  // What a service worker remembers goes with it.
  await page.goto('about:blank');
  await stopAllServiceWorkers(page);
  await deploy(one, two);
  await launch(page, origin);
  expect(await page.title()).toBe('Version 2');
  expect(await read(page)).toEqual([200, null]);
  expect(await page.evaluate(async () => (await window.sluice.state()).image)).toBe(two.image);
});

test('a boot page from some cache, older than what the server has: it says so, and Try again brings what is published', async ({
  page,
}) => {
  await using one = await versionOf(1);
  await using two = await versionOf(2);
  const old = await readFile(join(one.dir, 'index.html'), 'utf8');
  await deploy(one, two);
  await using origin = await Origin.start({
    mounts: { '/': one.dir },
    routes: textRoutes({ '/': ['text/html', old] }),
  });
  await page.goto(`${origin.url}/`);
  await expect(page.locator('#sluice-status')).toContainText('bad-origin');
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
  expect(await page.title()).toBe('Version 2');
  expect(await read(page)).toEqual([200, null]);
});

test('a rollback is a release like any other', async ({ page }) => {
  await using site = await versionOf(1);
  await using one = await versionOf(1);
  await using two = await versionOf(2);
  await using origin = await startOrigin(site);
  const next = async ({ image }: SmallSite, title: string): Promise<void> => {
    // A page hears of it, and the next one is of it.
    await page.reload();
    await launched(page);
    await expect.poll(() => currentImage(page)).toBe(image);
    await page.reload();
    await launched(page);
    expect(await page.title()).toBe(title);
    expect(await read(page)).toEqual([200, null]);
  };
  await launchWhole(page, origin);
  await deploy(site, two);
  await next(two, 'Version 2');
  await page.evaluate(() => window.sluice.whenComplete());
  // All that the server has of the second one goes.
  for (const name of [...(await two.blobs()), `${two.image}.bin`]) await rm(join(site.dir, name));
  await cp(one.dir, site.dir, { recursive: true, force: true });
  await next(one, 'Version 1');
  expect(await page.evaluate(async () => (await window.sluice.state()).image)).toBe(one.image);
});
