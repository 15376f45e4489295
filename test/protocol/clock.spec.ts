import { expect, test } from '@playwright/test';
import { passed, systemClock } from '../../src/protocol/clock.ts';
import { ManualClock } from '../loader/manual-clock.ts';

test('a time longer than the platform’s timers can count is long, not none', async () => {
  let woken = 0;
  const stops = [Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40].map((ms) =>
    systemClock.after(ms, () => {
      woken += 1;
    }),
  );
  await passed(systemClock, 20);
  for (const stop of stops) stop();
  expect(woken).toBe(0);
});

test('time has passed when it is over, or when a signal fires: the first of any', async () => {
  const clock = new ManualClock();
  const ended: string[] = [];
  const [one, other] = [new AbortController(), new AbortController()];
  void passed(clock, 10).then(() => ended.push('time'));
  void passed(clock, 10, one.signal, other.signal).then(() => ended.push('signal'));
  other.abort();
  await passed(clock, 1000, other.signal);
  expect(ended).toEqual(['signal']);
  clock.advance(10);
  await passed(clock, 1000, other.signal);
  expect(ended).toEqual(['signal', 'time']);
  expect(clock.timers).toBe(0);
});
