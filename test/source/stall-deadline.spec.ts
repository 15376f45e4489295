import { expect, test } from '@playwright/test';
import { deferred } from '../../src/protocol/deferred.ts';
import { StallDeadline } from '../../src/source/stall-deadline.ts';
import { ManualClock } from '../loader/manual-clock.ts';

const never = new Promise<never>(() => {});
const stalled = () => new Error('stalled');

test('work that does not end in time is given up, and so is the request', async () => {
  const abort = new AbortController();
  const deadline = new StallDeadline(abort, 40, stalled);
  await expect(deadline.wait(never)).rejects.toThrow('stalled');
  expect(abort.signal.reason).toEqual(stalled());
  await expect(deadline.wait(Promise.resolve(1))).rejects.toThrow('stalled');
});

test('each piece of work has all of the time, and pauses between them do not count', async () => {
  const abort = new AbortController();
  const clock = new ManualClock();
  const deadline = new StallDeadline(abort, 200, stalled, clock);
  for (let i = 0; i < 4; i++) {
    const { promise: work, resolve: done } = deferred<number>();
    const waiting = deadline.wait(work);
    clock.advance(190);
    done(i);
    expect(await waiting).toBe(i);
    clock.advance(60);
  }
  clock.advance(300);
  expect(abort.signal.aborted).toBe(false);
  const waiting = deadline.wait(never);
  clock.advance(199);
  expect(abort.signal.aborted).toBe(false);
  clock.advance(1);
  await expect(waiting).rejects.toThrow('stalled');
  deadline.end();
});

test('an abort ends the wait at once, whatever the platform does; failures come through', async () => {
  const abort = new AbortController();
  const deadline = new StallDeadline(abort, 10_000, stalled);
  await expect(deadline.wait(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const waiting = deadline.wait(never);
  abort.abort(new Error('not wanted'));
  await expect(waiting).rejects.toThrow('not wanted');
  deadline.end();
});
