import type { Page } from '@playwright/test';
import { until } from '../support/until.ts';

/**
 * Resolves when a service worker of the origin, one whose scope ends so, has kept all that it needs beside the image to launch without a server: it brings
 * the rest of it when the image is complete, which nobody waits for. (The image is one that zstd packed.)
 */
export async function keptRuntime(page: Page, scope = '/'): Promise<void> {
  await until(() =>
    page.evaluate(async (scope) => {
      const names = ['client.js', 'loader.js', 'icon.svg', 'zstd.wasm'];
      for (const key of await caches.keys()) {
        const requests = await (await caches.open(key)).keys();
        if (names.every((name) => requests.some(({ url }) => url.endsWith(`${scope}__sluice/${name}`))))
          return true;
      }
      return false;
    }, scope),
  );
}
