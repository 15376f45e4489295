import { once } from 'node:events';
import { expect, test } from '@playwright/test';
import { fetchRelease } from '../../src/source/fetch-release.ts';
import { Origin } from '../support/origin.ts';

test('the connection of an answer that is of no use is let go', async () => {
  let gone: Promise<unknown> | undefined;
  const origin = await Origin.start({
    mounts: {},
    routes: {
      '/app/sluice.json': (_, response) => {
        gone = once(response, 'close');
        // A page that never ends.
        response.writeHead(404).write('<!doctype html>');
      },
    },
  });
  try {
    const release = fetchRelease({ base: `${origin.url}/app/`, fetch, signal: new AbortController().signal });
    await expect(release).rejects.toMatchObject({ code: 'bad-origin' });
    await gone;
  } finally {
    await origin.stop();
  }
});
