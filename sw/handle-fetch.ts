import { utf8Encode } from '../src/format/utf8.ts';
import { launchHeader } from '../src/protocol/messages.ts';
import { errorResponse } from './errors.ts';
import { respond } from './respond.ts';
import { type RequestFacts, type Route, route, runtimeFolder } from './route.ts';
import type { Site, Version } from './site.ts';

type Ours = Exclude<Route, { readonly to: 'network' | 'undecided' }>;

/**
 * Answers what is ours and leaves the rest to the browser. While the image is not open yet (after a restart), a request is held until it is;
 * one that turns out not to be ours is then passed on unchanged.
 *
 * May run twice for one request: Chromium dispatches it again when the worker was killed before it answered.
 */
export function handleFetch(site: Site, event: FetchEvent): void {
  const { request } = event;
  let reader: string | undefined;
  let version: Version | undefined;
  let found: Route;
  try {
    reader = site.readerIdNow(event);
    version = reader === undefined ? undefined : site.versionNow(reader);
    found = route(wanted(request), site.scope, version?.image);
  } catch (error) {
    // A damaged record of the image: not knowing whose path it is must not pass for "not ours".
    event.respondWith(errorResponse(error, pathIn(site, request.url)));
    return;
  }
  if (found.to === 'network') return;
  if (found.to === 'undecided') event.respondWith(decideLate(site, event));
  else event.respondWith(answer(site, event, reader ?? '', version, found));
}

/** Another app's pages can send this to themselves only: it says nothing that a navigation would not get. */
function isInPlace({ mode, headers }: Request): boolean {
  return mode === 'cors' && headers.has(launchHeader);
}

/** What a boot page asks for is found as the page that it is. */
function wanted(request: Request): RequestFacts {
  const { method, url, mode } = request;
  return { method, url, mode: isInPlace(request) ? 'navigate' : mode };
}

async function decideLate(site: Site, event: FetchEvent): Promise<Response> {
  let reader: string;
  let version: Version | undefined;
  let found: Route;
  try {
    reader = await site.readerId(event);
    version = await site.version(reader);
    found = route(wanted(event.request), site.scope, version?.image);
  } catch (error) {
    return errorResponse(error, pathIn(site, event.request.url));
  }
  if (found.to === 'network' || found.to === 'undecided') return fetch(event.request);
  return answer(site, event, reader, version, found);
}

/** `reader` is the client whose version answers; '' = none yet. */
async function answer(
  site: Site,
  event: FetchEvent,
  reader: string,
  version: Version | undefined,
  found: Ours,
): Promise<Response> {
  try {
    if (found.to === 'redirect') {
      return new Response(null, { status: 301, headers: { Location: found.location } });
    }
    if (found.to === 'runtime') {
      return await site.runtimeFiles.respond(found.name, (work) => event.waitUntil(work));
    }
    return await answerFile(site, event, reader, version!, found);
  } catch (error) {
    return errorResponse(error, pathIn(site, event.request.url));
  }
}

async function answerFile(
  site: Site,
  event: FetchEvent,
  reader: string,
  { release, image }: Version,
  { inode, path }: { readonly inode: number; readonly path: string },
): Promise<Response> {
  const { request, resultingClientId } = event;
  const navigates = request.mode === 'navigate';
  const inPlace = isInPlace(request);
  // A page, or a worker: it sees the version that it began with, and a worker waits as long as its page.
  const beginning = inPlace ? event.clientId : resultingClientId;
  if (beginning) event.waitUntil(site.begin(beginning, reader, release));
  if (navigates || inPlace) site.served.launch();
  // A page that is replaced takes its loader along; one in place keeps it.
  if (navigates) site.relay.launched(image);
  const held = site.held.begin(reader);
  try {
    const { response, finished } = await respond(
      request,
      { image, inode, path, ...(navigates ? { clientScript: clientScriptOf(site.scope) } : {}) },
      site,
      {
        timeoutMs: site.readTimeouts.of(reader),
        // A new page brings its loader only when it has come; all others have a page behind them that can.
        mayWaitForLoader: reader !== '',
        signal: held.signal,
      },
    );
    event.waitUntil(finished.finally(held.end));
    return response;
  } catch (error) {
    held.end();
    throw error;
  }
}

/** Same origin and external, so that a policy of 'self' allows it. */
function clientScriptOf(scope: string): Uint8Array<ArrayBuffer> {
  const folder = new URL(scope).pathname.replaceAll('&', '&amp;'); // Quotes are encoded in a URL's path.
  return utf8Encode(`<script src="${folder}${runtimeFolder}client.js"></script>`);
}

function pathIn(site: Site, url: string): string {
  return new URL(url).pathname.slice(new URL(site.scope).pathname.length);
}
