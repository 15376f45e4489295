import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import { BlockTable } from '../../../src/format/block-table.ts';
import { hex } from '../../../src/format/sha256.ts';
import { Image } from '../../../src/image/image.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { launched, type SmallSite, smallApp, smallSite } from '../small-site.ts';
import { legend } from './legend.ts';

declare const window: Window & { sluice: Sluice };

const loaders = (page: Page) =>
  page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    return held.filter(({ name }) => name?.startsWith('sluice:loader:')).length;
  });

async function firstDigest(site: SmallSite): Promise<string> {
  const image = await Image.open(new Uint8Array(await readFile(join(site.dir, `${site.image}.bin`))));
  const blob = new Uint8Array(await readFile(join(site.dir, (await site.blobs())[0]!)));
  const table = await BlockTable.open(blob.slice(0, image.blob(0).tableLength), image.blob(0));
  return hex(table.digest(0));
}

const tab = (panel: Page, name: string): Locator => panel.getByRole('tab', { name, exact: true });

test('the inspector’s page shows a loading app as it is, and goes with it offline', async ({
  page,
  context,
  log,
}) => {
  await using site = await smallSite(smallApp(6_000_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const bulk = (await site.blobs()).at(-1)!;
  const { promise: until, resolve: letGo } = deferred();
  // Loading, and still while somebody looks: what lies behind 3 MB of a blob does not come before it is let go.
  origin.fault = ({ path }) => (path.endsWith(bulk) ? { type: 'hold', until, from: 3_000_000 } : undefined);
  await page.goto(`${origin.url}/`);
  await launched(page);
  // Nothing of it comes with an app.
  expect(origin.requests(/inspector|__sluice\/(index.html)?$/)).toHaveLength(0);
  const before = await loaders(page);

  const panel = await context.newPage();
  await panel.goto(`${origin.url}/__sluice/`);
  expect(origin.requests(/inspector\.js$/)).toHaveLength(1);
  await panel.locator('sluice-block-canvas').waitFor();
  // The same blocks; and the panel is no tab.
  let total = 0;
  await expect
    .poll(async () => {
      const { blocks } = await page.evaluate(() => window.sluice.state());
      const { present = 0, sealed = 0, 'in memory': inMemory = 0, ...others } = await legend(panel);
      total = blocks.total;
      const isAll = Object.values(others).reduce((sum, count) => sum + count, present + sealed) === total;
      return isAll && inMemory === 0 && blocks.present < total && present + sealed === blocks.present;
    })
    .toBe(true);
  await expect(panel.getByRole('combobox', { name: 'Image' })).toContainText(
    `${site.image.slice(0, 10)} · 1 tab`,
  );
  expect(await loaders(page)).toBe(before + 1);

  // By keys alone: to the map, to its first block, which is read out, and kept.
  await tab(panel, 'Blocks').focus();
  await panel.keyboard.press('ArrowRight');
  await expect(tab(panel, 'Files')).toBeFocused();
  await expect(tab(panel, 'Files')).toHaveAttribute('aria-selected', 'true');
  await panel.keyboard.press('Home');
  await expect(tab(panel, 'Blocks')).toBeFocused();
  await panel.getByRole('application', { name: /Block map/ }).focus();
  await panel.keyboard.press('Home');
  await expect(
    panel.locator('[aria-live]').filter({ hasText: /^Block 0 of blob 0: (present|sealed)/ }),
  ).toHaveCount(1);
  await panel.keyboard.press('Enter');
  const details = panel.getByRole('region', { name: 'Details of the block' });
  await expect(details).toContainText(await firstDigest(site));
  for (const path of ['index.html', 'app.js', 'docs/guide.html'])
    await expect(details.getByRole('button', { name: path, exact: true })).toBeVisible();
  await panel.keyboard.press('ArrowRight');
  await panel.keyboard.press('ArrowLeft');
  const scale = panel.getByRole('button', { name: /Fit all/ });
  const fitting = (await scale.textContent())!;
  await panel.keyboard.press('-');
  await expect(scale).not.toHaveText(fitting);
  await panel.keyboard.press('0');
  await expect(scale).toHaveText(fitting);

  // From a block to its file, and back.
  await details.getByRole('button', { name: 'app.js', exact: true }).click();
  await expect(tab(panel, 'Files')).toHaveAttribute('aria-selected', 'true');
  const row = (path: string) => panel.locator('sluice-files-view .body [role=row]').filter({ hasText: path });
  await expect(row('app.js')).toHaveAttribute('aria-selected', 'true');
  await expect(row('app.js')).toContainText('100 %');
  await expect(row('bulk.dat')).toContainText('6.0 MB');
  await expect(row('bulk.dat')).not.toContainText('100 %');
  await expect(row('app.js').locator('.reads')).not.toBeEmpty();
  await panel.getByRole('searchbox', { name: 'Filter by path' }).fill('GUIDE');
  await expect(row('')).toHaveCount(1);
  await panel.getByRole('searchbox', { name: 'Filter by path' }).fill('');

  letGo();
  await page.evaluate(() => window.sluice.whenComplete());
  await expect(panel.getByText('complete', { exact: true })).toBeVisible();
  await expect(row('bulk.dat')).toContainText('100 %');
  await tab(panel, 'Blocks').click();
  await expect.poll(() => legend(panel)).toMatchObject({ sealed: total, missing: 0, pending: 0 });

  // Opened again without a server; and gone without a trace.
  await expect
    .poll(() =>
      panel.evaluate(async () => {
        const files = ['index.html', 'inspector.js'].map((name) => new URL(name, location.href));
        return (await Promise.all(files.map((file) => caches.match(file)))).every(Boolean);
      }),
    )
    .toBe(true);
  expect(log.errors).toEqual([]);
  await origin.stop();
  await panel.reload();
  await expect.poll(() => legend(panel)).toMatchObject({ sealed: total });
  await panel.close();
  await expect.poll(() => loaders(page)).toBe(before);
});

test('without a tab of the app the page says so, and looks into the store when asked; under a strict policy', async ({
  page,
  log,
}) => {
  await using site = await smallSite(smallApp(500_000), { codec: 'lz4' });
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: () => ({
      'Content-Security-Policy':
        "default-src 'self'; require-trusted-types-for 'script'; trusted-types sluice sluice-inspector",
    }),
  });
  await page.goto(`${origin.url}/__sluice/`);
  const button = page.getByRole('button', { name: 'Look into the store' });
  await button.waitFor();
  // Nobody was asked for anything.
  expect(origin.requests(/loader\.js|\.bin$|sluice\.json/)).toHaveLength(0);
  await button.click();
  await expect.poll(async () => (await legend(page)).missing).toBeGreaterThan(0);
  // It has the list of files, and fetches no blocks.
  const blobs = await site.blobs();
  expect(origin.requests(({ path }) => blobs.some((name) => path.endsWith(name)))).toHaveLength(0);
  for (const name of await page.getByRole('tab').allInnerTexts()) await tab(page, name).click();
  expect([...log.errors, ...log.console.filter((line) => /polic|trusted/i.test(line))]).toEqual([]);
  // Its own loader is no tab; it makes way for the first one, which is not to depend on this page.
  const picker = page.getByRole('combobox', { name: 'Image', exact: true });
  await expect(picker).toContainText('an inspector');
  const app = await page.context().newPage();
  await app.goto(`${origin.url}/`);
  await launched(app);
  await page.bringToFront();
  const leader = () => app.evaluate(async () => (await window.sluice.state()).loader);
  await expect.poll(async () => (await leader()).role).toBe('leader');
  await expect(picker).toContainText('1 tab');
  const row = page.getByRole('grid', { name: 'Loaders' }).getByRole('row', { name: (await leader()).id });
  await tab(page, 'Loader').click();
  await expect(row).toContainText('leads');
  await expect(row).toContainText('/');
  await tab(page, 'Counters').click();
  const count = (name: string) => page.locator(`dt:has(code:text-is("${name}")) + dd`);
  await expect(count('tabs')).toHaveText('1');
  await expect(count('inspectors')).toHaveText('0');
  // What only the service worker knows.
  await expect
    .poll(async () => {
      const { mappings } = await app.evaluate(() => window.sluice.state());
      return String(mappings?.misses) === (await count('mappings.misses').textContent());
    })
    .toBe(true);
  await app.close();
  await page.evaluate(() => document.querySelector('sluice-inspector')!.remove());
  await expect.poll(() => loaders(page)).toBe(0);
  // The boot page's inline style. Firefox tells of it as an error of the page.
  expect(log.errors.filter((line) => !/inline style/.test(line))).toEqual([]);
});
