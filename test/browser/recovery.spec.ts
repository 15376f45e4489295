import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import type { Fault } from '../support/fault.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { setReadTimeout } from './read-timeout.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice };

const late = noise(3, 200_000);

interface Held {
  /** What goes in front of the service worker's script. */
  readonly prelude?: string;
  /** What becomes of requests for the last blob. Default: they wait. */
  readonly fault?: Fault;
}

/** A launched app of which `zz-late.bin`, the last blob, does not come before `release()`. */
async function launchHeld(page: Page, { prelude = '', fault }: Held = {}) {
  const site = await smallSite(
    { ...smallApp(600_000), 'zz-late.bin': late },
    { level: 3, blobSize: 512 * 1024, codec: 'none' },
  );
  const script = join(site.dir, 'sw.js');
  await writeFile(script, prelude + (await readFile(script, 'utf8')));
  const last = (await site.blobs()).at(-1)!;
  let isHeld = true;
  let release = (): void => {};
  const until = new Promise<void>((resolve) => {
    release = () => {
      isHeld = false;
      resolve();
    };
  });
  const origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (isHeld && path.endsWith(last) ? (fault ?? { type: 'hold', until }) : undefined),
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const dispose = async (): Promise<void> => {
    release();
    await origin.stop();
    await site[Symbol.asyncDispose]();
  };
  const asked = (): number => origin.requests(({ path }) => path.endsWith(last)).length;
  return { asked, release, [Symbol.asyncDispose]: dispose };
}

/** The last bytes of what comes late, read by the app: the status, or how it failed. */
function readLate(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const response = await fetch('zz-late.bin', { headers: { Range: 'bytes=-5' } });
    const code = response.headers.get('Sluice-Error') ?? 'right';
    return `${response.status} ${code} ${new Uint8Array(await response.arrayBuffer()).length}`;
  });
}

const NO_WORKERS = 'what drives this browser does not reach into workers';

test('a hung loader of a launched app is replaced, though the app asks nothing of it, and its held read is answered', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_WORKERS);
  await using app = await launchHeld(page);
  const before = await page.evaluate(async () => (await window.sluice.state()).loader.id);
  // It is not the read's deadline that ends it.
  await setReadTimeout(page, 180_000);
  const reading = readLate(page);
  await expect
    .poll(() => page.evaluate(async () => (await window.sluice.state()).pendingReads.length))
    .toBeGreaterThan(0);
  // In a task of its own: browsers do not terminate one of the inspector's.
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      for (;;);
    });
  });
  app.release();
  const startedAt = performance.now();
  expect(await reading).toBe('206 right 5');
  console.log(
    `the held read of a hung loader: answered after ${Math.round(performance.now() - startedAt)} ms`,
  );
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await page.evaluate(async () => (await window.sluice.state()).loader.id)).not.toBe(before);
});

test('no read is held for longer than a service worker may live on an event: it is answered, however long the app would wait', async ({
  page,
}) => {
  // Four minutes pass in 2.4 s.
  const hurry =
    'const later = setTimeout; setTimeout = (work, ms) => later(work, ms >= 200_000 ? ms / 100 : ms);\n';
  await using app = await launchHeld(page, { prelude: hurry });
  await setReadTimeout(page, 3_600_000);
  const startedAt = performance.now();
  expect(await readLate(page)).toMatch(/^504 read-timeout/);
  const ms = performance.now() - startedAt;
  expect(ms).toBeGreaterThan(2000);
  expect(ms).toBeLessThan(30_000); // An hour passes in 36 s.
  app.release();
  expect(await readLate(page)).toBe('206 right 5');
});

/** Playwright's emulation tells pages only; browsers tell their workers as well. */
async function say(page: Page, type: 'online' | 'offline'): Promise<void> {
  const work = (type: string): void => {
    Object.defineProperty(navigator, 'onLine', { value: type === 'online', configurable: true });
    dispatchEvent(new Event(type));
  };
  await page.evaluate(work, type);
  await page.workers()[0]!.evaluate(work, type);
}

const activity = (page: Page) => page.evaluate(async () => (await window.sluice.state()).loader.activity);

test('a server that asks for patience is left alone; that the network is back, as the browser says, ends the pause', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_WORKERS);
  await using app = await launchHeld(page, { fault: { type: 'status', status: 503, retryAfter: 120 } });
  await expect.poll(() => activity(page)).toBe('backing-off');
  const asked = app.asked();
  app.release();
  await say(page, 'offline');
  expect(await activity(page)).toBe('backing-off');
  expect(app.asked()).toBe(asked);
  await say(page, 'online');
  await page.evaluate(() => window.sluice.whenComplete());
});

test('an offline event is a hint only: what is missing is asked for all the same, and comes', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', NO_WORKERS);
  await using app = await launchHeld(page, { fault: { type: 'status', status: 503, retryAfter: 120 } });
  // A request that is on its way would be refused, and the read with it.
  await expect.poll(() => activity(page)).toBe('backing-off');
  await say(page, 'offline');
  app.release();
  expect(await readLate(page)).toBe('206 right 5');
  await page.evaluate(() => window.sluice.whenComplete());
});
