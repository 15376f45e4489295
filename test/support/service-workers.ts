import type { CDPSession, Page } from '@playwright/test';
import { inBrowser, isFirefox } from './firefox/firefox.ts';

interface WorkerVersion {
  readonly versionId: string;
  readonly runningStatus: 'stopped' | 'starting' | 'running' | 'stopping';
}

/** With the rights of Firefox: its about:debugging stops them the same way. */
const TERMINATE_ALL = `(async () => {
  const manager = Cc['@mozilla.org/serviceworkers/manager;1'].getService(Ci.nsIServiceWorkerManager);
  const all = manager.getAllRegistrations();
  for (let i = 0; i < all.length; i++) {
    const registration = all.queryElementAt(i, Ci.nsIServiceWorkerRegistrationInfo);
    for (const worker of [registration.activeWorker, registration.waitingWorker, registration.installingWorker])
      await worker?.terminateWorker();
  }
  return 'done';
})()`;

/**
 * Stops every running service worker of the browser, as the browser itself does after idle time (which it does not
 * do while Playwright is attached), and resolves when each of them has stopped. Registrations stay; the next event starts them anew, which may be at once.
 */
export async function stopAllServiceWorkers(page: Page, timeoutMs = 60_000): Promise<void> {
  if (isFirefox(page.context())) {
    await inBrowser(page.context(), TERMINATE_ALL);
    return;
  }
  const session: CDPSession = await page.context().newCDPSession(page);
  const toStop = new Set<string>();
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${toStop.size} service workers still ran after ${timeoutMs} ms`)),
        timeoutMs,
      );
      let isAsked = false;
      const check = () => {
        if (!isAsked || toStop.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      session.on('ServiceWorker.workerVersionUpdated', ({ versions }: { versions: WorkerVersion[] }) => {
        for (const { versionId, runningStatus } of versions) {
          if (runningStatus === 'stopped') toStop.delete(versionId);
          else if (!isAsked) toStop.add(versionId);
        }
        check();
      });
      (async () => {
        await session.send('ServiceWorker.enable'); // Reports every version before it answers.
        isAsked = true;
        await session.send('ServiceWorker.stopAllWorkers');
        check();
      })().catch(reject);
    });
  } finally {
    await session.detach();
  }
}
