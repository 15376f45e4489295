import type { Page } from '@playwright/test';
import { expect } from '../support/browser.ts';

/**
 * Resolves when nothing but the newest service worker of `scope` is left, and it is active. `page` has to be outside of the scope: a page in it
 * holds the old one, and so does one that comes back before the browser, which takes its time, has seen that the last one is gone.
 */
export async function newestWorkerActive(page: Page, scope: string): Promise<void> {
  const workers = () =>
    page.evaluate(async (path) => {
      const { waiting, active } = (await navigator.serviceWorker.getRegistration(path))!;
      return [waiting?.state, active?.state];
    }, scope);
  await expect.poll(workers).toEqual([undefined, 'activated']);
}
