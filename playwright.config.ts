import { defineConfig } from '@playwright/test';
import type { BrowserFixtures } from './test/support/browser.ts';

/** What `npm test` runs in Firefox; `npm run test:firefox` runs all that `chromium` runs. */
const FIREFOX_SHORT = ['infra', 'launch'].map((name) => `browser/${name}.spec.ts`);

/**
 * Projects share one runner. `node` holds everything that needs no browser and is fully parallel;
 * `chromium` launches real browsers (see test/support/browser.ts), one file at a time per worker, because a
 * browser under test is itself many processes; `firefox` is the same files in a stock Firefox.
 */
export default defineConfig<BrowserFixtures>({
  testDir: 'test',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  // Ends of waits for what a busy or slow machine takes long over; how fast things have to be, tests say by themselves.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  workers: 2,
  // A machine that nobody looks at gives a test a second try; what needed it is told at the end, by name (test/support/reporter.ts).
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list'], ['./test/support/reporter.ts']],
  projects: [
    { name: 'node', testIgnore: ['browser/**', 'webkit/**'], fullyParallel: true },
    { name: 'chromium', testMatch: 'browser/**/*.spec.ts' },
    { name: 'webkit', testMatch: 'webkit/**/*.spec.ts' },
    {
      name: 'firefox',
      testMatch: process.env.SLUICE_FIREFOX_TESTS === 'all' ? 'browser/**/*.spec.ts' : FIREFOX_SHORT,
      use: { engine: 'firefox' },
    },
  ],
});
