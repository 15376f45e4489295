import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { fromPlatformError } from '../../src/store/platform-error.ts';

const table: readonly [name: string, code: string][] = [
  ['NoModificationAllowedError', 'EBUSY'],
  ['InvalidStateError', 'EBUSY'],
  ['QuotaExceededError', 'ENOSPC'],
  ['NotFoundError', 'ENOENT'],
  ['SecurityError', 'unreadable'],
  ['UnknownError', 'unreadable'],
  ['NotAllowedError', 'unreadable'],
  ['NotReadableError', 'unreadable'],
  ['TypeMismatchError', 'unreadable'],
];

for (const [name, code] of table) {
  test(`${name} is ${code}`, () => {
    const cause = new DOMException('why', name);
    const error = fromPlatformError(cause, 'blobs/a');
    expect(error).toMatchObject({ code, path: 'blobs/a', cause });
    expect(error.message).toContain('why');
  });
}

test('what is translated already stays as it is, and anything else has a code too', () => {
  const error = new SluiceError('ENOSPC', 'full');
  expect(fromPlatformError(error, 'a')).toBe(error);
  expect(fromPlatformError('a string', 'a')).toMatchObject({ code: 'unreadable' });
});
