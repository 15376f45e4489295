import { expect, test } from '@playwright/test';
import { HeldReads } from '../../sw/held-reads.ts';

test('the reads of clients that are gone are given up, the others go on', async () => {
  const alive = new Set(['a', 'b']);
  const asked: string[] = [];
  const held = new HeldReads(async (id) => {
    asked.push(id);
    return alive.has(id);
  });
  const [a, b1, b2, over, coming] = ['a', 'b', 'b', 'b', ''].map((id) => held.begin(id));
  over!.end();
  await held.sweep();
  alive.delete('b');
  asked.length = 0;
  await held.sweep();
  const aborted = [a, b1, b2, over, coming].map((read) => read!.signal.aborted);
  expect(aborted).toEqual([false, true, true, false, false]);
  expect(asked).toEqual(['a', 'b']);
});
