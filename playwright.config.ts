import { defineConfig } from '@playwright/test';

/**
 * Two projects share one runner. `node` holds everything that needs no browser and is fully parallel;
 * `chromium` launches real browsers (see test/support/browser.ts), one file at a time per worker, because a
 * browser under test is itself many processes.
 */
export default defineConfig({
  testDir: 'test',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  timeout: 60_000,
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list'], ['./test/support/reporter.ts']],
  projects: [
    { name: 'node', testIgnore: 'browser/**', fullyParallel: true },
    { name: 'chromium', testMatch: 'browser/**/*.spec.ts' },
  ],
});
