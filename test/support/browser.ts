import { test as base } from '@playwright/test';
import { BrowserProfile } from './browser-profile.ts';

export interface BrowserFixtures {
  /** A fresh profile. Launch it oneself, or take `context` or `page`, which are its first launch. */
  readonly profile: BrowserProfile;
}

/**
 * Playwright's `test` with a real Chromium on a fresh profile per test: `profile`, and `context` and `page` of its
 * first launch. Everything is killed and deleted afterwards; a failed test gets the browser's complaints attached.
 */
export const test = base.extend<BrowserFixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  profile: async ({}, use, testInfo) => {
    const profile = await BrowserProfile.create();
    await use(profile);
    await profile.remove();
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach('browser-log', { body: profile.log.toString(), contentType: 'text/plain' });
    }
  },
  context: async ({ profile }, use) => {
    await use(await profile.launch());
  },
  page: async ({ context }, use) => {
    await use(context.pages()[0] ?? (await context.newPage()));
  },
});

export { expect } from '@playwright/test';
