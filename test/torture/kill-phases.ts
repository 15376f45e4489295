import type { BrowserContext, Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { launched } from '../browser/small-site.ts';
import { until } from '../support/until.ts';
import type { TwoReleases } from './two-releases.ts';

declare const window: Window & { sluice: Sluice; acknowledged?: number };

/** What the store is at when the browser is killed. */
export const phases = ['load', 'seal', 'checkpoint', 'cull', 'evict'] as const;
export type Phase = (typeof phases)[number];

/** One image and a half. */
const quotaSize = 13 * 2 ** 20;

/** For the page's own origin, while this browser lives. */
export async function limitQuota(context: BrowserContext, page: Page, origin: string): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
}

/** The page runs the other image when this resolves; of the one before, which nobody uses then, blobs are culled when the quota is met. */
export async function changeRelease(page: Page, site: TwoReleases): Promise<void> {
  const imageOf = () => page.evaluate(async () => (await window.sluice.state()).image);
  const before = await imageOf();
  await until(async () => {
    await page.reload();
    await launched(page);
    return (await imageOf()) === site.other(before).site.image;
  });
}

/** Evicts all of the image, and brings some of it again, until the end. */
export function evictOnAndOn(page: Page, paths: readonly string[]): Promise<void> {
  return page.evaluate((paths) => {
    void (async () => {
      for (;;) {
        await window.sluice.prefetch(paths);
        await window.sluice.evict();
      }
    })();
  }, paths);
}

/** No more files can be made between the last question to a page and its end. */
const laterChanges = 100;

/** Text of a file that is made at run time, by its number. */
const textOf = (n: number): string => `${n} `.repeat(100);

/**
 * Makes files, each in place of the one before, until the end. The last that was acknowledged has the number `window.acknowledged`. So much metadata is
 * changed meanwhile that the journal is compacted about twice a second.
 */
export function changeOnAndOn(page: Page, after: number): Promise<void> {
  return page.evaluate(
    ({ after, textOf }) => {
      const text = new Function(`return ${textOf}`)() as (n: number) => string;
      void (async () => {
        const { sluice } = window;
        await sluice.mkdir('made', { recursive: true });
        for (let n = after + 1; ; n++) {
          await sluice.writeFile(`made/${n}`, text(n)).catch((error) => {
            // Made before the kill, and not acknowledged.
            if (error.code !== 'EEXIST') throw error;
          });
          window.acknowledged = n;
          if (n > 1) await sluice.unlink(`made/${n - 1}`).catch(() => {}); // It may be gone as well.
          await Promise.all(
            Array.from({ length: 20 }, (_, i) => sluice.setMeta('app.js', `${n} ${i} `.padEnd(512))),
          );
        }
      })();
    },
    { after, textOf: String(textOf) },
  );
}

/** What is wrong with the files that {@link changeOnAndOn} made, when `acknowledged` was the last that it told of; undefined = nothing. */
export async function lostChange(page: Page, acknowledged: number): Promise<string | undefined> {
  // It went on for a moment before it was killed, so it may be a later one that is there.
  const found = await page.evaluate(
    async ({ acknowledged, later }) => {
      for (let n = acknowledged; n <= acknowledged + later; n++) {
        const response = await fetch(`/made/${n}`);
        if (response.ok) return { n, text: await response.text() };
      }
      return undefined;
    },
    { acknowledged, later: laterChanges },
  );
  if (!found) return `made/${acknowledged} was acknowledged, and is gone`;
  return found.text === textOf(found.n) ? undefined : `made/${found.n} differs`;
}
