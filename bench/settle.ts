import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import type { BrowserProfile } from '../test/support/browser-profile.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { isSluice, type Side } from './side.ts';

const completeDeadlineMs = 300_000;
const sampleMs = 500;
/** Share of one core. */
const quietShare = 0.1;
/** Some apps never rest. */
const quietDeadlineMs = 10_000;

/**
 * Until the visitor has what later visits build on: the whole image; or, without Sluice, what the app still loads by itself; and in all cases what
 * the browser does after that by itself, such as writing caches of compiled code.
 */
export async function settle(page: Page, side: Side, profile: BrowserProfile): Promise<void> {
  if (isSluice(side.name)) {
    await page.waitForFunction(() => window.sluice!.whenComplete().then(() => true), undefined, {
      timeout: completeDeadlineMs,
    });
  } else await page.waitForLoadState('networkidle', { timeout: completeDeadlineMs });
  const deadline = performance.now() + quietDeadlineMs;
  for (let quiet = 0, before = await cpuTimeMs(profile.dir); quiet < 2 && performance.now() < deadline; ) {
    await pause(sampleMs);
    const now = await cpuTimeMs(profile.dir);
    quiet = (now ?? 0) - (before ?? 0) < quietShare * sampleMs ? quiet + 1 : 0;
    before = now;
  }
}

declare const window: Window & { readonly sluice?: { whenComplete(): Promise<void> } };
