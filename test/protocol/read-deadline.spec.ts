import { expect, test } from '@playwright/test';
import { readAhead, readDeadlineMs } from '../../src/protocol/read-deadline.ts';

test('a read is given the time that its blocks may take, one turn after the other', () => {
  expect(readDeadlineMs(0, 1000)).toBe(1000);
  expect(readDeadlineMs(1, 1000)).toBe(1000);
  // Eight whole blocks of 4 KiB may touch nine.
  expect(readDeadlineMs(readAhead * 4096, 1000)).toBe(2000);
  expect(readDeadlineMs(1 << 20, 1000)).toBe(33_000);
  expect(readDeadlineMs(1 << 20, 0)).toBe(0);
});
