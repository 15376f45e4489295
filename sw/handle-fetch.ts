import { utf8Encode } from '../src/format/utf8.ts';
import type { Image } from '../src/image/image.ts';
import { errorResponse } from './errors.ts';
import { respond } from './respond.ts';
import { type Route, route, runtimeFolder } from './route.ts';
import type { Site } from './site.ts';

type Ours = Exclude<Route, { readonly to: 'network' | 'undecided' }>;

/**
 * Answers what is ours and leaves the rest to the browser. While the image is not open yet (after a restart), a request is held until it is;
 * one that turns out not to be ours is then passed on unchanged.
 *
 * May run twice for one request: Chromium dispatches it again when the worker was killed before it answered.
 */
export function handleFetch(site: Site, event: FetchEvent): void {
  const { request } = event;
  // A navigation makes a new page; everything else belongs to one that has its image.
  const clientId = request.mode === 'navigate' ? '' : event.clientId;
  let image: Image | undefined;
  let found: Route;
  try {
    image = site.imageNow(clientId);
    found = route(request, site.scope, image);
  } catch (error) {
    // A damaged record of the image: not knowing whose path it is must not pass for "not ours".
    event.respondWith(errorResponse(error, pathIn(site, request.url)));
    return;
  }
  if (found.to === 'network') return;
  if (found.to === 'undecided') event.respondWith(decideLate(site, event, clientId));
  else event.respondWith(answer(site, event, image, found));
}

async function decideLate(site: Site, event: FetchEvent, clientId: string): Promise<Response> {
  let image: Image | undefined;
  let found: Route;
  try {
    image = await site.image(clientId);
    found = route(event.request, site.scope, image);
  } catch (error) {
    return errorResponse(error, pathIn(site, event.request.url));
  }
  if (found.to === 'network' || found.to === 'undecided') return fetch(event.request);
  return answer(site, event, image, found);
}

async function answer(
  site: Site,
  event: FetchEvent,
  image: Image | undefined,
  found: Ours,
): Promise<Response> {
  try {
    if (found.to === 'redirect') {
      return new Response(null, { status: 301, headers: { Location: found.location } });
    }
    if (found.to === 'runtime') return await site.runtimeFiles.respond(found.name);
    return await answerFile(site, event, image!, found);
  } catch (error) {
    return errorResponse(error, pathIn(site, event.request.url));
  }
}

async function answerFile(
  site: Site,
  event: FetchEvent,
  image: Image,
  { inode, path }: { readonly inode: number; readonly path: string },
): Promise<Response> {
  const { request, clientId } = event;
  const navigates = request.mode === 'navigate';
  // The script of a worker: the worker sees the version that its page sees.
  if (!navigates && event.resultingClientId) event.waitUntil(site.inherit(event.resultingClientId, clientId));
  const { response, finished } = await respond(
    request,
    { image, inode, path, ...(navigates ? { clientScript: clientScriptOf(site.scope) } : {}) },
    site,
    // A new page brings its loader only when it has come; all others have a page behind them that can.
    { timeoutMs: site.readTimeoutOf(clientId), mayWaitForLoader: !navigates && clientId !== '' },
  );
  event.waitUntil(finished);
  return response;
}

/** Same origin and external, so that a policy of 'self' allows it. */
function clientScriptOf(scope: string): Uint8Array<ArrayBuffer> {
  return utf8Encode(`<script src="${new URL(scope).pathname}${runtimeFolder}client.js"></script>`);
}

function pathIn(site: Site, url: string): string {
  return new URL(url).pathname.slice(new URL(site.scope).pathname.length);
}
