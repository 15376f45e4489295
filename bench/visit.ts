import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { BrowserProfile } from '../test/support/browser-profile.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { QuietPage } from './quiet-page.ts';
import type { Side } from './side.ts';

/**
 * `cold`: first visit on a fresh profile. `warm`: a later one, by a new browser process, after everything has settled. `offline`: the same, and
 * nothing listens at the server's address.
 */
export const visitKinds = ['cold', 'warm', 'offline'] as const;
export type VisitKind = (typeof visitKinds)[number];

/** One launch, up to the app's own sign that it is ready. */
export interface Visit {
  /** From the call that navigates to the sign. */
  readonly readyMs: number;
  /** Over the link towards the browser until then, HTTP headers included; also what was not asked for by the app. */
  readonly wireBytes: number;
  readonly requests: number;
  /** Processor time that the browser took until then, of all of its processes together; undefined where that cannot be told. */
  readonly cpuMs: number | undefined;
}

/** A browser that has just started is busy with itself for a while: not part of what is compared. */
const settleMs = 1000;
/** A precache of a thousand files over the slowest link takes some minutes. */
const readyDeadlineMs = 600_000;

/**
 * A new browser process opens the app, and `then` may look at the page when it is ready. The browser is closed at the end, as a user closes it.
 * Fails when what the app shows is not what it should.
 */
export async function visit<T>(
  profile: BrowserProfile,
  side: Pick<Side, 'name' | 'app' | 'link' | 'url' | 'firstUrl'>,
  kind: VisitKind,
  then: (page: QuietPage, visit: Visit) => Promise<T>,
  before: (page: QuietPage) => Promise<void> = async () => {},
): Promise<T> {
  const url = kind === 'cold' ? side.firstUrl : side.url;
  const link = kind === 'offline' ? undefined : side.link;
  if (link === undefined) await side.link.stop();
  const page = await QuietPage.launch(profile.dir);
  try {
    await before(page);
    await pause(settleMs);
    await link?.reset();
    const idleMs = await cpuTimeMs(profile.dir);
    const start = Date.now();
    const navigation = page.goto(url);
    const { value: result, at } = await Promise.race([page.ready(readyDeadlineMs), failed(navigation)]);
    const readyMs = at - start;
    const [stats, spentMs] = await Promise.all([link?.stats(), cpuTimeMs(profile.dir)]);
    const cpuMs = spentMs === undefined || idleMs === undefined ? undefined : spentMs - idleMs;
    const { expected } = side.app;
    if (expected !== undefined && !isDeepStrictEqual(result, expected)) {
      throw new Error(`${side.app.name} (${side.name}) is wrong: ${JSON.stringify(result)}`);
    }
    return await then(page, { readyMs, wireBytes: stats?.down ?? 0, requests: stats?.requests ?? 0, cpuMs });
  } finally {
    await page.close();
  }
}

/** Only ever rejects: a navigation that came through is not yet an app that is ready. */
async function failed(navigation: Promise<unknown>): Promise<never> {
  await navigation;
  return new Promise<never>(() => {});
}
