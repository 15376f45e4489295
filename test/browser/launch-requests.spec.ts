import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

test('a first launch asks for the bootstrap once, though markup, loader and worker all want it', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(300_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(origin.requests(new RegExp(`/${site.image}\\.bin$`))).toHaveLength(1);
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

declare const window: Window & { readonly sluice: { whenComplete(): Promise<void> } };
