import { setTimeout as pause } from 'node:timers/promises';
import { findChromium } from '../scripts/find-browsers.mjs';
import { Devtools } from '../src/cli/devtools.ts';
import { SluiceError } from '../src/format/errors.ts';

const pollMs = 20;

/**
 * A page of a browser that nobody watches. Test drivers listen to every chunk that comes over the network, which trebles what that costs a browser's
 * processes (measured: 15 MB in a worker, 1.2 to 1.6 s of its thread with one listening, 0.5 s without): more for whoever loads in the
 * background. This one asks for the page's own words, and nothing else.
 */
export class QuietPage {
  readonly #devtools: Devtools;
  readonly #session: string;

  private constructor(devtools: Devtools, session: string) {
    this.#devtools = devtools;
    this.#session = session;
  }

  /** A new browser process with this profile. */
  static async launch(profileDir: string): Promise<QuietPage> {
    const executable = await findChromium();
    if (!executable) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
    const devtools = new Devtools(executable, profileDir);
    try {
      const { targetInfos } = await devtools.call<{ targetInfos: { type: string; targetId: string }[] }>(
        'Target.getTargets',
      );
      return await QuietPage.#attach(devtools, targetInfos.find(({ type }) => type === 'page')!.targetId);
    } catch (error) {
      await devtools.close();
      throw error;
    }
  }

  static async #attach(devtools: Devtools, targetId: string): Promise<QuietPage> {
    const { sessionId } = await devtools.call<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    return new QuietPage(devtools, sessionId);
  }

  /** Runs before the scripts of every document to come. */
  async beforeScripts(script: () => void): Promise<void> {
    await this.#call('Page.enable');
    await this.#call('Page.addScriptToEvaluateOnNewDocument', { source: `(${script})()` });
  }

  /** Begins to navigate; what comes of it is the page's to say. Throws where there is no answer at all. */
  async goto(url: string): Promise<void> {
    const { errorText } = await this.#call<{ errorText?: string }>('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
  }

  /** Begins to go back to the page before. */
  async back(): Promise<void> {
    const { currentIndex, entries } = await this.#call<{
      currentIndex: number;
      entries: readonly { readonly id: number }[];
    }>('Page.getNavigationHistory');
    await this.#call('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1]!.id });
  }

  /** The function gets `argument` as JSON, and its result comes back so, after promises. */
  async evaluate<Argument, Result>(
    work: (argument: Argument) => Result | Promise<Result>,
    argument?: Argument,
  ): Promise<Result> {
    const expression = `(${work})(${JSON.stringify(argument)})`;
    const { result, exceptionDetails } = await this.#call<{
      readonly result: { readonly value?: unknown };
      readonly exceptionDetails?: { readonly text: string; readonly exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value as Result;
  }

  /** What the app's own sign, `window.__ready`, resolves to, and when it did, by the wall clock. Lives through a boot page's hand-over to the app. */
  async ready(deadlineMs: number): Promise<{ readonly value: unknown; readonly at: number }> {
    const end = performance.now() + deadlineMs;
    let trouble: unknown;
    while (performance.now() < end) {
      try {
        const ready = await this.evaluate(() => window.__ready?.then((value) => ({ value, at: Date.now() })));
        if (ready) return ready;
      } catch (error) {
        // A page that gives way to the next takes the question with it; an app that waits for long lets the call run out.
        const passing = error instanceof SluiceError && error.code !== 'disconnected';
        if (!passing && !/navigat|context|collected/i.test(String(error))) throw error;
        trouble = error;
      }
      await pause(pollMs);
    }
    throw new Error(`the app was not ready after ${deadlineMs / 1000} s`, { cause: trouble });
  }

  /** Stops the browser's service workers, as the browser itself does after idle time. The next event starts them anew. */
  async stopServiceWorkers(): Promise<void> {
    await this.#call('ServiceWorker.enable');
    await this.#call('ServiceWorker.stopAllWorkers');
    await this.#call('ServiceWorker.disable');
  }

  /** One more tab of the same browser, the visible one from now on; or one in a window of its own, and both are visible. */
  async another({ isWindow = false } = {}): Promise<QuietPage> {
    const made = await this.#devtools.call<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      newWindow: isWindow,
    });
    return QuietPage.#attach(this.#devtools, made.targetId);
  }

  /** Freezes the page, which must not be the visible one, as browsers do with tabs that nobody looks at; or lets it go on. */
  async setLifecycle(state: 'frozen' | 'active'): Promise<void> {
    await this.#call('Page.setWebLifecycleState', { state });
  }

  /** The browser gives the origin no more than so many bytes from now on. */
  async limitQuota(origin: string, quotaSize: number): Promise<void> {
    await this.#call('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  }

  /** Bytes of the page's heap, after a collection. */
  async heapUsed(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage');
    return (await this.#call<{ usedSize: number }>('Runtime.getHeapUsage')).usedSize;
  }

  /** Ends the browser as a user does. */
  close(): Promise<void> {
    return this.#devtools.close();
  }

  #call<Result>(method: string, params: object = {}): Promise<Result> {
    return this.#devtools.call<Result>(method, params, this.#session);
  }
}

declare const window: Window & { readonly __ready?: Promise<unknown> };
