import type { CDPSession, Page } from '@playwright/test';

interface WorkerVersion {
  readonly versionId: string;
  readonly runningStatus: 'stopped' | 'starting' | 'running' | 'stopping';
}

/**
 * Stops every running service worker of the browser, as the browser itself does after idle time (which it does not
 * do while Playwright is attached), and resolves when none runs. Registrations stay; the next event starts them anew.
 */
export async function stopAllServiceWorkers(page: Page, timeoutMs = 10_000): Promise<void> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const running = new Map<string, string>();
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`service workers still ran after ${timeoutMs} ms: ${[...running.values()]}`)),
        timeoutMs,
      );
      let asked = false;
      const check = () => {
        if (!asked || [...running.values()].some((status) => status !== 'stopped')) return;
        clearTimeout(timer);
        resolve();
      };
      session.on('ServiceWorker.workerVersionUpdated', ({ versions }: { versions: WorkerVersion[] }) => {
        for (const { versionId, runningStatus } of versions) running.set(versionId, runningStatus);
        check();
      });
      (async () => {
        await session.send('ServiceWorker.enable'); // Reports every version before it answers.
        await session.send('ServiceWorker.stopAllWorkers');
        asked = true;
        check();
      })().catch(reject);
    });
  } finally {
    await session.detach();
  }
}
