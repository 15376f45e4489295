import { expect, test } from '@playwright/test';
import { Presence } from '../../src/store/presence.ts';
import { seededRandom } from '../support/random.ts';

test('against a plain set: random additions', () => {
  const random = seededRandom(1);
  for (const blockCount of [0, 1, 7, 8, 9, 64, 1000]) {
    const presence = new Presence(blockCount);
    const twin = new Set<number>();
    for (let i = 0; i < blockCount * 2; i++) {
      const block = Math.floor(random() * blockCount);
      presence.add(block);
      twin.add(block);
      if (presence.count !== twin.size) throw new Error(`count ${presence.count}, not ${twin.size}`);
    }
    const blocks = Array.from({ length: blockCount }, (_, block) => block);
    expect(blocks.filter((block) => presence.has(block))).toEqual(blocks.filter((block) => twin.has(block)));
    const runs = [...presence.runs()];
    const inRuns = runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
    expect(inRuns).toEqual([...twin].sort((a, b) => a - b));
    // Maximal: no run touches the next.
    const touching = runs.slice(1).filter((run, i) => run.first <= runs[i]!.first + runs[i]!.count);
    expect(touching).toEqual([]);
  }
});

test('complete needs the table and every block; sealed has everything; cleared has nothing', () => {
  const presence = new Presence(3);
  for (const block of [0, 1, 2]) presence.add(block);
  expect(presence.complete).toBe(false);
  presence.addTable();
  expect(presence.complete).toBe(true);
  expect(presence.sealed).toBe(false);
  presence.seal();
  expect([presence.sealed, presence.complete, presence.count, presence.has(2)]).toEqual([
    true,
    true,
    3,
    true,
  ]);
  expect([...presence.runs()]).toEqual([{ first: 0, count: 3 }]);
  presence.clear();
  expect([presence.sealed, presence.complete, presence.count, presence.has(2), presence.hasTable]).toEqual([
    false,
    false,
    0,
    false,
    false,
  ]);
});

test('against a plain set: random additions, removals and sealing', () => {
  const random = seededRandom(2);
  for (const blockCount of [1, 7, 8, 9, 100]) {
    const presence = new Presence(blockCount);
    const twin = new Set<number>();
    presence.addTable();
    for (let i = 0; i < blockCount * 20; i++) {
      const block = Math.floor(random() * blockCount);
      if (random() < 0.7) {
        presence.add(block);
        twin.add(block);
      } else {
        presence.remove(block);
        twin.delete(block);
      }
      if (presence.complete && random() < 0.5) presence.seal();
      const same = Array.from({ length: blockCount + 9 }, (_, n) => presence.has(n) === twin.has(n));
      if (presence.count !== twin.size || same.includes(false)) throw new Error(`not the same after ${i}`);
      if (presence.sealed && !presence.complete) throw new Error('sealed and not complete');
    }
    for (const each of Array.from({ length: blockCount }, (_, n) => n)) presence.add(each);
    presence.seal();
    presence.removeTable();
    expect([presence.sealed, presence.hasTable, presence.count]).toEqual([false, false, blockCount]);
  }
});

test('a private blob has no table to wait for', () => {
  const presence = new Presence(1, true);
  expect([presence.hasTable, presence.complete]).toEqual([true, false]);
  presence.add(0);
  expect(presence.complete).toBe(true);
  presence.clear();
  expect([presence.hasTable, presence.complete, new Presence(0, true).complete]).toEqual([true, false, true]);
});

test('no block outside is ever present', () => {
  const presence = new Presence(10);
  for (let block = 0; block < 10; block++) presence.add(block);
  for (const block of [-1, 10, 15, 16, 2 ** 31]) expect(presence.has(block)).toBe(false);
  presence.seal();
  for (const block of [-1, 10, 15, 16, 2 ** 31]) expect(presence.has(block)).toBe(false);
});
