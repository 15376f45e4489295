import { expect, test } from '@playwright/test';
import { countTabs, imageUsers } from '../../src/inspector/model/image-users.ts';

test('a loader that looks into the store is no tab, and is named for what it is where there is none', () => {
  const use = (image: string, isInspector = false) => ({ image, isInspector });
  const tabs = [use('a'), use('b'), use('a'), use('a', true), use('c', true)];
  expect(countTabs(tabs)).toBe(3);
  expect(['a', 'b', 'c', 'd'].map((image) => imageUsers(image, tabs))).toEqual([
    '2 tabs',
    '1 tab',
    'an inspector',
    undefined,
  ]);
});
