import type { Page } from '@playwright/test';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';

/** What a schedule needs of a browser; each engine has its own way to give it. */
export interface Visitor {
  openTab(): Promise<Tab>;
  stopServiceWorkers(): Promise<void>;
}

/** A tab. What is asked of it rejects when the page goes away meanwhile. Functions that are evaluated use nothing from around them. */
export interface Tab extends Pick<Page, 'evaluate'> {
  /** Resolves when the answer has begun; rejects where none comes within twenty seconds. */
  open(url: string): Promise<void>;
  end(): Promise<void>;
}

const openMs = 20_000;

/** A browser by Playwright. */
export async function visitorOf(profile: BrowserProfile): Promise<Visitor> {
  const context = await profile.launch();
  // Whatever the tabs are at, there is one to talk to the browser through.
  const aside = context.pages()[0] ?? (await context.newPage());
  return {
    openTab: async () => {
      const page = await context.newPage();
      return {
        evaluate: page.evaluate.bind(page),
        open: async (url) => {
          await page.goto(url, { waitUntil: 'commit', timeout: openMs });
        },
        end: () => page.close(),
      };
    },
    stopServiceWorkers: () => stopAllServiceWorkers(aside),
  };
}
