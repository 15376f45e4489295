import type { Page } from '@playwright/test';
import { inBrowser, isFirefox } from './firefox/firefox.ts';

/** What a person does with a browser and a page cannot, in both engines. */

/** Reloads as with Shift held: past the HTTP cache and the service worker. Resolves when the reload is asked for. */
export async function hardReload(page: Page): Promise<void> {
  const context = page.context();
  if (isFirefox(context)) {
    await inBrowser(
      context,
      `(() => {
        for (const window of Services.wm.getEnumerator('navigator:browser'))
          for (const tab of window.gBrowser.browsers)
            if (tab.currentURI.spec === ${JSON.stringify(page.url())})
              tab.reloadWithFlags(Ci.nsIWebNavigation.LOAD_FLAGS_BYPASS_CACHE | Ci.nsIWebNavigation.LOAD_FLAGS_BYPASS_PROXY);
        return 'asked';
      })()`,
    );
    return;
  }
  const session = await context.newCDPSession(page);
  await session.send('Page.reload', { ignoreCache: true });
  await session.detach();
}

/** Empties the HTTP cache; Cache Storage and OPFS stay. */
export async function clearHttpCache(page: Page): Promise<void> {
  const context = page.context();
  if (isFirefox(context)) {
    await inBrowser(context, `(() => { Services.cache2.clear(); return 'cleared'; })()`);
    return;
  }
  const session = await context.newCDPSession(page);
  await session.send('Network.clearBrowserCache');
  await session.detach();
}
