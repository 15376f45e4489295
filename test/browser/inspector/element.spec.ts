import type { Sluice } from '../../../src/client/index.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { launched, smallApp, smallSite } from '../small-site.ts';
import { legend } from './legend.ts';

declare const window: Window & { sluice: Sluice };

const debugPage = `<!doctype html><meta charset="utf-8"><title>Debug</title>
<h1>Debug</h1><script src="app.js"></script>
<script src="__sluice/inspector.js"></script>
<sluice-inspector style="height: 600px"></sluice-inspector>`;

test('an element in the app’s own page shows what the page’s loader does, and lets go when it is taken out', async ({
  page,
}) => {
  await using site = await smallSite({ ...smallApp(3_000_000), 'debug.html': debugPage });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const bulk = (await site.blobs()).at(-1)!;
  const { promise: until, resolve: letGo } = deferred();
  origin.fault = ({ path }) => (path.endsWith(bulk) ? { type: 'hold', until, from: 1_000_000 } : undefined);
  await page.goto(`${origin.url}/debug.html`);
  await launched(page);
  await page.locator('sluice-block-canvas').waitFor();
  const isShown = async (): Promise<boolean> => {
    const { blocks, image } = await page.evaluate(() => window.sluice.state());
    const { present = 0, sealed = 0, ...others } = await legend(page);
    const all = Object.values(others).reduce((sum, count) => sum + count, present + sealed);
    const shown = await page.getByRole('combobox', { name: 'Image' }).inputValue();
    return shown === image && all === blocks.total && present + sealed === blocks.present;
  };
  await expect.poll(isShown).toBe(true);
  expect((await page.evaluate(() => window.sluice.state())).complete).toBe(false);

  letGo();
  await page.evaluate(() => window.sluice.whenComplete());
  await expect.poll(isShown).toBe(true);
  await expect(page.getByText('complete', { exact: true })).toBeVisible();

  // A panel holds the lock of a loader's name; only the page's own stays.
  const loaders = () =>
    page.evaluate(async () => {
      const { held = [] } = await navigator.locks.query();
      return held.filter(({ name }) => name?.startsWith('sluice:loader:')).length;
    });
  expect(await loaders()).toBe(2);
  await page.evaluate(() => document.querySelector('sluice-inspector')!.remove());
  await expect.poll(loaders).toBe(1);
});
