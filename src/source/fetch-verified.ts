import { SluiceError } from '../format/errors.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { OriginError } from './origin-error.ts';
import { type RetryingOptions, retrying } from './retrying.ts';
import { StallDeadline } from './stall-deadline.ts';

/** A small file of which the content is known. */
export interface VerifiedFile {
  readonly url: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
}

export interface FetchVerifiedOptions extends Pick<RetryingOptions, 'clock' | 'random'> {
  readonly fetch: typeof fetch;
  /** For one try, to the last byte. Default 10 s. */
  readonly stallMs?: number;
  /** For all tries. Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * The file's bytes: those of the HTTP cache, however old they are, for only the right ones count; past it where they are others. What fails in passing
 * is tried again. Throws `offline`, `read-timeout`, `bad-origin` or `integrity`.
 */
export function fetchVerified(
  file: VerifiedFile,
  options: FetchVerifiedOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { clock, random, timeoutMs = 30_000 } = options;
  const signal = new AbortController().signal;
  return retrying((attempt) => fetchOnce(file, attempt === 0 ? 'force-cache' : 'reload', options), {
    timeoutMs,
    clock,
    random,
    signal,
  });
}

async function fetchOnce(
  { url, sha256: expected }: VerifiedFile,
  cache: RequestCache,
  { fetch, stallMs = 10_000 }: FetchVerifiedOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const abort = new AbortController();
  const stalled = (): Error => new SluiceError('read-timeout', `${url}: not here after ${stallMs} ms`);
  const deadline = new StallDeadline(abort, stallMs, stalled);
  const get = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const response = await fetch(url, { cache, signal: abort.signal });
    const { status } = response;
    // A refusal may be an old one that the HTTP cache has kept.
    const retryable = status >= 500 || cache === 'force-cache';
    if (status !== 200) throw new OriginError(`${url}: status ${status}`, { retryable });
    return new Uint8Array(await response.arrayBuffer());
  };
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await deadline.wait(get());
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('offline', `${url} could not be fetched`, { cause: error });
  } finally {
    deadline.end();
    abort.abort(); // The body of an answer that is of no use is not read: that frees the connection.
  }
  if (hex(await sha256(bytes)) !== expected)
    throw new SluiceError('integrity', `${url} does not match its digest`);
  return bytes;
}
