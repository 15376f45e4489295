import { readImage, readRelease, readTable } from '../src/pack/site-reader.ts';
import type { ReadLog } from '../src/protocol/state.ts';
import type { QuietPage } from './quiet-page.ts';

/** What a launch has read of an image, in stored bytes. */
export interface LaunchBlocks {
  /** Of the blocks that the app's reads needed, each counted once. */
  readonly blockBytes: number;
  /** Of all blocks. */
  readonly imageBytes: number;
}

/** A service worker tells four times a second what it has read. */
const lastReportMs = 600;

/**
 * What the app in this page has read so far. Call it the moment that the app is ready. What is read afterwards does not count: a read of the page's
 * own HTML marks the moment in the log. Undefined where the log does not tell of that.
 */
export async function launchBlocks(page: QuietPage, site: string): Promise<LaunchBlocks | undefined> {
  const { log, path } = await page.evaluate(async (waitMs) => {
    const marker = await fetch(location.href);
    await marker.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return { log: await window.sluice.readLog(), path: location.pathname };
  }, lastReportMs);
  const html = path.slice(1) || 'index.html';
  const mark = log.reads.findLast((read) => read.path === html);
  if (mark === undefined) return undefined;
  const reads = log.reads.filter(({ atMs }) => atMs < mark.atMs);
  return { blockBytes: await storedBytes(site, reads), imageBytes: await imageBytes(site) };
}

async function storedBytes(
  site: string,
  reads: readonly { readonly blob: number; readonly block: number }[],
): Promise<number> {
  const image = await readImage(site, readRelease(site));
  let bytes = 0;
  for (const blob of new Set(reads.map((read) => read.blob))) {
    const table = await readTable(site, image.blob(blob));
    const blocks = reads.filter((read) => read.blob === blob).map(({ block }) => block);
    for (const block of new Set(blocks)) {
      const { start, end } = table.stored(block);
      bytes += end - start;
    }
  }
  return bytes;
}

async function imageBytes(site: string): Promise<number> {
  return (await readImage(site, readRelease(site))).superblock.storedBytes;
}

declare const window: Window & { readonly sluice: { readLog(): Promise<ReadLog> } };
