import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { Devtools } from '../../src/cli/devtools.ts';
import { recordLaunch } from '../../src/cli/record-launch.ts';
import { tempDir } from '../support/temp-dir.ts';

interface FakeBrowser {
  /** A shell script. */
  readonly path: string;
  readonly profile: string;
}

/** `browserOf` makes one of a shell script. */
const test = base.extend<{ browserOf: (script: string) => FakeBrowser }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  browserOf: async ({}, use) => {
    const { path, remove } = await tempDir('record');
    await use((script) => {
      const browser = join(path, 'browser.sh');
      writeFileSync(browser, `#!/bin/sh\n${script}\n`);
      chmodSync(browser, 0o755);
      return { path: browser, profile: path };
    });
    await remove();
  },
});

test('a browser that starts and then says nothing is given up, and ended', async ({ browserOf }) => {
  const { path, profile } = browserOf('exec sleep 600');
  const devtools = new Devtools(path, profile);
  await expect(devtools.call('Target.createTarget', {}, undefined, 400)).rejects.toMatchObject({
    code: 'call-timeout',
    message: expect.stringMatching(/did not answer Target\.createTarget in 1 s/),
  });
  // Or else it would last for ten minutes.
  await devtools.close();
});

test('one that ends by itself is said to have ended', async ({ browserOf }) => {
  const recording = recordLaunch({
    url: 'http://app.invalid/',
    browser: browserOf('exit 3').path,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    ready: undefined,
    quietMs: 1,
    onProgress: () => {},
  });
  await expect(recording).rejects.toMatchObject({
    code: 'disconnected',
    message: expect.stringMatching(/ended: status 3/),
  });
});
