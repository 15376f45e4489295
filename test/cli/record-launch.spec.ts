import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { recordLaunch } from '../../src/cli/record-launch.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A recording by a browser that is this shell script. */
async function recordWith(script: string, timeoutMs: number): Promise<unknown> {
  const { path, remove } = await tempDir('record');
  const browser = join(path, 'browser.sh');
  writeFileSync(browser, `#!/bin/sh\n${script}\n`);
  chmodSync(browser, 0o755);
  const url = 'http://app.invalid/';
  const { signal } = new AbortController();
  try {
    return await recordLaunch({
      url,
      browser,
      timeoutMs,
      signal,
      ready: undefined,
      quietMs: 1,
      onProgress: () => {},
    });
  } finally {
    await remove();
  }
}

test('a browser that starts and then says nothing is given up after --timeout, and ended', async () => {
  const began = performance.now();
  await expect(recordWith('exec sleep 600', 400)).rejects.toMatchObject({
    code: 'call-timeout',
    message: expect.stringMatching(/did not answer Target\.createTarget in 0\.4 s/),
  });
  // Once for the call, once for its end, and the rest for a busy machine; it was half a minute.
  expect(performance.now() - began).toBeLessThan(15_000);
});

test('one that ends by itself is said to have ended', async () => {
  await expect(recordWith('exit 3', 20_000)).rejects.toMatchObject({
    code: 'disconnected',
    message: expect.stringMatching(/ended: status 3/),
  });
});
