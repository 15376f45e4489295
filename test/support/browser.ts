import { test as base } from '@playwright/test';
import { findFirefox } from '../../scripts/find-browsers.mjs';
import { BrowserProfile, type Engine } from './browser-profile.ts';
import { ContextLog } from './context-log.ts';
import { SharedFirefox } from './firefox/firefox.ts';
import { SharedChromium } from './shared-chromium.ts';

export interface BrowserFixtures {
  /** Which browser this project drives. */
  readonly engine: Engine;
  /** What the test's browser complains about. Attached to a test that fails. */
  readonly log: ContextLog;
  /** A fresh profile, to be launched, closed or killed by the test itself. It has nothing to do with `context` and `page`. */
  readonly profile: BrowserProfile;
}

interface WorkerFixtures {
  readonly sharedChromium: SharedChromium;
  readonly sharedFirefox: SharedFirefox;
}

/**
 * Playwright's `test` with a real browser: `context` and `page` are of one that the worker's tests share, in which they see nothing of each other; who closes or
 * kills a browser takes a `profile`.
 */
export const test = base.extend<BrowserFixtures, WorkerFixtures>({
  engine: ['chromium', { option: true }],
  log: async ({ engine }, use, testInfo) => {
    testInfo.skip(engine === 'firefox' && !findFirefox(), 'there is no Firefox on this machine');
    const log = new ContextLog();
    await use(log);
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach('browser-log', { body: log.toString(), contentType: 'text/plain' });
    }
  },
  profile: async ({ engine, log }, use) => {
    const profile = await BrowserProfile.create(engine, log);
    await use(profile);
    await profile.remove();
  },
  sharedChromium: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
    async ({}, use) => {
      const shared = new SharedChromium();
      await use(shared);
      await shared.stop();
    },
    { scope: 'worker' },
  ],
  sharedFirefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
    async ({}, use) => {
      const shared = new SharedFirefox();
      await use(shared);
      await shared.stop();
    },
    { scope: 'worker' },
  ],
  context: async ({ engine, log, sharedChromium, sharedFirefox }, use) => {
    const shared = engine === 'firefox' ? sharedFirefox : sharedChromium;
    const context = await shared.lend();
    const unwatch = log.watch(context);
    await use(context);
    unwatch();
    await shared.takeBack(context);
  },
  page: async ({ context }, use) => {
    await use(context.pages()[0] ?? (await context.newPage()));
  },
});

export { expect } from '@playwright/test';
