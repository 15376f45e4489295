import { isCode } from '../src/format/errors.ts';
import { utf8Encode } from '../src/format/utf8.ts';
import {
  launchHeader,
  type ReleaseRecord,
  releaseAttribute,
  wholeAttribute,
} from '../src/protocol/messages.ts';
import { errorResponse } from './errors.ts';
import { addIsolation } from './headers.ts';
import { eventMs } from './long-answers.ts';
import { respond } from './respond.ts';
import { type RequestFacts, type Route, route } from './route.ts';
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
  const isolate = version?.image.crossOriginIsolate ?? false;
  try {
    if (found.to === 'redirect') {
      const headers = new Headers({ Location: found.location });
      // An opener's policy is asked for at each step of a navigation.
      if (isolate) addIsolation(headers);
      return new Response(null, { status: 301, headers });
    }
    if (found.to === 'runtime') {
      return await site.runtimeFiles.respond(found.name, (work) => event.waitUntil(work));
    }
    return await answerFile(site, event, reader, version!, found);
  } catch (error) {
    return (
      (await answerAnew(site, event, reader, version, error)) ??
      errorResponse(error, pathIn(site, event.request.url), isolate)
    );
  }
}

/** A new page whose version the server has dropped is of the version that it has instead: else nobody would ever get away from the old one. */
async function answerAnew(
  site: Site,
  event: FetchEvent,
  reader: string,
  version: Version | undefined,
  error: unknown,
): Promise<Response | undefined> {
  if (!version || reader !== '' || event.request.mode !== 'navigate' || !isCode(error, 'bad-origin'))
    return undefined;
  try {
    const next = await site.replacement(version.release);
    const found = next && route(wanted(event.request), site.scope, next.image);
    return found?.to === 'file' ? await answerFile(site, event, reader, next!, found) : undefined;
  } catch (cause) {
    console.warn('sluice: the release that is published now cannot be used either', cause);
    return undefined;
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
  const isWhole = navigates && ((await site.local())?.isWhole(image) ?? false);
  // A loader would look, but there it begins behind the launch: a visit may be over by then.
  if (isWhole) event.waitUntil(site.lookForRelease());
  const held = site.held.begin(reader);
  try {
    const { response, finished } = await respond(
      request,
      { image, inode, path, ...(navigates ? { clientScript: clientScript(site, release, isWhole) } : {}) },
      site,
      {
        timeoutMs: Math.min(site.readTimeouts.of(reader), eventMs),
        // A new page brings its loader only when it has come; all others have a page behind them that can.
        mayWaitForLoader: reader !== '',
        signal: held.signal,
      },
    );
    finished.then(held.end);
    site.longAnswers.begin(event, finished);
    return response;
  } catch (error) {
    held.end();
    throw error;
  }
}

/** Same origin and external, so that a policy of 'self' allows it. */
function clientScript(
  { runtimeFiles }: Site,
  { image, bytes }: ReleaseRecord,
  isWhole: boolean,
): Uint8Array<ArrayBuffer> {
  const path = new URL(runtimeFiles.clientUrl).pathname.replaceAll('&', '&amp;'); // Quotes are encoded in a URL's path.
  const integrity = `integrity="${runtimeFiles.clientIntegrity}"`;
  const whole = isWhole ? ` ${wholeAttribute}` : '';
  return utf8Encode(
    `<script src="${path}" ${integrity} ${releaseAttribute}="${image} ${bytes}"${whole}></script>`,
  );
}

function pathIn(site: Site, url: string): string {
  return new URL(url).pathname.slice(new URL(site.scope).pathname.length);
}
