import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { chromium, expect, type Page } from '@playwright/test';
import { findChromium } from '../scripts/find-browsers.mjs';
import { Origin } from '../test/support/origin.ts';
import {
  type Frames,
  openPanel,
  scrollMap,
  scrollWaterfall,
  watchWaterfall,
  zoomMap,
  zoomWaterfall,
} from './bench-panel.ts';
import { columns } from './columns.ts';
import { blockCount, millionBlocks } from './million-blocks.ts';

const seconds = 4;
/** As many as the panel keeps. */
const reads = 20_000;

/**
 * Prints the frames per second of what is long in the panel, while it is scrolled and zoomed and what it shows changes at each question: the block map of
 * an image of a million blocks, and the waterfall of a launch of 20,000 reads.
 */
export async function inspectorFrames(): Promise<void> {
  const bootstrap = millionBlocks();
  const image = createHash('sha256').update(bootstrap).digest('hex');
  await using origin = await Origin.start({
    mounts: { '/': fileURLToPath(new URL('../dist/runtime/', import.meta.url)) },
    routes: {
      '/bench.html': (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'),
      '/bootstrap': (_, response) => response.end(bootstrap),
    },
  });
  const executablePath = await findChromium();
  if (!executablePath) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`${origin.url}/bench.html`);
    await page.addScriptTag({ url: '/__sluice/inspector.js' });
    await page.evaluate(openPanel, { image, blockCount, reads });
    const map = await mapFrames(page);
    const waterfall = await waterfallFrames(page);
    console.log(
      `\nthe block map of ${blockCount.toLocaleString('en')} blocks, 1400 × 900, states changing\n${columns(map, 2)}`,
    );
    console.log(
      `\nthe waterfall of ${reads.toLocaleString('en')} reads, 1400 × 900, a request and 20 reads more at each question\n${columns(waterfall, 2)}`,
    );
  } finally {
    await browser.close();
  }
}

async function mapFrames(page: Page): Promise<string[][]> {
  await page.locator('sluice-block-canvas').waitFor();
  const rows = [['', 'cells', ...frameHeads]];
  for (const order of ['By blob', 'By file']) {
    await page.getByRole('button', { name: order }).click();
    for (const scale of ['1 px', '4 px', '12 px']) {
      await zoomTo(page, scale);
      rows.push([`${order}, scrolling`, scale, ...cellsOf(await page.evaluate(scrollMap, seconds))]);
    }
    rows.push([`${order}, zooming`, 'all', ...cellsOf(await page.evaluate(zoomMap, seconds))]);
  }
  return rows;
}

async function waterfallFrames(page: Page): Promise<string[][]> {
  await page.getByRole('tab', { name: 'Launch' }).click();
  await page.getByRole('button', { name: 'All time' }).click();
  await expect(page.locator('sluice-waterfall-list .row').first()).toBeVisible();
  const shown = Number(await page.locator('sluice-waterfall-list').getAttribute('aria-rowcount'));
  if (shown < reads) throw new Error(`the waterfall has ${shown} rows, not ${reads}`);
  const rows = [['', ...frameHeads]];
  rows.push(['standing still', ...cellsOf(await page.evaluate(watchWaterfall, seconds))]);
  rows.push(['scrolling', ...cellsOf(await page.evaluate(scrollWaterfall, seconds))]);
  rows.push(['zooming', ...cellsOf(await page.evaluate(zoomWaterfall, seconds))]);
  return rows;
}

const frameHeads = ['frames/s', '95 % within', 'longest'];

function cellsOf({ perSecond, p95, longest }: Frames): string[] {
  return [perSecond.toFixed(1), `${p95.toFixed(1)} ms`, `${longest.toFixed(1)} ms`];
}

async function zoomTo(page: Page, scale: string): Promise<void> {
  await page.evaluate((wanted) => {
    const { canvas } = window.benchPanel;
    for (let i = 0; i < 30; i++) canvas.zoom(-1);
    for (let i = 0; i < 30 && canvas.scale !== wanted; i++) canvas.zoom(1);
    if (canvas.scale !== wanted) throw new Error(`no zoom of ${wanted}`);
  }, scale);
}
