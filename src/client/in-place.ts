import { launchHeader } from '../protocol/messages.ts';
import { trusted } from './trusted-types.ts';

/** An app's page is some kilobytes; one that is longer is better streamed, which a navigation does. */
const maxBytes = 256 * 1024;
/** A browser looks so far for what a page says of its encoding. */
const charsetReach = 1024;
/** Longer than a request is held: the service worker's own words are better. */
const deadlineMs = 60_000;

/** What says nothing of the document that a page becomes. */
const plainHeaders = [
  'accept-ranges',
  'cache-control',
  'content-length',
  'content-type',
  'etag',
  'last-modified',
];
const isUtf8 = /charset\s*=\s*["']?utf-?8\b/i;

/**
 * The app's page for `url`, to be written into the boot page's own document; undefined where only a navigation brings the same. Asked of the service worker, which must
 * control this page. Throws what fetch throws.
 *
 * An answer that is no page, or a redirect, is for the browser to show. Headers that hold for a document from its begin on (cross-origin isolation, a policy)
 * are set by a navigation only, and so is another encoding than that of the boot page.
 */
export async function appPage(url: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(deadlineMs);
  const response = await fetch(url, { headers: { [launchHeader]: '1' }, redirect: 'manual', signal });
  const { ok, headers } = response;
  const type = headers.get('Content-Type') ?? '';
  const length = Number(headers.get('Content-Length') ?? Number.POSITIVE_INFINITY);
  const isPlain = [...headers.keys()].every((name) => plainHeaders.includes(name));
  if (!ok || !isPlain || !/^text\/html\b/i.test(type) || length > maxBytes) {
    await response.body?.cancel();
    return undefined;
  }
  const html = await response.text();
  return isUtf8.test(type) || isUtf8.test(html.slice(0, charsetReach)) ? html : undefined;
}

/**
 * Puts `html` in the place of this document: the same window, with the workers that it has. `begin` runs before the page's first script; everything that
 * listened to the document and the window before is gone by then. Throws where a policy forbids it; the document is empty then.
 */
export function writePage(html: string, begin: () => void): void {
  document.open();
  document.adoptedStyleSheets = []; // The boot page's, which open() leaves.
  showOnce();
  begin();
  document.write(trusted('createHTML', html));
  document.close();
}

/** Firefox, unlike others, ends the load of a page that was written with no `pageshow`, which an app may begin with. */
function showOnce(): void {
  let isShown = false;
  const shown = (): void => {
    isShown = true;
  };
  addEventListener('pageshow', shown, { once: true });
  // Behind those who listen to `load`, before what they begin.
  const show = (): void => {
    if (!isShown) dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }));
  };
  addEventListener('load', () => setTimeout(show), { once: true });
}
