import { expect, test } from '@playwright/test';
import { systemClock } from '../../src/protocol/clock.ts';

test('a time longer than the platform’s timers can count is long, not none', async () => {
  let woken = 0;
  const stops = [Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40].map((ms) =>
    systemClock.after(ms, () => {
      woken += 1;
    }),
  );
  await new Promise<void>((resolve) => {
    systemClock.after(20, resolve);
  });
  for (const stop of stops) stop();
  expect(woken).toBe(0);
});
