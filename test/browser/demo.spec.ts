import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { ShapedLink } from '../../bench/link.ts';
import { assembleDemo } from '../../scripts/demo-app.mjs';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { builtSite } from '../support/site.ts';

declare const window: Window & { sluice: Sluice; __ready?: Promise<number> };

const plenty = { mbitPerSecond: 4, rttMs: 50 };
const little = { mbitPerSecond: 0.05, rttMs: 50 };

/** The link gives little while nobody waits for it: else the background would bring the more, the longer a machine draws. */
async function feedReaders(page: Page, link: ShapedLink, signal: AbortSignal): Promise<void> {
  const isWaiting = () =>
    page.evaluate(async () => !window.sluice || (await window.sluice.state()).pendingReads.length > 0);
  while (!signal.aborted) {
    // A page that is busy drawing does not answer; one that gives way to the next has something to wait for.
    const waits = await Promise.race([isWaiting().catch(() => true), pause(250, false)]);
    await link.reshape(waits ? plenty : little);
    await pause(20);
  }
}

test('the globe is on screen, its first view drawn, with less than 25 % of the stored bytes fetched', async ({
  page,
  log,
}) => {
  const draws = await page.evaluate(() => document.createElement('canvas').getContext('webgl2') !== null);
  test.skip(!draws, 'this browser, without a window, has no WebGL');
  const { dir, storedBytes } = await builtSite(assembleDemo());
  await using origin = await Origin.start({ mounts: { '/': dir } });
  await using link = await ShapedLink.start({ shape: plenty, targetPort: origin.port });
  await page.setViewportSize({ width: 640, height: 400 });
  const drawn = new AbortController();
  const feeding = feedReaders(page, link, drawn.signal);
  await page.goto(`http://127.0.0.1:${link.port}/`);
  await page.waitForFunction(() => window.sluice !== undefined && window.__ready !== undefined, undefined, {
    timeout: 180_000,
  });
  await page.evaluate(() => window.__ready);
  drawn.abort();
  await feeding;
  // Everything that crossed the link, scripts and headers too. (The server also counts what it gave to its kernel for answers that were cut.)
  const fetched = (await link.stats()).down;
  console.log(`first view with ${((fetched / storedBytes) * 100).toFixed(1)} % of ${storedBytes} bytes`);
  expect(fetched).toBeLessThan(storedBytes * 0.25);
  expect(log.errors).toEqual([]);

  // It is the globe: blue, green and sand, and black space around it.
  // (As the screen has it: a canvas of WebGL is empty for whoever reads it between two frames, and the demo draws none when nothing changes.)
  await expect(async () => {
    const shares = await coloursOf(page, await page.screenshot());
    for (const share of Object.values(shares)) expect(share).toBeGreaterThan(0.05);
  }).toPass();
});

/** How much of a picture, a PNG, is dark, blue, and land. */
function coloursOf(page: Page, png: Buffer): Promise<Record<'dark' | 'blue' | 'land', number>> {
  return page.evaluate(async (base64) => {
    const picture = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const bitmap = await createImageBitmap(picture);
    const { width, height } = bitmap;
    const copy = new OffscreenCanvas(width, height).getContext('2d')!;
    copy.drawImage(bitmap, 0, 0);
    const pixels = copy.getImageData(0, 0, width, height).data;
    const seen = { dark: 0, blue: 0, land: 0 };
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
      if (red + green + blue < 60) seen.dark++;
      else if (blue > red + 20) seen.blue++;
      else if (red > blue || green > blue) seen.land++;
    }
    const all = pixels.length / 4;
    return { dark: seen.dark / all, blue: seen.blue / all, land: seen.land / all };
  }, png.toString('base64'));
}
