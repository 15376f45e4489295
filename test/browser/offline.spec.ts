import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import type { BrowserProfile } from '../support/browser-profile.ts';
import { Origin } from '../support/origin.ts';
import { keptRuntime } from './kept-runtime.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice };

/** A new browser process on the same profile. */
async function newProcess(profile: BrowserProfile) {
  await profile.close();
  const context = await profile.launch();
  return context.pages()[0] ?? (await context.newPage());
}

test('a completed app launches with the server gone, in a new browser process', async ({ profile }) => {
  await using site = await smallSite(smallApp(1_000_000));
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const first = (await profile.launch()).pages()[0]!;
  await first.goto(`${origin.url}/`);
  await launched(first);
  await first.evaluate(() => window.sluice.whenComplete());
  await keptRuntime(first);
  await origin.stop();

  const page = await newProcess(profile);
  await page.goto(`${origin.url}/docs/guide.html?offline#yes`);
  await launched(page);
  expect(await page.evaluate(async () => (await fetch('../data.json')).json())).toEqual({ answer: 42 });
  const bulk = await page.evaluate(async () => (await (await fetch('../bulk.dat')).arrayBuffer()).byteLength);
  expect(bulk).toBe(1_000_000);
  expect(await page.evaluate(() => window.sluice.state())).toMatchObject({
    complete: true,
    image: site.image,
  });
});

test('an incomplete app works offline as far as it goes; what is missing is 503 at once', async ({
  profile,
}) => {
  await using site = await smallSite(smallApp(6_000_000), { blobSize: 2 ** 21 });
  const [early, ...late] = await site.blobs();
  const { size } = await stat(join(site.dir, early!));
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (late.some((name) => path.includes(name)) ? { type: 'hang' } : undefined),
  });
  const first = (await profile.launch()).pages()[0]!;
  await first.goto(`${origin.url}/`);
  await launched(first);
  const present = () => first.evaluate(async () => (await window.sluice.state()).bytes.present);
  await expect.poll(present).toBe(size);
  // The first blob is journaled once a new loader finds it and need not fetch it.
  await expect
    .poll(async () => {
      await first.reload();
      await launched(first);
      const { bytes } = await first.evaluate(() => window.sluice.state());
      return bytes.present === size && bytes.fetched === 0;
    })
    .toBe(true);
  await origin.stop();

  const page = await newProcess(profile);
  await page.goto(`${origin.url}/`);
  await launched(page);
  const answer = await page.evaluate(async () => {
    const begun = performance.now();
    const response = await fetch('bulk.dat', { headers: { Range: 'bytes=5000000-5000010' } });
    return {
      status: response.status,
      code: response.headers.get('Sluice-Error'),
      text: await response.text(),
      ms: performance.now() - begun,
    };
  });
  expect(answer).toMatchObject({ status: 503, code: 'offline' });
  expect(answer.text).toContain('bulk.dat');
  // A read's own deadline is 30 s.
  expect(answer.ms).toBeLessThan(15_000);
  const start = await page.evaluate(async () => {
    const response = await fetch('bulk.dat', { headers: { Range: 'bytes=0-10' } });
    return [response.status, (await response.arrayBuffer()).byteLength];
  });
  expect(start).toEqual([206, 11]);
});
