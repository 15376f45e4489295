import { expect, test } from '@playwright/test';
import { tortureTabs } from '../../torture/tabs.ts';

// A short one; `npm run torture -- tabs` is the whole.
test('tabs of two apps on one origin, leaders killed: no wrong byte, and only what was under way comes again', async () => {
  const figures = await tortureTabs({
    seed: 1,
    tabs: 4,
    ms: 7000,
    killEveryMs: 2000,
    mbitPerSecond: 24,
    appBytes: 12e6,
  });
  const { seed, wrong, badBlobs, fetches, kills } = figures;
  console.log('tabs:', JSON.stringify(figures));
  expect([...wrong, ...badBlobs], `seed ${seed}`).toEqual([]);
  expect(figures.reads).toBeGreaterThan(20);
  const killed = kills.close + kills.crash + kills.worker;
  expect(killed).toBeGreaterThan(0);
  // Two requests in the middle of a block each, and what the browser had not handed on.
  expect(fetches.twiceBytes, `seed ${seed}`).toBeLessThan(killed * 2 ** 20);
});
