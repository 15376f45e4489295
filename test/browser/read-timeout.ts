import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { releaseSettingName } from '../../src/protocol/messages.ts';
import { until } from '../support/until.ts';
import { keptSetting } from './kept-setting.ts';

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
  const scope = await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.scope);
  await until(async () => {
    const kept = await keptSetting(page, `${releaseSettingName(scope)}:read-timeouts`);
    return ((kept ?? []) as readonly (readonly [client: string, ms: number])[]).some(([, its]) => its === ms);
  });
}
