import { expect, test } from '@playwright/test';
import { type ErrorCode, SluiceError } from '../../src/format/errors.ts';
import { errorResponse } from '../../sw/errors.ts';

for (const [code, status, retryAfter] of [
  ['read-timeout', 504, '1'],
  ['offline', 503, '5'],
  ['bad-origin', 502, null],
  ['integrity', 502, null],
  ['unsupported-image', 500, null],
  ['corrupt-image', 500, null],
  // Not for pages by itself; still a failure.
  ['ENOSPC', 500, null],
] as const satisfies readonly (readonly [ErrorCode, number, string | null])[]) {
  test(`${code} is ${status}`, async () => {
    const response = errorResponse(new SluiceError(code, 'what happened'), 'a/b.bin');
    expect(response.status).toBe(status);
    expect(response.headers.get('Sluice-Error')).toBe(code);
    expect(response.headers.get('Retry-After')).toBe(retryAfter);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const [first, second, remedy] = (await response.text()).split('\n');
    expect([first, second]).toEqual([`${code}: /a/b.bin`, 'what happened']);
    expect(remedy!.length).toBeGreaterThan(10);
  });
}

test('what has no code is a failure all the same', async () => {
  for (const thrown of [new TypeError('odd'), 'text', undefined]) {
    const response = errorResponse(thrown, 'x');
    expect([response.status, response.headers.get('Sluice-Error')]).toEqual([500, 'unreadable']);
  }
  expect(await errorResponse(new TypeError('odd'), 'x').text()).toContain('TypeError: odd');
});
