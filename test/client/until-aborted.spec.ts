import { getEventListeners } from 'node:events';
import { expect, test } from '@playwright/test';
import { untilAborted } from '../../src/client/until-aborted.ts';

test('settles as the work does, and leaves nothing at the signal', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('rejects with the reason when the signal fires, or has fired', async () => {
  const abort = new AbortController();
  const never = new Promise(() => {});
  const waiting = untilAborted(never, abort.signal);
  abort.abort(new Error('the end'));
  await expect(waiting).rejects.toThrow('the end');
  await expect(untilAborted(never, abort.signal)).rejects.toThrow('the end');
});
