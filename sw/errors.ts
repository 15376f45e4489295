import { asSluiceError, type ErrorCode, errorStatus } from '../src/format/errors.ts';
import { launchRemedy } from '../src/format/launch-remedies.ts';
import { addIsolation } from './headers.ts';

/** Codes whose failure passes by itself: a client may ask again after so many seconds. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  'read-timeout': 1,
  offline: 5,
  'call-timeout': 1,
  disconnected: 1,
};

/**
 * The answer to a read that failed before its headers went out. The code travels in `Sluice-Error`; the body is for people. An error without a
 * code is `unreadable`, and a code without a status of its own is 500: a failure never looks like data. `isolate`: the app's documents are cross-origin isolated.
 */
export function errorResponse(error: unknown, path: string, isolate = false): Response {
  const failure = asSluiceError(error);
  const { code } = failure;
  const headers = new Headers({
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'Sluice-Error': code,
    // A page that is cross-origin isolated must be able to see the error too.
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  });
  // A document without it would be put out of its opener's sight, or its frames'.
  if (isolate) addIsolation(headers);
  const retryAfter = retryAfterSeconds[code];
  if (retryAfter !== undefined) headers.set('Retry-After', String(retryAfter));
  const body = `${code}: /${path}\n${failure.message}\n${launchRemedy(code)}\n`;
  return new Response(body, { status: errorStatus[code] || 500, headers });
}
