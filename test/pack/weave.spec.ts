import { expect, test } from '@playwright/test';
import { weave } from '../../src/pack/weave.ts';
import { seededRandom } from '../support/random.ts';

const woven = (...orders: string[]): string => weave(orders.map((order) => [...order])).join('');

test('the first order stays, what others add comes as late as they allow', () => {
  expect(woven()).toBe('');
  expect(woven('abca')).toBe('abc');
  expect(woven('abc', 'axc')).toBe('abxc');
  expect(woven('abc', 'xy')).toBe('abcxy');
  expect(woven('abc', 'cxay')).toBe('xabcy');
  expect(woven('', 'ba', 'bca')).toBe('bca');
});

test('random orders: the first kept, everything once, nothing later than the order that added it wants', () => {
  const random = seededRandom(11);
  const order = (): number[] => Array.from({ length: random() * 12 }, () => Math.floor(random() * 20));
  const same = (a: readonly number[], b: readonly number[]): boolean => String(a) === String(b);
  // Told at the end: thousands of expectations take minutes.
  const wrong: string[] = [];
  for (let round = 0; round < 2000; round++) {
    const orders = Array.from({ length: 1 + random() * 4 }, order);
    const all = weave(orders);
    const first = new Set(orders[0]);
    if (!same(all.toSorted(), [...new Set(orders.flat())].toSorted())) wrong.push(`${round}: not each once`);
    if (
      !same(
        all.filter((thing) => first.has(thing)),
        [...first],
      )
    )
      wrong.push(`${round}: not the first order`);
    if (!same(weave([...orders, orders[0]!]), all)) wrong.push(`${round}: given again, it changes something`);
    const [a = [], b = []] = orders;
    const ranks = weave([a, b]);
    const distinct = [...new Set(b)];
    for (const [i, thing] of distinct.entries()) {
      const next = distinct.slice(i + 1).find((later) => first.has(later));
      if (first.has(thing) || next === undefined) continue;
      if (ranks.indexOf(thing) > ranks.indexOf(next)) wrong.push(`${round}: ${thing} comes behind ${next}`);
    }
  }
  expect(wrong).toEqual([]);
});
