import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { launchChromium } from './chromium.ts';
import { killTree } from './process-tree.ts';
import { tempDir } from './temp-dir.ts';

const tidyMs = 20_000;

/**
 * One Chromium for the tests of a worker, since its start costs two seconds of a processor, and a page 0.3. It has one profile, on disk as a visitor's is.
 * Tests do not see each other all the same: each has servers, and so origins, of its own, and what it leaves is cleared, since ports come again: storage, permissions, and routes of the driver's, which switch the HTTP cache off.
 */
export class SharedChromium {
  #running: { readonly context: BrowserContext; readonly end: () => Promise<void> } | undefined;
  readonly #origins = new Set<string>();

  /** With one page, an empty one. */
  async lend(): Promise<BrowserContext> {
    this.#running ??= await this.#start();
    return this.#running.context;
  }

  /** Closes what is open, and clears what was stored. A browser that cannot do that in time is ended: the next test has a new one. */
  async takeBack(context: BrowserContext): Promise<void> {
    if (this.#running?.context !== context) return; // It was ended, or ended by itself.
    const deadline = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error(`not tidy after ${tidyMs} ms`)), tidyMs).unref();
    });
    try {
      await Promise.race([this.#tidy(context), deadline]);
    } catch (error) {
      console.warn('The browser of the tests is started anew:', error);
      await this.stop();
    }
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#origins.clear();
    await running?.end();
  }

  async #start() {
    const { path, remove } = await tempDir('chromium');
    const [profile, temp] = [join(path, 'profile'), join(path, 'temp')];
    await mkdir(temp);
    const context = await launchChromium(profile, temp);
    context.on('page', (page) => this.#watch(page));
    for (const page of context.pages()) this.#watch(page);
    context.once('close', () => {
      if (this.#running?.context === context) this.#running = undefined;
    });
    const end = async (): Promise<void> => {
      await killTree(profile);
      await remove();
    };
    return { context, end };
  }

  #watch(page: Page): void {
    page.on('framenavigated', (frame) => {
      const { origin, protocol } = new URL(frame.url());
      if (protocol.startsWith('http')) this.#origins.add(origin);
    });
  }

  async #tidy(context: BrowserContext): Promise<void> {
    const left = context.pages();
    const page = await context.newPage();
    for (const old of left) await old.close();
    await context.unrouteAll();
    await context.clearPermissions();
    const session = await context.newCDPSession(page);
    for (const origin of this.#origins)
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    this.#origins.clear();
    await session.send('Network.clearBrowserCache');
    await session.detach();
  }
}
