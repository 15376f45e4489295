import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserProfile } from '../test/support/browser-profile.ts';
import { cpuTimeMs } from './cpu-time.ts';
import type { LinkLog } from './link.ts';
import type { QuietPage } from './quiet-page.ts';
import { isSluice, type Side } from './side.ts';

const completeDeadlineMs = 300_000;
/** A network that brings nothing for so long has brought all. */
const idleMs = 500;
const sampleMs = 500;
/** What is done when a page is calm begins after some seconds of calm. */
const quietSamples = 8;
/** Share of one core. */
const quietShare = 0.1;
/** Some apps never rest. */
const quietDeadlineMs = 20_000;

/**
 * Until the visitor has what later visits build on: the whole image; or, without Sluice, what the app still loads by itself; and in all cases what
 * the browser does after that by itself, such as writing caches of compiled code.
 */
export async function settle(page: QuietPage, side: Side, profile: BrowserProfile): Promise<void> {
  const complete = async (): Promise<boolean> =>
    isSluice(side.name)
      ? page.evaluate(async () => (await window.sluice.state()).complete)
      : Date.now() - lastArrival(await side.link.log()) > idleMs;
  const end = performance.now() + completeDeadlineMs;
  while (!(await complete())) {
    if (performance.now() > end) throw new Error(`${side.name}: not complete after ${completeDeadlineMs} ms`);
    await pause(sampleMs);
  }
  const deadline = performance.now() + quietDeadlineMs;
  for (
    let quiet = 0, before = await cpuTimeMs(profile.dir);
    quiet < quietSamples && performance.now() < deadline;
  ) {
    await pause(sampleMs);
    const now = await cpuTimeMs(profile.dir);
    quiet = (now ?? 0) - (before ?? 0) < quietShare * sampleMs ? quiet + 1 : 0;
    before = now;
  }
}

function lastArrival({ exchanges }: LinkLog): number {
  return Math.max(0, ...exchanges.map(({ lastAt }) => lastAt));
}

declare const window: Window & { readonly sluice: { state(): Promise<{ readonly complete: boolean }> } };
