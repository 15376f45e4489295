import { expect, test } from '../support/browser.ts';
import { clearHttpCache } from '../support/browser-commands.ts';
import type { Fault } from '../support/fault.ts';
import { Origin } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { keptRuntime } from './kept-runtime.ts';
import { setReadTimeout } from './read-timeout.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

const isDecoder = ({ path }: { readonly path: string }): boolean => path.endsWith('/zstd.wasm');

test('an image without zstd never asks for the decoder', async ({ page }) => {
  for (const codec of ['lz4', 'none'] as const) {
    await using site = await smallSite(smallApp(100_000), { codec });
    await using origin = await Origin.start({ mounts: { '/': site.dir } });
    await page.goto(`${origin.url}/`);
    await launched(page);
    await page.evaluate(() => window.sluice.whenComplete());
    await page.reload();
    await launched(page);
    expect(origin.requests(isDecoder)).toEqual([]);
  }
});

test('the decoder is asked for once, by the boot page, and then starts without the network', async ({
  profile,
}) => {
  const page = (await profile.launch()).pages()[0]!;
  await using site = await smallSite(smallApp(100_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await keptRuntime(page);
  expect(origin.requests(isDecoder)).toHaveLength(1);
  await origin.stop();
  for (let i = 0; i < 2; i++) {
    await stopAllServiceWorkers(page);
    await page.reload();
    await launched(page);
  }
});

for (const [what, fault, status, code] of [
  ['is missing on the host', { type: 'status', status: 404 }, 502, 'bad-origin'],
  ['has other bytes', { type: 'flip-bit', offset: 30_000 }, 502, 'integrity'],
  ['cannot be reached', { type: 'cut-before-headers' }, 503, 'offline'],
] as const satisfies [string, Fault, number, string][]) {
  test(`a decoder that ${what}: the read fails by its code, and works as soon as the host does`, async ({
    page,
  }) => {
    await using site = await smallSite(smallApp());
    await using origin = await Origin.start({
      mounts: { '/': site.dir },
      fault: (request) => (isDecoder(request) ? fault : undefined),
    });
    const failed = page.waitForResponse((response) => response.headers()['sluice-error'] !== undefined);
    await page.goto(`${origin.url}/`);
    const response = await failed;
    expect([response.status(), response.headers()['sluice-error']]).toEqual([status, code]);
    await expect(page.locator('body')).toContainText(`${code}: /`);
    origin.fault = undefined;
    await page.goto(`${origin.url}/`);
    await launched(page);
  });
}

test('a decoder that never comes: the read ends at its deadline, not before and not never', async ({
  page,
}) => {
  await using site = await smallSite({ ...smallApp(), 'late.txt': 'it came late '.repeat(20_000) });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await keptRuntime(page);
  // As after an eviction of what the browser keeps for itself.
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys())
        if (request.url.endsWith('zstd.wasm')) await cache.delete(request);
    }
  });
  await setReadTimeout(page, 2000);
  await clearHttpCache(page);
  await stopAllServiceWorkers(page);
  origin.fault = (request) => (isDecoder(request) ? { type: 'hang' } : undefined);
  const [status, code, ms] = await page.evaluate(async () => {
    const began = performance.now();
    const response = await fetch('late.txt');
    return [response.status, response.headers.get('Sluice-Error'), performance.now() - began] as const;
  });
  expect([status, code]).toEqual([504, 'read-timeout']);
  expect(ms).toBeGreaterThan(1900);
  expect(ms).toBeLessThan(20_000);
});

test('a policy on the service worker that forbids WebAssembly is told as such', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: (path): Record<string, string> =>
      path === '/sw.js' ? { 'Content-Security-Policy': "script-src 'self'" } : {},
  });
  const failed = page.waitForResponse((response) => response.headers()['sluice-error'] !== undefined);
  await page.goto(`${origin.url}/`);
  const response = await failed;
  expect([response.status(), response.headers()['sluice-error']]).toEqual([500, 'no-wasm']);
  await expect(page.locator('body')).toContainText("Allow 'wasm-unsafe-eval', or build with --codec lz4");
});

declare const window: Window & {
  readonly sluice: { whenComplete(): Promise<void> };
};
