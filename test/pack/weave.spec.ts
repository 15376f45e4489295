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
  for (let round = 0; round < 2000; round++) {
    const orders = Array.from({ length: 1 + random() * 4 }, order);
    const all = weave(orders);
    expect(all.toSorted()).toEqual([...new Set(orders.flat())].toSorted());
    const first = new Set(orders[0]);
    expect(all.filter((thing) => first.has(thing))).toEqual([...first]);
    // Given again, an order changes nothing.
    expect(weave([...orders, orders[0]!])).toEqual(all);
    const [a = [], b = []] = orders;
    const rank = new Map(weave([a, b]).map((thing, i) => [thing, i]));
    const distinct = [...new Set(b)];
    for (const [i, thing] of distinct.entries()) {
      if (first.has(thing)) continue;
      const next = distinct.slice(i + 1).find((later) => first.has(later));
      if (next !== undefined) expect(rank.get(thing)!).toBeLessThan(rank.get(next)!);
    }
  }
});
