import type { RangeRequest } from '../protocol/block-source.ts';
import { isExactContentRange } from './content-range.ts';
import { OriginError } from './origin-error.ts';
import { parseRetryAfter } from './retry-after.ts';

/** The part of a Response that is judged before a byte of its body is read. */
export interface AnswerHead {
  readonly status: number;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: { get(name: string): string | null };
}

/**
 * What an answer brings. `partial`: exactly the asked range. `whole`: the file from its first byte. `no-ranges`: a
 * range was answered in a way that cannot be used, but the whole file may still be had.
 */
export type Answer =
  | { readonly kind: 'partial' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'no-ranges'; readonly reason: OriginError };

/** Statuses that a healthy server may send for a moment. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Judges the head of an answer. Sizes are compared with what verified metadata says, never taken from the answer.
 * Throws {@link OriginError} for what can be neither the range nor the file.
 */
export function judgeAnswer(head: AnswerHead, request: RangeRequest, now: number): Answer {
  const { file, start, end } = request;
  const { status, headers } = head;
  const name = `${file.sha256}.bin`;
  const type = headers.get('content-type')?.trim().toLowerCase() ?? '';
  const encoding = headers.get('content-encoding');
  const length = headers.get('content-length');

  if (status !== 200 && status !== 206) {
    throw new OriginError(`${name}: status ${status}`, {
      retryable: passing.has(status),
      retryAfterMs: parseRetryAfter(headers.get('retry-after'), now),
    });
  }
  if (type.startsWith('text/html')) {
    throw new OriginError(
      `${name}: got an HTML page instead of the file (a sign-in page, or a catch-all route)`,
    );
  }
  // A CDN may redirect to another host, but to a file of the same name; all else is somebody in between.
  if (head.redirected && !new URL(head.url).pathname.endsWith(`/${name}`)) {
    throw new OriginError(`${name}: redirected to ${head.url}`);
  }
  if (status === 200) {
    // With a Content-Encoding, Content-Length counts compressed bytes; fetch has undone both by the time we read.
    if (encoding === null && length !== null && Number(length) !== file.length) {
      throw new OriginError(`${name}: has ${length} bytes, the image says ${file.length}`);
    }
    return { kind: 'whole' };
  }
  const wrong = wrongPartial(headers, start, end, file.length);
  return wrong === undefined
    ? { kind: 'partial' }
    : {
        kind: 'no-ranges',
        reason: new OriginError(`${name}: asked for bytes ${start}-${end - 1}, got ${wrong}`),
      };
}

function wrongPartial(
  headers: AnswerHead['headers'],
  start: number,
  end: number,
  total: number,
): string | undefined {
  const encoding = headers.get('content-encoding');
  const range = headers.get('content-range');
  const length = headers.get('content-length');
  // Some CDNs cut the range out of the compressed file: those bytes are of no use, with the right Content-Range even.
  if (encoding !== null) return `Content-Encoding ${encoding}`;
  if (!isExactContentRange(range, start, end, total)) return `Content-Range ${range}`;
  if (length !== null && Number(length) !== end - start) return `Content-Length ${length}`;
  return undefined;
}
