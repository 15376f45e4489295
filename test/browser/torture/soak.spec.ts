import { expect, test } from '@playwright/test';
import { soak } from '../../torture/soak.ts';

// A short one; `npm run torture -- soak` is the whole.
test('mount, read, evict and unmount again and again: right bytes, and no lock stays behind', async () => {
  const { looks, wrong } = await soak({ seed: 1, cycles: 12, looks: 3 });
  expect(wrong).toEqual([]);
  const [first, ...later] = looks.map(({ locks }) => locks);
  for (const locks of later) expect(locks).toBeLessThanOrEqual(first!);
});
