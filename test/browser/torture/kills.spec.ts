import { expect, test } from '@playwright/test';
import { Kills } from '../../torture/kills.ts';

// A short one; `npm run torture -- kills` is the whole.
test('SIGKILL while the store is loaded, sealed, checkpointed, culled or evicted: nothing is wrong, or lost', async () => {
  const seed = 3;
  const figures = await Kills.run({ seed, kills: 3 });
  console.log('kills:', JSON.stringify(figures));
  expect(figures.wrong, `seed ${seed}`).toEqual([]);
});
