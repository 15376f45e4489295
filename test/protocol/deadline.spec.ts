import { expect, test } from '@playwright/test';
import type { Clock } from '../../src/protocol/clock.ts';
import { withDeadline } from '../../src/protocol/deadline.ts';

/** A clock whose one timer goes off by hand. */
class HandClock implements Clock {
  wake: (() => void) | undefined;

  now(): number {
    return 0;
  }

  after(_ms: number, wake: () => void): () => void {
    this.wake = wake;
    return () => {
      this.wake = undefined;
    };
  }
}

test('the value comes through and the timer is called off', async () => {
  const clock = new HandClock();
  expect(await withDeadline('a call', Promise.resolve(7), 100, clock)).toBe(7);
  await Promise.resolve();
  expect(clock.wake).toBeUndefined();
});

test('an error comes through as it is', async () => {
  const error = new Error('of the work');
  await expect(withDeadline('a call', Promise.reject(error), 100, new HandClock())).rejects.toBe(error);
});

test('a late call is named', async () => {
  const clock = new HandClock();
  const late = withDeadline('state', new Promise(() => {}), 1500, clock);
  clock.wake?.();
  await expect(late).rejects.toMatchObject({
    code: 'call-timeout',
    message: 'state got no answer within 1500 ms',
  });
});
