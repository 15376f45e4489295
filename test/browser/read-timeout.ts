import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { until } from '../support/until.ts';

declare const window: Window & { readonly sluice: Sluice };

/**
 * So long may the page's reads wait, from its next one on. A request of the page may overtake its messages, but these keep their order: resolves when the
 * service worker has heard of it, and has written it down for the one that is started after it.
 */
export async function setReadTimeout(page: Page, ms: number): Promise<void> {
  await page.evaluate(async (ms) => {
    window.sluice.readTimeoutMs = ms;
    const { port1, port2 } = new MessageChannel();
    const heard = new Promise((resolve) => {
      port1.onmessage = resolve;
    });
    const message = { type: 'sluice:has-path', url: location.href };
    navigator.serviceWorker.controller!.postMessage(message, [port2]);
    await heard;
    port1.close();
  }, ms);
  await until(() => page.evaluate(isKept, ms));
}

/** Runs in the page. */
async function isKept(ms: number): Promise<boolean> {
  const { scope } = (await navigator.serviceWorker.getRegistration())!;
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open('sluice');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => resolve(opening.result);
  });
  try {
    const reading = database
      .transaction('settings')
      .objectStore('settings')
      .get(`sluice:${scope}:read-timeouts`);
    await new Promise((resolve, reject) => {
      reading.onsuccess = resolve;
      reading.onerror = () => reject(reading.error);
    });
    const kept = (reading.result ?? []) as readonly (readonly [client: string, ms: number])[];
    return kept.some(([, its]) => its === ms);
  } finally {
    database.close();
  }
}
