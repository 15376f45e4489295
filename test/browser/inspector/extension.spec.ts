import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import { expect, test } from '../../support/browser.ts';
import { launchChromium } from '../../support/chromium.ts';
import { Devtools, type DevtoolsPanel } from '../../support/devtools.ts';
import { Origin } from '../../support/origin.ts';
import { killTree } from '../../support/process-tree.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';
import { launched, smallApp, smallSite } from '../small-site.ts';

declare const window: Window & { sluice: Sluice };

const extension = join(import.meta.dirname, '../../../dist/extension');

/** A Chromium of its own that lets extensions in. */
async function withExtensions(work: (context: BrowserContext) => Promise<void>): Promise<void> {
  const { path, remove } = await tempDir('devtools');
  const [profile, temp] = [join(path, 'profile'), join(path, 'temp')];
  await mkdir(temp);
  const context = await launchChromium(profile, temp, { extensions: true });
  try {
    await work(context);
  } finally {
    await context.close();
    await killTree(profile);
    await remove();
  }
}

const stateOf = (page: Page) => page.evaluate(() => window.sluice.state());

/** What of the panel's there is in the page. */
const bridges = (page: Page) =>
  page.evaluate(
    () =>
      Object.getOwnPropertySymbols(globalThis).filter(({ description }) =>
        description?.startsWith('sluice:inspector'),
      ).length,
  );

/** What the legend of the block map says. */
async function shownBlocks(panel: DevtoolsPanel) {
  const text = await panel.text();
  const count = (state: string): number => Number(new RegExp(` ${state} (\\d+)`).exec(text)?.[1]);
  const pending = count('pending');
  const present = count('present') + count('sealed');
  return { present, pending, total: count('missing') + count('in flight') + pending + present };
}

test('the extension in Chromium’s own DevTools shows a loading app as its state() tells it', async ({
  engine,
}) => {
  test.skip(engine === 'firefox', 'an extension of Chrome');
  let letGo = (): void => {};
  const until3MB = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await using site = await smallSite(smallApp(6_000_000));
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    // So that there is time to look: what lies behind 3 MB of a blob does not come before it is let go.
    fault: ({ path, range }) =>
      path.endsWith('.bin') && Number(/-(\d+)$/.exec(range ?? '')?.[1]) > 3_000_000
        ? { type: 'hold', until: until3MB }
        : undefined,
  });
  await withExtensions(async (context) => {
    const page = context.pages()[0]!;
    await page.goto(`${origin.url}/`);
    await launched(page);
    const devtools = await Devtools.open(context, page, extension);
    await devtools.show('console');
    expect(await bridges(page)).toBe(0);

    const panel = await devtools.showPanel('Sluice', 'panel.html');
    await page.evaluate(() => void fetch('bulk.dat', { headers: { Range: 'bytes=5900000-5900009' } }));
    await until(async () => (await stateOf(page)).pendingReads.length === 1);
    await expect(async () => {
      expect(await shownBlocks(panel)).toEqual({ ...(await stateOf(page)).blocks, pending: 1 });
    }).toPass({ timeout: 60_000 });
    expect((await shownBlocks(panel)).present).toBeGreaterThan(5);
    expect(
      await panel.evaluate(
        'document.querySelector("sluice-inspector").shadowRoot.querySelector("[aria-label=Image]").value',
      ),
    ).toBe(site.image);
    expect(await bridges(page)).toBe(1);
    letGo();
    await page.evaluate(() => window.sluice.whenComplete());
    const { blocks } = await stateOf(page);
    await expect
      .poll(() => shownBlocks(panel))
      .toEqual({ present: blocks.total, total: blocks.total, pending: 0 });

    // The page goes, and the panel with it; it stays as it was left.
    await panel.evaluate(
      'document.querySelector("sluice-inspector").shadowRoot.querySelector("sluice-inspector-shell").chosen = "files"',
    );
    await page.reload();
    await launched(page);
    const { loader } = await stateOf(page);
    await until(async () => (await panel.text()).includes(`leader ${loader.id.slice(0, 8)}`));
    expect(await panel.text()).toContain('bulk.dat');
    expect(await bridges(page)).toBe(1);

    await devtools.show('console');
    await until(async () => (await bridges(page)) === 0);
    await page.goto(`http://localhost:${origin.port}/elsewhere`);
    expect(await bridges(page)).toBe(0);
    await devtools.show(panel.id);
    await until(async () => (await panel.text()).includes('no Sluice'));
  });
});
