import { expect, test } from '../../support/browser.ts';
import type { Origin } from '../../support/origin.ts';
import { startStoreOrigin, WorkerCaller } from './store-page.ts';

/** What only a real browser can show of the OPFS directory. */

let origin: Origin;

test.beforeAll(async () => {
  origin = await startStoreOrigin();
});

test.afterAll(async () => {
  await origin.stop();
});

test('a service worker reads beside a writer that holds the files open', async ({ page }) => {
  await page.goto(`${origin.url}/`);
  const worker = await WorkerCaller.worker(page);
  const sw = await WorkerCaller.serviceWorker(page);
  const written = await worker.call<{ sha256: string; start: number; end: number; bytes: number[] }>(
    'holdOpen',
    'sw',
  );
  const { sha256, start, end, bytes } = written;
  for (const how of ['read', 'slice']) {
    const seen = await sw.call<Record<string, unknown>>('read', 'sw', sha256, start, end, how);
    const files = [expect.stringMatching(`^${sha256}-\\d+\\.bin$`)];
    expect(seen).toMatchObject({ sealed: false, hasTable: true, has: true, bytes, files });
  }
  await worker.call('finish');
  for (const how of ['read', 'slice']) {
    const seen = await sw.call<Record<string, unknown>>('read', 'sw', sha256, start, end, how);
    expect(seen).toMatchObject({ sealed: true, hasTable: true, has: true, bytes });
  }
  expect(await sw.call('open', 'sw')).toBe('unreadable');
});

test('an exhausted quota is ENOSPC, what was committed stays, and the same writes work when there is room', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'the quota of one origin can be set in Chromium only');
  await page.goto(`${origin.url}/`);
  const worker = await WorkerCaller.worker(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize: 4_000_000 });
  const { code, committed } = await worker.call<{ code: string; committed: string[] }>('fill', 'quota');
  expect(code).toBe('ENOSPC');
  expect(committed.length).toBeGreaterThan(0);
  const { present, wrong } = await worker.call<{ present: string[]; wrong: string[] }>('verify', 'quota');
  expect(wrong).toEqual([]);
  const found = new Set(present);
  expect(committed.filter((block) => !found.has(block))).toEqual([]);
  await session.send('Storage.overrideQuotaForOrigin', { origin: origin.url });
  expect(await worker.call('complete', 'quota')).toBe(4);
});

test('where the browser gives no OPFS there is a reason', async ({ page }) => {
  // Not a secure context: neither OPFS nor service workers.
  await page.context().route('http://insecure.test/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: `${origin.url}${pathname}` }) });
  });
  await page.goto('http://insecure.test/');
  const worker = await WorkerCaller.worker(page);
  expect(await worker.call('unavailable')).toBe('unreadable');
});
