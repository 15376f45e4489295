import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { Sluice } from '../../../src/client/index.ts';
import { expect, test } from '../../support/browser.ts';
import { saved } from '../../support/browser-commands.ts';
import { Origin } from '../../support/origin.ts';
import { launched, smallApp, smallSite } from '../small-site.ts';

declare const window: Window & {
  sluice: Sluice;
  showSaveFilePicker?: (options: { readonly suggestedName: string }) => Promise<FileSystemFileHandle>;
  /** How many bytes were written to files, write by write. */
  written: number[];
  /** Writes wait for it. */
  gate: Promise<void>;
  letGo: () => void;
};

/** Files of the origin's own in a folder: length and SHA-256 of each, by name. */
const filesIn = (page: Page, folder: string) =>
  page.evaluate(async (folder) => {
    const root = await navigator.storage.getDirectory();
    const files: Record<string, { size: number; sha256: string }> = {};
    const dir = await root.getDirectoryHandle(folder, { create: true });
    for await (const [name, handle] of dir.entries()) {
      const bytes = await (await (handle as FileSystemFileHandle).getFile()).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      files[name] = { size: bytes.byteLength, sha256 };
    }
    return files;
  }, folder);

/**
 * In place of the browser's dialog, which no driver can answer: it gives a file of the origin's own, which has the same interface as one on the disk, and is
 * written by the same code of the browser.
 */
function pickInstead(): void {
  window.showSaveFilePicker = async ({ suggestedName }) => {
    const root = await navigator.storage.getDirectory();
    const dir = await root.getDirectoryHandle('picked', { create: true });
    return dir.getFileHandle(suggestedName, { create: true });
  };
}

/** As in browsers that ask nobody. */
function pickNothing(): void {
  delete window.showSaveFilePicker;
}

function watchWrites(): void {
  // Not on the empty page that a tab begins with: no secure context.
  if (!globalThis.FileSystemWritableFileStream) return;
  window.written = [];
  window.gate = Promise.resolve();
  const { prototype } = FileSystemWritableFileStream;
  const write = prototype.write as (bytes: Uint8Array) => Promise<void>;
  prototype.write = async function (this: FileSystemWritableFileStream, bytes: unknown) {
    window.written.push((bytes as Uint8Array).length);
    await window.gate;
    await write.call(this, bytes as Uint8Array);
  } as typeof prototype.write;
}

const press = (panel: Page, name: string) => panel.getByRole('button', { name, exact: true }).click();

test('an image is written to the disk as it comes: to a chosen file, or one that is downloaded when it is whole', async ({
  page,
  context,
  log,
}) => {
  test.setTimeout(180_000);
  await using site = await smallSite(smallApp(9_000_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  const name = `sluice-${site.image.slice(0, 10)}.zip`;

  const panel = await context.newPage();
  await panel.addInitScript(pickInstead);
  await panel.addInitScript(watchWrites);
  await panel.goto(`${origin.url}/__sluice/`);
  await panel.getByRole('tab', { name: 'Tools', exact: true }).click();
  const results = panel.getByRole('tabpanel');
  await press(panel, 'Save the image…');
  await expect(results.getByText(/Saved .* every block compared/)).toBeVisible();
  const { [name]: picked } = await filesIn(panel, 'picked');
  expect(picked!.size).toBeGreaterThan(site.storedBytes);
  const written = await panel.evaluate(() => window.written);
  expect(written.reduce((sum, bytes) => sum + bytes, 0)).toBe(picked!.size);
  // A run of blocks is held at once, of 9 MB.
  expect(Math.max(...written)).toBeLessThanOrEqual(2 ** 20);

  // Without a picker it is downloaded: the same bytes, from a file that was written in the same way.
  await panel.evaluate(pickNothing);
  await panel.evaluate(() => {
    window.written = [];
  });
  const zip = await readFile(await saved(panel, () => press(panel, 'Save the image…')));
  expect(createHash('sha256').update(zip).digest('hex')).toBe(picked!.sha256);
  const files = unzipSync(zip);
  expect(Object.keys(files)).toHaveLength(2 + (await site.blobs()).length);
  for (const [file, bytes] of Object.entries(files))
    expect(Buffer.compare(bytes, await readFile(join(site.dir, file))), file).toBe(0);
  expect(Math.max(...(await panel.evaluate(() => window.written)))).toBeLessThanOrEqual(2 ** 20);
  expect(Object.values(await filesIn(panel, 'sluice-saving'))).toEqual([picked]);

  // The visitor chooses nothing: nothing happens, and nothing is said to have.
  await panel.evaluate(() => {
    window.showSaveFilePicker = () =>
      Promise.reject(new DOMException('The user aborted a request.', 'AbortError'));
    window.written = [];
  });
  await press(panel, 'Save the image…');
  await expect(results.getByText(/Saved/)).toHaveCount(2);
  await expect(panel.getByRole('button', { name: 'Cancel' })).toHaveCount(0);

  // Cancelled: the chosen file is as empty as it was made, and of one of our own nothing is left.
  for (const folder of ['picked', 'sluice-saving']) {
    await panel.evaluate(async (folder) => {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry(folder, { recursive: true });
      window.written = [];
      window.gate = new Promise((resolve) => {
        window.letGo = resolve;
      });
    }, folder);
    await panel.evaluate(folder === 'picked' ? pickInstead : pickNothing);
    await press(panel, 'Save the image…');
    await expect.poll(() => panel.evaluate(() => window.written.length)).toBe(1);
    await press(panel, 'Cancel');
    await panel.evaluate(() => window.letGo());
    await expect(panel.getByRole('button', { name: 'Cancel' })).toHaveCount(0);
    const left = Object.entries(await filesIn(panel, folder)).map(([file, { size }]) => [file, size]);
    expect(left).toEqual(folder === 'picked' ? [[name, 0]] : []);
  }
  expect(log.errors).toEqual([]);
});
