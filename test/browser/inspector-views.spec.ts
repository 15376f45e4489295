import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { clipboardText, saved } from '../support/browser-commands.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { setReadTimeout } from './read-timeout.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; showSaveFilePicker?: unknown };

const isBlob = /\.bin$/;
const level = noise(21, 300_000);

const stateOf = (app: Page) => app.evaluate(() => window.sluice.state());

/** What the app gets of a file: status, code of an error, length and sum of the bytes. */
function fetched(app: Page, path: string) {
  return app.evaluate(async (url) => {
    const answer = await fetch(url);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const sum = bytes.reduce((all, byte) => (all * 31 + byte) >>> 0, 0);
    return { status: answer.status, code: answer.headers.get('sluice-error'), length: bytes.length, sum };
  }, path);
}

const whole = {
  status: 200,
  code: null,
  length: level.length,
  sum: level.reduce((all, byte) => (all * 31 + byte) >>> 0, 0),
};

/** Whether the log has the read of a file's last byte. */
const isLogged = (app: Page, path: string) =>
  app.evaluate(async (path) => {
    const { reads } = await window.sluice.readLog();
    return reads.some((read) => read.path === path && read.end === read.size);
  }, path);

/** A panel that looks at the app from a page of its own. */
async function openPanel(app: Page): Promise<Page> {
  const panel = await app.context().newPage();
  // No driver can answer the dialog of the browser itself; without it the panel downloads.
  await panel.addInitScript(() => {
    delete window.showSaveFilePicker;
  });
  await panel.goto(new URL('__sluice/', app.url()).href);
  return panel;
}

async function view(panel: Page, name: string): Promise<Locator> {
  await panel.getByRole('tab', { name, exact: true }).click();
  return panel.getByRole('tabpanel');
}

const press = (panel: Page, name: string) => panel.getByRole('button', { name, exact: true }).click();

/** Gives back the whole image, and says yes when asked. */
async function evictAll(panel: Page): Promise<void> {
  await view(panel, 'Tools');
  await press(panel, 'Evict…');
  await panel.getByRole('dialog').getByRole('button', { name: 'Evict', exact: true }).click();
  await expect(panel.getByText('The image was given back, but for')).toBeVisible();
}

/** What a counter of the panel shows. */
async function counter(panel: Page, name: string): Promise<string> {
  const shown = await view(panel, 'Counters');
  return (await shown.locator(`dt:has(code:text-is("${name}")) + dd`).textContent()) ?? '';
}

test('what the views show is what is true, and what the panel does is done', async ({ page }) => {
  await using site = await smallSite(
    { ...smallApp(1_500_000), 'level/one.bin': level },
    { blobSize: 2 ** 19 },
  );
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await fetched(page, 'level/one.bin')).toEqual(whole);
  // The service worker tells a little later what it has read; from then on nothing is read.
  await expect.poll(() => isLogged(page, 'level/one.bin')).toBe(true);
  const panel = await openPanel(page);

  await test.step('counters, launch, storage, loader and versions tell what state() and the server do', async () => {
    const state = await stateOf(page);
    expect(await counter(panel, 'blocks.present')).toBe(String(state.blocks.present));
    expect(await counter(panel, 'blocks.total')).toBe(String(state.blocks.total));
    expect(await counter(panel, 'loader.requests')).toBe(String(state.loader.requests));
    const launch = await view(panel, 'Launch');
    const { reads } = await page.evaluate(() => window.sluice.readLog());
    await expect(launch.getByLabel('Totals')).toContainText(`${reads.length} reads`);
    await launch.getByRole('button', { name: 'Reads', exact: true }).click();
    await expect(launch.getByRole('grid')).toHaveAttribute('aria-rowcount', String(reads.length));
    await launch.getByRole('searchbox').fill('level/one');
    const ofLevel = reads.filter(({ path }) => path === 'level/one.bin');
    await expect(launch.getByRole('row', { name: 'level/one.bin' })).toHaveCount(ofLevel.length);
    // By keyboard alone: the row, its details, and away again.
    await launch.getByRole('grid').focus();
    await panel.keyboard.press('ArrowDown');
    await expect(launch.getByRole('region', { name: 'The chosen row' })).toContainText('level/one.bin');
    await panel.keyboard.press('Escape');
    await expect(launch.getByRole('region', { name: 'The chosen row' })).toHaveCount(0);

    const storage = await view(panel, 'Storage');
    await expect(storage.getByText('OPFS')).toBeVisible();
    const loader = await view(panel, 'Loader');
    await expect(loader.getByRole('grid', { name: 'Loaders' })).toContainText(state.loader.id);
    const versions = await view(panel, 'Versions');
    await expect(versions.getByRole('row', { name: site.image })).toContainText('1 tab');
    await expect(await view(panel, 'Pending reads')).toContainText('Nothing waits.');
    await expect(await view(panel, 'Errors')).toContainText('Nothing has gone wrong.');
  });

  await test.step('paused, a read waits and is listed; it goes on with one click', async () => {
    await evictAll(panel);
    expect((await stateOf(page)).complete).toBe(false);
    await press(panel, 'Pause');
    await expect(panel.getByText('The inspector interferes: paused.')).toBeVisible();
    // It waits for as long as it takes to look.
    await setReadTimeout(page, 200_000);
    const reading = fetched(page, 'level/one.bin');
    const pending = await view(panel, 'Pending reads');
    await expect(pending.getByRole('row', { name: 'level/one.bin' }).first()).toContainText('paused');
    const waiting = (await stateOf(page)).pendingReads.map(({ serial }) => String(serial));
    for (const serial of waiting) await expect(pending.getByRole('grid')).toContainText(serial);
    await press(panel, 'End it');
    expect(await reading).toEqual(whole);
    await expect(pending).toContainText('Nothing waits.');
    await expect(panel.getByText('The inspector interferes')).toHaveCount(0);
  });

  await test.step('offline, nothing is asked of the server; the error is told with its remedy', async () => {
    await evictAll(panel);
    const tools = await view(panel, 'Tools');
    await press(panel, 'Offline');
    await expect(panel.getByText('The inspector interferes: offline.')).toBeVisible();
    origin.reset();
    // A file that nobody has read yet: of others the service worker may have blocks in memory.
    expect(await fetched(page, 'bulk.dat')).toMatchObject({ status: 503, code: 'offline' });
    expect(origin.requests(isBlob)).toEqual([]);
    const errors = await view(panel, 'Errors');
    await expect(errors.getByRole('row', { name: 'offline' }).first()).toBeVisible();
    await expect(errors.getByRole('region')).toContainText('Try again online');
    await view(panel, 'Tools');
    await tools.getByRole('button', { name: 'End all simulations' }).click();
    await expect(panel.getByText('The inspector interferes')).toHaveCount(0);
    expect(await fetched(page, 'level/one.bin')).toEqual(whole);
  });

  await test.step('the loader is killed: another one leads, and the app reads on', async () => {
    const before = (await stateOf(page)).loader.id;
    await press(panel, 'Kill the loader');
    await expect.poll(async () => (await stateOf(page)).loader.id).not.toBe(before);
    expect(await fetched(page, 'level/one.bin')).toEqual(whole);
    const after = (await stateOf(page)).loader.id;
    const loader = await view(panel, 'Loader');
    await expect(loader.getByRole('grid', { name: 'Loaders' })).toContainText(after);
  });

  await using temp = await disposable('saved');
  const zip = join(temp.path, 'image.zip');
  await test.step('the image is saved: every published file, byte for byte', async () => {
    await page.evaluate(() => window.sluice.whenComplete());
    await view(panel, 'Tools');
    await copyFile(await saved(panel, () => press(panel, 'Save the image…')), zip);
    const files = unzipSync(await readFile(zip));
    expect(Object.keys(files).sort()).toEqual(
      ['sluice.json', `${site.image}.bin`, ...(await site.blobs())].sort(),
    );
    for (const [name, bytes] of Object.entries(files))
      expect(Buffer.compare(bytes, await readFile(join(site.dir, name))), name).toBe(0);
  });

  await test.step('offline, the saved image is imported: all is here, and nothing was asked of the server', async () => {
    await evictAll(panel);
    await press(panel, 'Offline');
    await expect(panel.getByText('The inspector interferes: offline.')).toBeVisible();
    origin.reset();
    const other = join(temp.path, 'other.zip');
    await writeFile(other, 'no archive');
    await panel.locator('#import').setInputFiles(other);
    await expect(panel.getByRole('tabpanel').getByText('(not-an-image)')).toBeVisible();
    await panel.locator('#import').setInputFiles(zip);
    await expect(panel.getByRole('tabpanel').getByText(/imported/)).toBeVisible();
    await expect.poll(async () => (await stateOf(page)).complete).toBe(true);
    expect(await fetched(page, 'level/one.bin')).toEqual(whole);
    expect(origin.requests(isBlob)).toEqual([]);
    await press(panel, 'End it');
  });

  await test.step('checks are clean; the trace and the report are handed over', async () => {
    await press(panel, 'Check the image');
    await expect(panel.getByRole('tabpanel').getByText(/Clean: bootstrap/)).toBeVisible();
    await press(panel, 'Scrub');
    await expect(panel.getByRole('tabpanel').getByText(/Clean: \d+ blocks/)).toBeVisible();
    // Whoever asks for the state has the service worker tell of its reads first: no more of them come now.
    await stateOf(page);
    const exported = await saved(panel, () => press(panel, 'Export the read log'));
    const trace = JSON.parse(await readFile(exported, 'utf8'));
    const log = await page.evaluate(() => window.sluice.readLog());
    expect(trace).toMatchObject({ sluice: 1, image: site.image });
    expect(trace.reads.map(({ path }: { path: string }) => path)).toEqual(log.reads.map(({ path }) => path));
    await press(panel, 'Copy a report');
    await expect(panel.getByText('The report was copied.')).toBeVisible();
    const report = await clipboardText(panel);
    expect(report).toContain(site.image);
    expect(JSON.parse(/```json\n(.*)\n```/s.exec(report)![1]!)).toMatchObject({
      report: 1,
      scope: `${origin.url}/`,
    });
  });
});

async function disposable(name: string): Promise<AsyncDisposable & { readonly path: string }> {
  const { path, remove } = await tempDir(name);
  return { path, [Symbol.asyncDispose]: remove };
}
