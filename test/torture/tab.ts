import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserContext, Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { launched } from '../browser/small-site.ts';
import { type SteadyReaderOptions, startReading } from './steady-reader.ts';

declare const window: Window & { sluice: Sluice };

/** How a tab, or its loader, goes without a word. */
export const endings = ['close', 'crash', 'worker'] as const;
export type Ending = (typeof endings)[number];

/** One tab of a launched app, with readers in it. */
export class Tab {
  readonly app: number;
  readonly page: Page;

  private constructor(app: number, page: Page) {
    this.app = app;
    this.page = page;
  }

  static async open(
    context: BrowserContext,
    app: number,
    url: string,
    readers: SteadyReaderOptions,
  ): Promise<Tab> {
    const page = await context.newPage();
    await page.goto(url);
    await launched(page);
    await startReading(page, readers);
    return new Tab(app, page);
  }

  /** Its loader leads. False also where that cannot be told in time. */
  async leads(timeoutMs = 10_000): Promise<boolean> {
    const role = this.page
      .evaluate(async () => (await window.sluice.state()).loader.role)
      .catch(() => undefined);
    return (await Promise.race([role, pause(timeoutMs, undefined, { ref: false })])) === 'leader';
  }

  /** Whether the page is left, with a loader that it has to replace. */
  async end(ending: Ending): Promise<boolean> {
    if (ending === 'worker') {
      const [worker] = this.page.workers();
      if (!worker) return true;
      await worker.evaluate(() => self.close()).catch(() => {}); // It does not answer any more.
      return true;
    }
    if (ending === 'crash') {
      const crashed = this.page.waitForEvent('crash');
      const session = await this.page.context().newCDPSession(this.page);
      session.send('Page.crash').catch(() => {}); // Nor does this one.
      await crashed;
    }
    await this.page.close();
    return false;
  }
}
