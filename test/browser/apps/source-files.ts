import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { encodePath } from '../../apps/site.ts';

/** Every file below a directory: its path with slashes, and the SHA-256 of its bytes in hex. */
export async function sourceDigests(dir: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    digests[path.slice(dir.length + 1)] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return digests;
}

/** The same as a page sees it that fetches each of `paths` from the site at `root`, 16 at a time. */
export async function digestsInPage(
  page: Page,
  root: string,
  paths: readonly string[],
): Promise<Record<string, string>> {
  const urls = paths.map((path) => [path, `${root}${encodePath(path)}`] as const);
  return page.evaluate(async (urls) => {
    const digests: Record<string, string> = {};
    const left = urls.values();
    const reader = async (): Promise<void> => {
      for (const [path, url] of left) {
        const response = await fetch(url);
        const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
        const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
        digests[path] = response.status === 200 ? hex : `status ${response.status}`;
      }
    };
    await Promise.all(Array.from({ length: 16 }, reader));
    return digests;
  }, urls);
}
