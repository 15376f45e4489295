import type { Page } from '@playwright/test';

/** Deletes every cache of the page's origin, as its visitor may. The app's page itself is kept from that; an empty frame is a page of its own. */
export function clearCaches(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const { caches } = frame.contentWindow!;
    for (const name of await caches.keys()) await caches.delete(name);
    frame.remove();
  });
}
