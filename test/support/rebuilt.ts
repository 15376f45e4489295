import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What another build of the runtime consists of: names of its files in a site directory, and their bytes. */
export type Runtime = ReadonlyMap<string, Uint8Array>;

/**
 * The runtime of a site as another build would have made it: `before` is put in front of these files, and the service worker knows them by their digests
 * and has a cache of its own.
 */
export async function rebuilt(
  siteDir: string,
  before: { readonly client?: string; readonly loader?: string; readonly sw?: string },
): Promise<Runtime> {
  const files = new Map<string, Uint8Array>();
  let sw = await readFile(join(siteDir, 'sw.js'), 'utf8');
  for (const name of ['client', 'loader'] as const) {
    const old = await readFile(join(siteDir, `__sluice/${name}.js`));
    const bytes = Buffer.concat([Buffer.from(before[name] ?? ''), old]);
    files.set(`__sluice/${name}.js`, bytes);
    if (!sw.includes(sha256(old))) throw new Error(`sw.js does not know ${name}.js by its digest`);
    sw = sw.replaceAll(sha256(old), sha256(bytes));
  }
  const [id] = /[\w.]+-[0-9a-f]{12}(?![0-9a-f])/.exec(sw)!;
  files.set('sw.js', Buffer.from(`${before.sw ?? ''}${sw.replaceAll(id, `${id.slice(0, -1)}x`)}`));
  return files;
}

export async function publishRuntime(siteDir: string, files: Iterable<[string, Uint8Array]>): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(siteDir, name), bytes);
}
