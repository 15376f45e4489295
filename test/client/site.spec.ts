import { expect, test } from '@playwright/test';
import { siteAt, siteOfClient } from '../../src/client/site.ts';

test('a site directory with or without its slash, without query and fragment', () => {
  const site = {
    scope: 'https://a/games/doom/',
    serviceWorker: 'https://a/games/doom/sw.js',
    loader: 'https://a/games/doom/__sluice/loader.js',
  };
  for (const url of ['https://a/games/doom', 'https://a/games/doom/', 'https://a/games/doom/?x=1#y']) {
    expect(siteAt(url)).toEqual(site);
  }
});

test('the site of an injected script', () => {
  expect(siteOfClient('https://a/games/doom/__sluice/client.js').scope).toBe('https://a/games/doom/');
  expect(siteOfClient('https://a/__sluice/client.js').scope).toBe('https://a/');
});
