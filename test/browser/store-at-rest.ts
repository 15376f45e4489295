import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { until } from '../support/until.ts';

declare const window: Window & { readonly sluice: Sluice };

/** All that is here is durable from now on: what makes a change of the tree so takes along what was written before it. */
export async function storeDurably(page: Page): Promise<void> {
  await page.evaluate(() => window.sluice.createFile(`mark-${crypto.randomUUID()}`, { content: '' }));
}

/**
 * Resolves when nobody holds a file of the origin's stores open: the loader of a page that was left ends when the browser comes to it, and until then
 * what it holds can be neither written nor removed.
 */
export async function storeIsFree(page: Page): Promise<void> {
  await until(() =>
    page.evaluate(async () => {
      const probe = async (folder: FileSystemDirectoryHandle): Promise<void> => {
        for await (const entry of folder.values()) {
          if (entry.kind === 'directory') await probe(entry as FileSystemDirectoryHandle);
          else await (await (entry as FileSystemFileHandle).createWritable()).abort();
        }
      };
      await probe(await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice'));
      return true;
    }),
  );
}
