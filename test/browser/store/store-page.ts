import type { Page } from '@playwright/test';
import { Origin } from '../../support/origin.ts';
import { textRoutes } from '../../support/routes.ts';
import { bundle } from './bundle.ts';
import type { Answer } from './calls.ts';

/** An origin with an empty page, the store's worker as `/worker.js`, and a reading service worker as `/sw.js`. */
export async function startStoreOrigin(): Promise<Origin> {
  const [worker, sw] = [await bundle('store-worker.ts'), await bundle('reader-sw.ts')];
  const routes = textRoutes({
    '/': ['text/html', '<!doctype html><title>store</title>'],
    '/worker.js': ['text/javascript', worker],
    '/sw.js': ['text/javascript', sw],
  });
  return Origin.start({ mounts: {}, routes });
}

/** The page's worker or service worker, as seen from a test. */
export class WorkerCaller {
  readonly #page: Page;
  readonly #kind: 'worker' | 'sw';

  private constructor(page: Page, kind: 'worker' | 'sw') {
    this.#page = page;
    this.#kind = kind;
  }

  /** Starts a dedicated worker; one that this page had before is terminated, whatever it is doing. */
  static async worker(page: Page): Promise<WorkerCaller> {
    await page.evaluate(() => {
      const holder = globalThis as unknown as { worker?: Worker };
      holder.worker?.terminate();
      holder.worker = new Worker('/worker.js');
    });
    return new WorkerCaller(page, 'worker');
  }

  static async serviceWorker(page: Page): Promise<WorkerCaller> {
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/sw.js');
      await navigator.serviceWorker.ready;
    });
    return new WorkerCaller(page, 'sw');
  }

  /** Calls a command; its error is thrown here. */
  async call<T>(command: string, ...args: readonly unknown[]): Promise<T> {
    const answer = await this.#page.evaluate(
      async ({ kind, call }): Promise<Answer> => {
        const holder = globalThis as unknown as { worker: Worker };
        const target = kind === 'worker' ? holder.worker : (await navigator.serviceWorker.ready).active!;
        const { port1, port2 } = new MessageChannel();
        return new Promise((resolve) => {
          port1.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
          target.postMessage(call, [port2]);
        });
      },
      { kind: this.#kind, call: { command, args } },
    );
    if ('error' in answer) throw new Error(answer.error);
    return answer.value as T;
  }

  /** Sends a command and does not wait. */
  async send(command: string, ...args: readonly unknown[]): Promise<void> {
    await this.#page.evaluate(
      (call) => {
        const holder = globalThis as unknown as { worker: Worker };
        holder.worker.postMessage(call, [new MessageChannel().port2]);
      },
      { command, args },
    );
  }
}
