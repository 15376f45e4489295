import { ShapedLink } from '../../bench/link.ts';
import { assembleDemo } from '../../scripts/demo-app.mjs';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { builtSite } from '../support/site.ts';

declare const window: Window & { sluice: Sluice; __ready?: Promise<number> };

test('the globe is on screen, its first view drawn, with less than 25 % of the stored bytes fetched', async ({
  page,
  log,
}) => {
  test.setTimeout(240_000);
  const draws = await page.evaluate(() => document.createElement('canvas').getContext('webgl2') !== null);
  test.skip(!draws, 'this browser, without a window, has no WebGL');
  const { dir, storedBytes } = await builtSite(assembleDemo());
  await using origin = await Origin.start({ mounts: { '/': dir } });
  // Slow enough that the background cannot bring everything while the software renderer is at work.
  await using link = await ShapedLink.start({
    shape: { mbitPerSecond: 0.75, rttMs: 50 },
    targetPort: origin.port,
  });
  await page.setViewportSize({ width: 640, height: 400 });
  await page.goto(`http://127.0.0.1:${link.port}/`);
  await page.waitForFunction(() => window.sluice !== undefined && window.__ready !== undefined, undefined, {
    timeout: 120_000,
  });
  await page.evaluate(() => window.__ready);
  // Everything that crossed the link, scripts and headers too. (The server also counts what it gave to its kernel for answers that were cut.)
  const fetched = (await link.stats()).down;
  console.log(`first view with ${((fetched / storedBytes) * 100).toFixed(1)} % of ${storedBytes} bytes`);
  expect(fetched).toBeLessThan(storedBytes * 0.25);
  expect(log.errors).toEqual([]);

  // It is the globe: blue, green and sand, and black space around it.
  const colours = await page.evaluate(async () => {
    const canvas = document.querySelector('canvas')!;
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d')!;
    await new Promise<void>((resolve) =>
      requestAnimationFrame(function look() {
        copy.drawImage(canvas, 0, 0);
        const middle = copy.getImageData(width / 2, height / 2, 1, 1).data;
        if (middle[0]! + middle[1]! + middle[2]! > 0) resolve();
        else requestAnimationFrame(look);
      }),
    );
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
  });
  for (const share of Object.values(colours)) expect(share).toBeGreaterThan(0.05);
});
