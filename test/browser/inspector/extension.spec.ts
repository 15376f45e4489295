import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { Sluice } from '../../../src/client/index.ts';
import { launchMs } from '../../../src/loader/launch-calm.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { expect, test } from '../../support/browser.ts';
import { launchChromium } from '../../support/chromium.ts';
import { Devtools, type DevtoolsPanel } from '../../support/devtools.ts';
import { Origin } from '../../support/origin.ts';
import { killTree } from '../../support/process-tree.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';
import { setReadTimeout } from '../read-timeout.ts';
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

/** The shadow tree of a view, by its tag. */
const viewRoot = (tag: string): string =>
  `document.querySelector('sluice-inspector').shadowRoot.querySelector('sluice-inspector-shell').shadowRoot.querySelector('${tag}').shadowRoot`;

/** Shows a view of the panel by its id. */
const showView = (panel: DevtoolsPanel, id: string) =>
  panel.evaluate(
    `document.querySelector("sluice-inspector").shadowRoot.querySelector("sluice-inspector-shell").chosen = ${JSON.stringify(id)}`,
  );

/** Clicks the button of the tools that is called so. */
const pressTool = (panel: DevtoolsPanel, name: string) =>
  panel.evaluate(
    `[...${viewRoot('sluice-tools-view')}.querySelectorAll('button')].find((button) => button.textContent.trim() === ${JSON.stringify(name)}).click()`,
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
  test.setTimeout(300_000);
  const { promise: lookedAt, resolve: letGo } = deferred();
  await using site = await smallSite(smallApp(6_000_000));
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    // So that there is time to look: what lies behind 3 MB of a blob does not come before it is let go.
    fault: ({ path }) =>
      path.endsWith('.bin') ? { type: 'hold', until: lookedAt, from: 3_000_000 } : undefined,
  });
  await withExtensions(async (context) => {
    const page = context.pages()[0]!;
    await page.goto(`${origin.url}/`);
    await launched(page);
    const devtools = await Devtools.open(context, page, extension);
    await devtools.show('console');
    expect(await bridges(page)).toBe(0);

    const panel = await devtools.showPanel('Sluice', 'panel.html');
    // Before somebody waits: background work stands back behind a reader, and already behind a launching page that is busy, as with its DevTools.
    await until(async () => (await stateOf(page)).blocks.present > 5, launchMs + 10_000);
    // It waits for as long as it takes to look.
    await setReadTimeout(page, 200_000);
    await page.evaluate(() => void fetch('bulk.dat', { headers: { Range: 'bytes=5900000-5900009' } }));
    await until(async () => (await stateOf(page)).pendingReads.length === 1);
    await expect(async () => {
      expect(await shownBlocks(panel)).toEqual({ ...(await stateOf(page)).blocks, pending: 1 });
    }).toPass({ timeout: 60_000 });
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
    await until(async () => (await panel.text()).includes('bulk.dat'));
    expect(await bridges(page)).toBe(1);

    await devtools.show('console');
    await until(async () => (await bridges(page)) === 0);
    await page.goto(`http://localhost:${origin.port}/elsewhere`);
    expect(await bridges(page)).toBe(0);
    await devtools.show(panel.id);
    await until(async () => (await panel.text()).includes('no Sluice'));
  });
});

test('through the extension a complete image is saved to disk, and imported again without a network', async ({
  engine,
}) => {
  test.skip(engine === 'firefox', 'an extension of Chrome');
  test.setTimeout(180_000);
  await using site = await smallSite(smallApp(6_000_000), { blobSize: 2 ** 20 });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await withExtensions(async (context) => {
    const page = context.pages()[0]!;
    await page.goto(`${origin.url}/`);
    await launched(page);
    await page.evaluate(() => window.sluice.whenComplete());
    const { blocks } = await stateOf(page);
    const devtools = await Devtools.open(context, page, extension);
    const folder = await tempDir('downloads');
    await devtools.downloadInto(folder.path);
    const panel = await devtools.showPanel('Sluice', 'panel.html');
    const says = (text: string) => until(async () => (await panel.text()).includes(text));
    await says('complete');
    await showView(panel, 'tools');
    await says('Save the image');

    // No driver can answer the browser's dialog: a file of the extension's own stands for the chosen one, and is written by the same code of the browser.
    await panel.evaluate('globalThis.ownPicker = globalThis.showSaveFilePicker');
    await panel.evaluate(`globalThis.showSaveFilePicker = async ({ suggestedName }) => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });
      return folder.getFileHandle(suggestedName, { create: true });
    }`);
    const sizesIn = (folder: string) =>
      panel.evaluate<number[]>(`(async () => {
        const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('${folder}', { create: true });
        const sizes = [];
        for await (const handle of folder.values()) sizes.push((await handle.getFile()).size);
        return sizes;
      })()`);
    await pressTool(panel, 'Save the image…');
    await says('every block compared with its digest');
    const [picked] = await sizesIn('picked');
    expect(picked).toBeGreaterThan(site.storedBytes);
    expect(await sizesIn('sluice-saving')).toEqual([]);

    // The browser shows no dialog in DevTools’ frames: it is downloaded, and not through memory either.
    await panel.evaluate('globalThis.showSaveFilePicker = globalThis.ownPicker');
    await pressTool(panel, 'Save the image…');
    const zip = join(folder.path, `sluice-${site.image.slice(0, 10)}.zip`);
    await until(async () => existsSync(zip));
    expect((await stat(zip)).size).toBe(picked);
    expect(await sizesIn('sluice-saving')).toEqual([picked]);
    const files = unzipSync(await readFile(zip));
    expect(Object.keys(files).sort()).toEqual(
      ['sluice.json', `${site.image}.bin`, ...(await site.blobs())].sort(),
    );
    for (const [name, bytes] of Object.entries(files))
      expect(Buffer.compare(bytes, await readFile(join(site.dir, name))), name).toBe(0);

    await page.evaluate(() => window.sluice.evict());
    expect((await stateOf(page)).complete).toBe(false);
    await pressTool(panel, 'Offline');
    await says('The inspector interferes: offline');
    origin.reset();
    await panel.chooseFile(`${viewRoot('sluice-tools-view')}.querySelector('#import')`, zip);
    await says('imported');
    await until(async () => (await stateOf(page)).complete);
    expect((await stateOf(page)).blocks).toEqual({ total: blocks.total, present: blocks.total });
    expect(origin.requests(/\.bin$/)).toEqual([]);
    await folder.remove();
  });
});
