import { SluiceError } from '../format/errors.ts';
import { parseRelease, type Release } from '../format/release.ts';
import { OriginError } from './origin-error.ts';
import { StallDeadline } from './stall-deadline.ts';

export interface FetchReleaseOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly base: string;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  /** For the whole answer, which is one small line. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * What `sluice.json` says now, past every cache. Throws `offline`, `read-timeout`, `bad-origin` (a wrong status, or something
 * that is no release pointer, such as a sign-in page), or what {@link parseRelease} says of a release that cannot be used.
 */
export async function fetchRelease(options: FetchReleaseOptions): Promise<Release> {
  const { fetch, signal, timeoutMs = 10_000 } = options;
  const url = new URL('sluice.json', options.base).href;
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  const stalled = (): Error => new SluiceError('read-timeout', `${url}: no answer for ${timeoutMs} ms`);
  const deadline = new StallDeadline(abort, timeoutMs, stalled);
  const get = async (): Promise<string> => {
    const response = await fetch(url, { cache: 'no-store', signal: abort.signal });
    if (response.status !== 200)
      throw new OriginError(`${url}: status ${response.status}`, { retryable: response.status >= 500 });
    return response.text();
  };
  try {
    return parseReleaseAnswer(url, await deadline.wait(get()));
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('offline', `${url}: no connection`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    deadline.end();
    abort.abort(); // The body of an answer that is of no use is not read: that frees the connection.
  }
}

function parseReleaseAnswer(url: string, text: string): Release {
  try {
    return parseRelease(text);
  } catch (error) {
    // Whatever answers for a release pointer with something else is the origin's mistake, not a damaged image.
    if (error instanceof SluiceError && error.code === 'not-an-image')
      throw new OriginError(`${url}: ${error.message}`);
    throw error;
  }
}
