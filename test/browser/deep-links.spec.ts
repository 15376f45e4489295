import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { startSiteServer } from '../../src/cli/site-server.ts';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { hardReload } from '../support/browser-commands.ts';
import { Origin } from '../support/origin.ts';
import { textRoutes } from '../support/routes.ts';
import { appPage, appScript, launched, type SmallSite, smallSite } from './small-site.ts';

declare const window: Window & { sluice?: Sluice; address: string };

const prefix = '/games/doom/';

const addressOf = (page: Page): Promise<string> => page.evaluate(() => window.address);

/** An app of one page, for all addresses below {@link prefix}. */
function singlePage(): Promise<SmallSite> {
  return smallSite(
    { 'index.html': appPage('One page', prefix), 'app.js': appScript },
    { fallback: 'index.html' },
  );
}

test('a single-page app is first visited at an address of its own, at a host with a page for unknown paths', async ({
  page,
}) => {
  await using site = await singlePage();
  const server = await startSiteServer({ directory: site.dir, port: 0, prefix });
  try {
    const first = await page.goto(`${server.url}maps/e1/m1?skill=3#door`);
    expect(first?.status()).toBe(404);
    await launched(page);
    expect(await addressOf(page)).toBe(`${prefix}maps/e1/m1?skill=3#door`);
    await expect(page.getByRole('heading')).toHaveText('One page');
    const later = await page.goto(`${server.url}maps/e1/m2`);
    expect(later?.status()).toBe(200);
    await launched(page);
    await hardReload(page);
    await launched(page);
    expect(await addressOf(page)).toBe(`${prefix}maps/e1/m2`);
  } finally {
    await server.close();
  }
});

test('the same at a host that answers unknown paths with the app’s page, scripts too', async ({ page }) => {
  await using site = await singlePage();
  const html = await readFile(join(site.dir, 'index.html'), 'utf8');
  const unknown = ['maps/7', 'maps/__sluice/client.js'].map(
    (path) => [prefix + path, ['text/html', html]] as const,
  );
  await using origin = await Origin.start({
    mounts: { [prefix]: site.dir },
    routes: textRoutes(Object.fromEntries(unknown)),
  });
  await page.goto(`${origin.url}${prefix}maps/7`);
  await launched(page);
  expect(await addressOf(page)).toBe(`${prefix}maps/7`);
});

test('a policy without inline scripts allows the one that looks for the site by its hash', async ({
  page,
}) => {
  await using site = await singlePage();
  const html = await readFile(join(site.dir, '404.html'), 'utf8');
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [hash] = /'sha256-[\w+/=]+'/.exec(readme) ?? [];
  const policy = `script-src 'self' 'wasm-unsafe-eval' ${hash}; worker-src 'self'`;
  await using origin = await Origin.start({
    mounts: { [prefix]: site.dir },
    routes: {
      [`${prefix}maps/7`]: (_request, response) =>
        response.writeHead(404, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy }).end(html),
    },
  });
  await page.goto(`${origin.url}${prefix}maps/7`);
  await launched(page);
  expect(await addressOf(page)).toBe(`${prefix}maps/7`);
});

test('an app’s own page for unknown paths is shown at them, on the first visit and later', async ({
  page,
}) => {
  await using site = await smallSite({
    'index.html': appPage('Start'),
    '404.html': appPage('Nothing here', prefix),
    'app.js': appScript,
  });
  const server = await startSiteServer({ directory: site.dir, port: 0, prefix });
  try {
    for (const path of ['a/b/missing', 'missing', 'a/missing']) {
      await page.goto(server.url + path);
      await launched(page);
      await expect(page.getByRole('heading')).toHaveText('Nothing here');
      expect(await addressOf(page)).toBe(prefix + path);
      expect(await page.evaluate(async () => (await window.sluice?.state())?.complete)).toBeDefined();
    }
    await page.goto(server.url);
    await launched(page);
    await expect(page.getByRole('heading')).toHaveText('Start');
  } finally {
    await server.close();
  }
});

test('a page above which there is no site says so', async ({ page }) => {
  await using site = await singlePage();
  const html = await readFile(join(site.dir, '404.html'), 'utf8');
  await using origin = await Origin.start({
    mounts: { '/elsewhere/': site.dir },
    routes: textRoutes({ '/maps/7': ['text/html', html] }),
  });
  await page.goto(`${origin.url}/maps/7`);
  await expect(page.getByRole('heading')).toHaveText('The app could not be started');
  await expect(page.locator('#sluice-status')).toContainText('Publish all files of the site. (bad-origin)');
  await expect(page.getByRole('progressbar')).toBeHidden();
});

test('a page whose policy asks for trusted script addresses says so', async ({ page }) => {
  await using site = await singlePage();
  const html = await readFile(join(site.dir, '404.html'), 'utf8');
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    routes: textRoutes({ '/maps/7': ['text/html', html] }),
    headers: () => ({
      'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types sluice",
    }),
  });
  await page.goto(`${origin.url}/maps/7`);
  await expect(page.getByRole('heading')).toHaveText('The app could not be started');
  await expect(page.locator('#sluice-status')).toContainText('begin at its start page');
});

test('no script of another origin is run, whatever the path looks like', async ({ page }) => {
  await using site = await singlePage();
  await using other = await Origin.start({ mounts: { '/': site.dir } });
  const html = await readFile(join(site.dir, '404.html'), 'utf8');
  const path = `//127.0.0.1:${other.port}/x`;
  await using origin = await Origin.start({
    mounts: { '/elsewhere/': site.dir },
    routes: textRoutes({ [path]: ['text/html', html] }),
  });
  await page.goto(origin.url + path);
  await expect(page.getByRole('heading')).toHaveText('The app could not be started');
  expect(other.log).toEqual([]);
});
