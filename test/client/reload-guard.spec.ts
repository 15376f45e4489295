import { expect, test } from '@playwright/test';
import { ReloadGuard, type TabStorage } from '../../src/client/reload-guard.ts';

function storage(): TabStorage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

test('two reloads within a minute, and no third', () => {
  const guard = new ReloadGuard(storage(), 'https://a/');
  expect([guard.allow(1000), guard.allow(2000), guard.allow(3000), guard.allow(60_999)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('a try is forgotten after a minute', () => {
  const guard = new ReloadGuard(storage(), 'https://a/');
  guard.allow(1000);
  guard.allow(2000);
  expect(guard.allow(61_000)).toBe(true);
  expect(guard.allow(61_001)).toBe(false);
});

test('an app that came up makes it all right again', () => {
  const tab = storage();
  const guard = new ReloadGuard(tab, 'https://a/');
  guard.allow(1);
  guard.allow(2);
  new ReloadGuard(tab, 'https://a/').reset();
  expect(guard.allow(3)).toBe(true);
});

test('sites of one origin do not count for each other', () => {
  const tab = storage();
  const one = new ReloadGuard(tab, 'https://a/one/');
  one.allow(1);
  one.allow(2);
  expect(new ReloadGuard(tab, 'https://a/two/').allow(3)).toBe(true);
});

test('a clock that was set back blocks nobody', () => {
  const guard = new ReloadGuard(storage(), 'https://a/');
  guard.allow(1_000_000);
  guard.allow(1_000_001);
  expect(guard.allow(500)).toBe(true);
});
