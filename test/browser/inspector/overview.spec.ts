import type { Locator, Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import { formatShare } from '../../../src/format/quantity.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { until } from '../../support/until.ts';
import { keptRuntime } from '../kept-runtime.ts';
import { launched, smallApp, smallSite } from '../small-site.ts';

declare const window: Window & { sluice: Sluice };

const lockNames = (page: Page) =>
  page.evaluate(async () => (await navigator.locks.query()).held!.map(({ name }) => name!));
const loaders = async (page: Page): Promise<number> =>
  (await lockNames(page)).filter((name) => name.startsWith('sluice:loader:')).length;

test('all sites of the origin at one glance, open and closed, with their images and tabs; one is chosen by keys', async ({
  context,
  page,
  log,
}) => {
  const { promise: later, resolve: letGo } = deferred();
  await using one = await smallSite(smallApp(300_000));
  await using two = await smallSite(smallApp(6_000_000));
  await using three = await smallSite({ ...smallApp(200_000), 'more.txt': 'more' });
  await using origin = await Origin.start({
    mounts: { '/one/': one.dir, '/two/': two.dir, '/three/': three.dir },
    fault: ({ path }) =>
      path.startsWith('/two/') ? { type: 'hold', until: later, from: 3_000_000 } : undefined,
  });
  // One that was open, and is all here.
  await page.goto(`${origin.url}/three/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await page.goto(`${origin.url}/one/docs/guide.html?secret=1`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const second = await context.newPage();
  await second.goto(`${origin.url}/two/`);
  await launched(second);
  await until(async () => (await second.evaluate(() => window.sluice.state())).blocks.present > 5);
  await until(async () => !(await lockNames(page)).some((name) => name.endsWith('/three/')));

  const panel = await context.newPage();
  await panel.goto(`${origin.url}/one/__sluice/`);
  await panel.locator('sluice-block-canvas').waitFor();
  const before = await loaders(panel);
  // What the service workers of complete images still bring is not the panel's doing.
  for (const path of ['/one/', '/three/']) await keptRuntime(page, path);
  origin.reset();
  const button = panel.getByRole('button', { name: 'All sites' });
  await button.focus();
  await panel.keyboard.press('Enter');
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  const site = (path: string): Locator => panel.getByRole('region', { name: path, exact: true });
  const row = (path: string, text: string): Locator => site(path).getByRole('row').filter({ hasText: text });
  await expect(panel.getByRole('status').filter({ hasText: 'sites' })).toContainText(
    '3 sites · 3 images · 2 tabs',
  );

  const digest = ({ image }: { readonly image: string }): string => image.slice(0, 10);
  await expect(site('/one/')).toContainText('open · 1 tab');
  await expect(row('/one/', digest(one)).first()).toContainText(/complete.*1 tab.*now/s);
  const tabOfOne = row('/one/', '/one/docs/guide.html');
  await expect(tabOfOne).toContainText(/visible.*leads/s);
  await expect(tabOfOne).not.toContainText('secret');
  await expect(row('/two/', digest(two)).first()).toContainText('1 tab');
  await expect
    .poll(async () => {
      const { bytes } = await second.evaluate(() => window.sluice.state());
      const share = formatShare(bytes.present, bytes.total);
      return (await row('/two/', digest(two)).first().textContent())?.includes(` ${share}`) || share;
    })
    .toBe(true);
  await expect(site('/three/')).toContainText('closed');
  await expect(row('/three/', digest(three))).toContainText(/complete.*nobody/s);
  await expect(site('/three/').getByRole('table')).toHaveCount(1);
  await expect(site('/one/').getByRole('button').first()).toHaveAttribute('aria-current', 'true');
  // A panel at each site that is open; nothing is fetched.
  await expect.poll(() => loaders(panel)).toBe(before + 2);
  // The browser itself looks for a newer sw.js.
  expect(origin.requests(/\/three\/(?!sw\.js)|loader\.js/)).toEqual([]);

  // What comes and goes meanwhile is seen.
  await page.close();
  await expect(site('/one/')).toContainText('closed');
  await expect(site('/one/').getByRole('table')).toHaveCount(1);
  letGo();
  await expect(row('/two/', digest(two)).first()).toContainText('complete');

  // Nothing lies beside the page, however narrow.
  for (const width of [1400, 900, 600, 320]) {
    await panel.setViewportSize({ width, height: 700 });
    const over = await panel
      .locator('sluice-overview')
      .evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(over, `${width}`).toBe(0);
  }

  // By keys: down to the second site, which is looked at then.
  // (Of closed ones the images cannot be chosen.)
  await panel.keyboard.press('ArrowDown');
  await expect(site('/one/').getByRole('button')).toBeFocused();
  await panel.keyboard.press('ArrowDown');
  await expect(site('/three/').getByRole('button')).toBeFocused();
  await panel.keyboard.press('ArrowDown');
  await expect(site('/two/').getByRole('button', { name: '/two/' })).toBeFocused();
  await panel.keyboard.press('End');
  await expect(site('/two/').getByRole('button', { name: two.image.slice(0, 10) })).toBeFocused();
  await panel.keyboard.press('ArrowUp');
  await panel.keyboard.press('Enter');
  await expect(panel.locator('sluice-overview')).toHaveCount(0);
  await expect(button).toBeFocused();
  await expect(panel.getByRole('combobox', { name: 'Site' })).toHaveValue(`${origin.url}/two/`);
  await expect(panel.getByRole('combobox', { name: 'Image', exact: true })).toHaveValue(two.image);
  await panel.keyboard.press('Enter');
  await expect(site('/two/').getByRole('button').first()).toHaveAttribute('aria-current', 'true');
  await panel.keyboard.press('Escape');
  await expect(panel.locator('sluice-overview')).toHaveCount(0);
  await expect(button).toBeFocused();
  // Closed, there is one panel again, at one site: that of /one/ is gone with its tab.
  await expect.poll(() => loaders(panel)).toBe(2);
  expect(log.errors).toEqual([]);
});
