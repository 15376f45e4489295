import { expect, test } from '@playwright/test';
import { Releases } from '../../sw/releases.ts';

// Node has no IndexedDB: what is told here is kept in memory only, as in a browser that denies it. What a restarted worker remembers
// is shown in Chromium (sw-versions.spec.ts).
test.beforeAll(() => {
  console.warn = () => {};
});
const [one, two, three] = ['1', '2', '3'].map((digit) => ({ image: digit.repeat(64), bytes: 100 }));

test('open pages keep their release, new ones get the new', async () => {
  let live = ['a', 'b'];
  const releases = new Releases('https://example.org/', async () => live);
  await releases.adopt(one!);
  expect(releases.mixed).toBe(false);
  await releases.adopt(two!);
  live = ['b', 'c'];
  await releases.adopt(three!);
  expect(['a', 'b', 'c', 'd', ''].map((id) => releases.of(id))).toEqual([three, one, two, three, three]);
  expect(releases.mixed).toBe(true);
});

test('a page that was answered and has not come up yet keeps what it was answered from', async () => {
  const releases = new Releases('https://example.org/', async () => []);
  await releases.adopt(one!);
  await releases.begin('coming', one!);
  await releases.adopt(two!);
  expect(releases.of('coming')).toBe(one);
  // Answered from the old one by an event that began before the change.
  await releases.begin('late', one!);
  await releases.adopt(three!);
  expect(['coming', 'late', 'new'].map((id) => releases.of(id))).toEqual([one, one, three]);
});

test('a page that could not be had from one release, and was answered from the next, is of that', async () => {
  const releases = new Releases('https://example.org/', async () => []);
  await releases.adopt(one!);
  await releases.begin('coming', one!);
  await releases.adopt(two!);
  await releases.begin('coming', two!);
  expect(releases.of('coming')).toBe(two);
  expect(releases.mixed).toBe(false);
});

test('an old tab that makes workers without end does not fill the map', async () => {
  let asked = 0;
  const releases = new Releases('https://example.org/', async () => {
    asked += 1;
    return ['tab'];
  });
  await releases.adopt(one!);
  await releases.adopt(two!);
  asked = 0;
  for (let i = 0; i < 1000; i++) await releases.begin(`worker ${i}`, one!);
  expect(asked).toBeGreaterThan(1);
  expect(releases.of('tab')).toBe(one);
  expect(releases.of('worker 999')).toBe(one);
  expect(releases.of('worker 0')).toBe(two);
});
