import type { Page } from '@playwright/test';

/** SHA-256 of the image that the service worker of the scope, of the page's origin, gives to new pages, by the record that it keeps. */
export function currentImage(page: Page, scope = '/'): Promise<string | undefined> {
  return page.evaluate(
    (scope) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('sluice');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const store = opening.result.transaction('settings').objectStore('settings');
          const got = store.get(`sluice:${location.origin}${scope}`);
          got.onsuccess = () => {
            opening.result.close();
            resolve(got.result?.image);
          };
        };
      }),
    scope,
  );
}
