import type { Page } from '@playwright/test';
import { noise } from '../support/random.ts';
import { type SmallSite, smallApp, smallSite } from './small-site.ts';

const bytes = 3_000_000;

/** The small app with a file that is spread over several blobs. */
export function bulkSite(more: Record<string, string> = {}): Promise<SmallSite> {
  return smallSite({ ...smallApp(bytes), ...more }, { blobSize: 1024 * 1024 });
}

/** Status and SHA-256 of the large file, as the page gets it. */
export function readBulk(page: Page): Promise<unknown[]> {
  return page.evaluate(async () => {
    const answer = await fetch('/bulk.dat');
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()));
    return [answer.status, [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')];
  });
}

/** What {@link readBulk} gives where the file is right. */
export async function rightBulk(): Promise<unknown[]> {
  const digest = await crypto.subtle.digest('SHA-256', noise(7, bytes));
  return [200, Buffer.from(digest).toString('hex')];
}
