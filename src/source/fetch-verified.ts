import { SluiceError } from '../format/errors.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { OriginError } from './origin-error.ts';
import { type RetryingOptions, retryingInTime } from './retrying.ts';
import { StallDeadline } from './stall-deadline.ts';

/** A small file of which the content is known. */
export interface VerifiedFile {
  readonly url: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
}

export interface FetchVerifiedOptions extends Pick<RetryingOptions, 'clock' | 'random'> {
  readonly fetch: typeof fetch;
  /** An answer that brings no header or no further byte for so long is given up. Default 10 s. */
  readonly stallMs?: number;
  /** For all tries, to the last byte. Default 30 s. */
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
  const late = `${file.url}: not here after ${timeoutMs} ms`;
  return retryingInTime(
    (attempt, signal) => fetchOnce(file, attempt === 0 ? 'force-cache' : 'reload', options, signal),
    { timeoutMs, clock, random, late },
  );
}

async function fetchOnce(
  { url, sha256: expected }: VerifiedFile,
  cache: RequestCache,
  { fetch, stallMs = 10_000 }: FetchVerifiedOptions,
  late: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const abort = new AbortController();
  const onLate = (): void => abort.abort(late.reason);
  late.addEventListener('abort', onLate, { once: true });
  const stalled = (): Error => new SluiceError('read-timeout', `${url}: nothing came for ${stallMs} ms`);
  const deadline = new StallDeadline(abort, stallMs, stalled);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const response = await deadline.wait(fetch(url, { cache, signal: abort.signal }));
    const { status } = response;
    // A refusal may be an old one that the HTTP cache has kept.
    const retryable = status >= 500 || cache === 'force-cache';
    if (status !== 200) throw new OriginError(`${url}: status ${status}`, { retryable });
    bytes = await bodyOf(response, deadline);
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('offline', `${url} could not be fetched`, { cause: error });
  } finally {
    late.removeEventListener('abort', onLate);
    deadline.end();
    abort.abort(); // The body of an answer that is of no use is not read: that frees the connection.
  }
  if (hex(await sha256(bytes)) !== expected)
    throw new SluiceError('integrity', `${url} does not match its digest`);
  return bytes;
}

/** A slow link is none that stalls: each piece may take as long as the answer's begin. */
async function bodyOf({ body }: Response, deadline: StallDeadline): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = body?.getReader();
  while (reader) {
    const { done, value } = await deadline.wait(reader.read());
    if (done) break;
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
