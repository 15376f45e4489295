import { isDeepStrictEqual } from 'node:util';
import type { Page } from '@playwright/test';
import { appReady } from '../test/apps/test-app.ts';
import type { BrowserProfile } from '../test/support/browser-profile.ts';
import { cpuTimeMs } from './cpu-time.ts';
import type { Side } from './side.ts';

/** One launch, up to the app's own sign that it is ready. */
export interface Visit {
  /** From the call that navigates to the sign, on the clock of the process that drives the browser. */
  readonly readyMs: number;
  /** Over the link towards the browser until then, HTTP headers included; also what was not asked for by the app. */
  readonly wireBytes: number;
  readonly requests: number;
  /** Processor time that the browser took until then, of all of its processes together; undefined where that cannot be told. */
  readonly cpuMs: number | undefined;
}

/** A browser that has just started is busy with itself for a while: not part of what is compared. */
const settleMs = 1000;
const readyDeadlineMs = 120_000;
const completeDeadlineMs = 300_000;

/**
 * A new browser process opens the app, and `then` may look at the page when it is ready. The browser is closed at the end, as a user closes it.
 * Fails when what the app shows is not what it should.
 */
export async function visit<T>(
  profile: BrowserProfile,
  side: Side,
  then: (page: Page, visit: Visit) => Promise<T>,
  before: (page: Page) => Promise<void> = async () => {},
): Promise<T> {
  const context = await profile.launch();
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await before(page);
    await page.waitForTimeout(settleMs);
    await side.link.reset();
    const idleMs = await cpuTimeMs(profile.dir);
    const start = performance.now();
    const navigation = page.goto(side.url, { waitUntil: 'commit' });
    navigation.catch(() => {}); // Awaited below; until then it is not unhandled.
    const result = await appReady(page, readyDeadlineMs);
    const readyMs = performance.now() - start;
    const [{ down, requests }, spentMs] = await Promise.all([side.link.stats(), cpuTimeMs(profile.dir)]);
    const cpuMs = spentMs === undefined || idleMs === undefined ? undefined : spentMs - idleMs;
    await navigation;
    const { expected } = side.app;
    if (expected !== undefined && !isDeepStrictEqual(result, expected)) {
      throw new Error(`${side.app.name} (${side.name}) is wrong: ${JSON.stringify(result)}`);
    }
    return await then(page, { readyMs, wireBytes: down, requests, cpuMs });
  } finally {
    await profile.close();
  }
}

/** Until the visitor has what a second visit builds on: the whole image; or, without Sluice, what the app still loads by itself. */
export async function settled(page: Page, side: Side): Promise<void> {
  if (side.name === 'plain') {
    await page.waitForLoadState('networkidle', { timeout: completeDeadlineMs });
    return;
  }
  await page.waitForFunction(() => window.sluice!.whenComplete().then(() => true), undefined, {
    timeout: completeDeadlineMs,
  });
}

declare const window: Window & { readonly sluice?: { whenComplete(): Promise<void> } };
