import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

test('a first launch asks for bootstrap and first blob once, though markup, loader and worker all want them', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const [firstBlob] = await site.blobs();
  for (const name of [`${site.image}.bin`, firstBlob]) {
    expect(origin.requests(({ path }) => path === `/${name}`)).toHaveLength(1);
  }
});

test('a kept bootstrap that is not the published one is fetched again', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const isBootstrap = (path: string) => path === `/${site.image}.bin`;
  // The browser keeps what the boot page's markup asked for, and the loader is given that.
  origin.fault = ({ path, earlier }) =>
    isBootstrap(path) && earlier === 0 ? { type: 'flip-bit', offset: 100 } : undefined;
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(origin.requests(({ path }) => isBootstrap(path))).toHaveLength(2);
});

test('a kept first blob that is not the published one is fetched again, in parts', async ({ page }) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const firstBlob = `/${(await site.blobs())[0]}`;
  origin.fault = ({ path, range }) =>
    path === firstBlob && range === undefined ? { type: 'flip-bit', offset: 100_000 } : undefined;
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(origin.requests(({ path, range }) => path === firstBlob && range === undefined)).toHaveLength(1);
});

declare const window: Window & { readonly sluice: { whenComplete(): Promise<void> } };
