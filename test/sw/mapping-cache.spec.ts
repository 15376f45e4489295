import { expect, test } from '@playwright/test';
import { type Mapping, MappingCache } from '../../sw/mapping-cache.ts';
import { seededRandom } from '../support/random.ts';

const yes = (): boolean => true;
const sha = (name: string): string => name.padEnd(64, '0');
const map = (start: number, end: number, at: number, blob = 'a'): Mapping => ({
  start,
  end,
  sha256: sha(blob),
  at,
});

test('a lookup is trimmed to what is asked, and needs all of it', () => {
  const cache = new MappingCache(100);
  expect(cache.lookup('f', 0, 10, 1, yes)).toBeUndefined();
  cache.insert('f', [map(100, 200, 1000), map(200, 300, 50, 'b')], 1);
  expect(cache.lookup('f', 150, 250, 1, yes)).toEqual([map(150, 200, 1050), map(200, 250, 50, 'b')]);
  expect(cache.lookup('f', 100, 300, 1, yes)).toHaveLength(2);
  expect(cache.lookup('f', 99, 110, 1, yes)).toBeUndefined();
  expect(cache.lookup('f', 290, 301, 1, yes)).toBeUndefined();
  expect(cache.lookup('g', 100, 200, 1, yes)).toBeUndefined();
  expect(cache.counts).toEqual({ hits: 2, misses: 4, revalidations: 0 });
});

test('neighbours are merged where they are neighbours in the blob', () => {
  const cache = new MappingCache(100);
  cache.insert('f', [map(0, 10, 500)], 1);
  cache.insert('f', [map(20, 30, 520)], 1);
  expect(cache.size).toBe(2);
  cache.insert('f', [map(10, 20, 510)], 1);
  expect(cache.size).toBe(1);
  expect(cache.lookup('f', 0, 30, 1, yes)).toEqual([map(0, 30, 500)]);
  cache.insert('f', [map(30, 40, 0)], 1);
  expect(cache.size).toBe(2);
});

test('after a change what was known is looked at again, once', () => {
  const cache = new MappingCache(100);
  cache.insert('f', [map(0, 50, 0), map(50, 100, 0, 'b')], 1);
  const asked: string[] = [];
  const stillA = (sha256: string): boolean => {
    asked.push(sha256);
    return sha256 === sha('a');
  };
  expect(cache.lookup('f', 0, 50, 2, stillA)).toEqual([map(0, 50, 0)]);
  expect(asked).toHaveLength(2);
  expect(cache.lookup('f', 50, 60, 2, stillA)).toBeUndefined();
  expect(asked).toHaveLength(2);
  expect(cache.counts).toEqual({ hits: 1, misses: 1, revalidations: 1 });
  // What is told of another moment takes the place of what was known.
  cache.insert('f', [map(60, 70, 0)], 3);
  expect(cache.lookup('f', 0, 50, 3, yes)).toBeUndefined();
});

test('the bound holds: the file that was read longest ago goes first', () => {
  const cache = new MappingCache(3);
  for (const file of ['a', 'b', 'c']) cache.insert(file, [map(0, 10, 0)], 1);
  cache.lookup('a', 0, 1, 1, yes);
  cache.insert('d', [map(0, 10, 0)], 1);
  expect(cache.size).toBe(3);
  expect(cache.lookup('b', 0, 1, 1, yes)).toBeUndefined();
  expect(cache.lookup('a', 0, 1, 1, yes)).toBeDefined();
  cache.insert('e', [map(0, 1, 0), map(1, 2, 5), map(2, 3, 9), map(3, 4, 20)], 1);
  expect(cache.size).toBe(0);
});

test('beside a flat array: what is answered is what was inserted last', () => {
  const random = seededRandom(11);
  const below = (n: number): number => Math.floor(random() * n);
  const cache = new MappingCache(1000);
  // The truth of each byte: blob and place, or nothing.
  const flat = new Array<string | undefined>(64);
  for (let step = 0; step < 5000; step++) {
    const start = below(60);
    const end = start + 1 + below(64 - start);
    if (below(3) === 0) {
      const blob = 'abc'[below(3)]!;
      const at = below(4) * 8 + start;
      cache.insert('f', [map(start, end, at, blob)], 1);
      for (let byte = start; byte < end; byte++) flat[byte] = `${sha(blob)} ${at + byte - start}`;
    } else {
      const found = cache.lookup('f', start, end, 1, yes);
      const bytes = found?.flatMap((mapping) =>
        Array.from({ length: mapping.end - mapping.start }, (_, i) => `${mapping.sha256} ${mapping.at + i}`),
      );
      const truth = flat.slice(start, end);
      expect(bytes).toEqual(truth.includes(undefined) ? undefined : truth);
    }
  }
});
