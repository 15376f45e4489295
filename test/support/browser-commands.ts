import type { Page } from '@playwright/test';
import { inBrowser, isFirefox } from './firefox/firefox.ts';
import { until } from './until.ts';

/** What a person does with a browser and a page cannot, in both engines. */

declare const window: Window & { isLeft?: boolean };

/** Reloads as with Shift held: past the HTTP cache and the service worker. Resolves when the page that is left has gone: until then it runs, and answers for the next one. */
export async function hardReload(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.isLeft = true;
  });
  await askForHardReload(page);
  await page.waitForFunction(() => !window.isLeft);
}

async function askForHardReload(page: Page): Promise<void> {
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

/** The files that this Firefox has saved, oldest first. */
const SAVED = `(async () => {
  const { Downloads } = ChromeUtils.importESModule('resource://gre/modules/Downloads.sys.mjs');
  const all = await (await Downloads.getList(Downloads.ALL)).getAll();
  return JSON.stringify(all.filter(({ succeeded }) => succeeded).map(({ target }) => target.path));
})()`;

/** The path of the file that the action has the browser save, once all of it is there. */
export async function saved(page: Page, action: () => Promise<void>): Promise<string> {
  const context = page.context();
  if (isFirefox(context)) {
    // Its driver is told of no download that is no navigation; the browser's own list is.
    const paths = async (): Promise<string[]> => JSON.parse(await inBrowser(context, SAVED));
    const before = (await paths()).length;
    await action();
    await until(async () => (await paths()).length > before);
    return (await paths()).at(-1)!;
  }
  const [download] = await Promise.all([page.waitForEvent('download'), action()]);
  return download.path();
}

/** The text on the clipboard. */
export async function clipboardText(page: Page): Promise<string> {
  const context = page.context();
  if (isFirefox(context)) {
    return inBrowser(
      context,
      `(() => {
        const text = Cc['@mozilla.org/widget/transferable;1'].createInstance(Ci.nsITransferable);
        text.init(null);
        text.addDataFlavor('text/plain');
        Services.clipboard.getData(text, Ci.nsIClipboard.kGlobalClipboard);
        const data = {};
        text.getTransferData('text/plain', data);
        return data.value.QueryInterface(Ci.nsISupportsString).data;
      })()`,
    );
  }
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], {
    origin: new URL(page.url()).origin,
  });
  return page.evaluate(() => navigator.clipboard.readText());
}
