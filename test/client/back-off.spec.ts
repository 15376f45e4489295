import { expect, test } from '@playwright/test';
import { backOffMs, relaunchMs } from '../../src/client/back-off.ts';

test('the ladder of Incremental FS: 1 s, 10 s, 100 s; at once after a life that was healthy', () => {
  expect([0, 1, 2, 3, 4, 2000].map((failures) => backOffMs(failures, () => 0.5))).toEqual([
    100, 1000, 10_000, 100_000, 100_000, 100_000,
  ]);
});

test('spreads by a quarter to both sides', () => {
  expect(backOffMs(1, () => 0)).toBe(750);
  expect(backOffMs(1, () => 1)).toBe(1250);
});

test('what could not start for the network is tried again within ten seconds; what dies by itself, ever later', () => {
  const waits = (code: 'offline' | 'disconnected') =>
    [1, 2, 3, 9].map((failures) => relaunchMs(failures, code, () => 0.5));
  expect(waits('offline')).toEqual([1000, 10_000, 10_000, 10_000]);
  expect(waits('disconnected')).toEqual([1000, 10_000, 100_000, 100_000]);
});
