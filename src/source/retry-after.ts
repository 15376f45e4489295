/**
 * Milliseconds that a Retry-After header asks to wait (RFC 9110 §10.2.3: seconds, or an HTTP date); undefined where
 * there is none or it is not understood. `now` is the wall clock in Unix milliseconds.
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
