import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { retrying } from '../../src/source/retrying.ts';

/** A clock on which every wait is over at once; it tells how long was waited. */
function instantClock() {
  const waits: number[] = [];
  let now = 0;
  const after = (ms: number, wake: () => void) => {
    waits.push(ms);
    now += ms;
    queueMicrotask(wake);
    return () => {};
  };
  return { waits, clock: { now: () => now, after } };
}

function fixture(timeoutMs = 30_000) {
  const { waits, clock } = instantClock();
  const abort = new AbortController();
  const attempts: number[] = [];
  const run = (failure: (attempt: number) => Error | undefined) =>
    retrying(
      async (attempt) => {
        attempts.push(attempt);
        const error = failure(attempt);
        if (error) throw error;
        return 'done';
      },
      { timeoutMs, clock, random: () => 0.5, signal: abort.signal },
    );
  return { waits, abort, attempts, run };
}

const busy = () => new OriginError('503', { retryable: true });

test('a passing failure is tried again, with growing pauses', async () => {
  const { run, waits, attempts } = fixture();
  expect(await run((attempt) => (attempt < 3 ? busy() : undefined))).toBe('done');
  expect(attempts).toEqual([0, 1, 2, 3]);
  expect(waits).toEqual([300, 600, 1200]);
});

test('what does not pass is thrown: at once, or after its tries', async () => {
  const lasting = fixture();
  await expect(lasting.run(() => new OriginError('404'))).rejects.toMatchObject({ code: 'bad-origin' });
  expect(lasting.attempts).toEqual([0]);
  const offline = fixture();
  await expect(offline.run(() => new SluiceError('offline', 'away'))).rejects.toMatchObject({
    code: 'offline',
  });
  expect(offline.attempts).toEqual([0, 1]);
});

test('nothing is tried again when the time is up', async () => {
  const { run, attempts } = fixture(1000);
  await expect(run(() => new SluiceError('read-timeout', 'stalled'))).rejects.toMatchObject({
    code: 'read-timeout',
  });
  expect(attempts).toEqual([0, 1, 2]);
});

test('an abort ends the pause, with its reason', async () => {
  const abort = new AbortController();
  const clock = { now: () => 0, after: () => () => {} };
  const options = { timeoutMs: 1000, clock, random: () => 0.5, signal: abort.signal };
  const running = retrying(() => Promise.reject(busy()), options);
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});
