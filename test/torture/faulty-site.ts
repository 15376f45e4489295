import { link, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { publishRuntime, rebuilt } from '../support/rebuilt.ts';
import { tempDir } from '../support/temp-dir.ts';
import { faultsPrelude, type StoreFaults } from './runtime-faults.ts';

/** A published site whose workers take orders from the torture (see runtime-faults.ts); everything else is shared with the original. */
export async function faultySite(
  siteDir: string,
  store: StoreFaults | undefined,
): Promise<{ readonly dir: string } & AsyncDisposable> {
  const { path: dir, remove } = await tempDir('torture');
  const prelude = faultsPrelude(store);
  const runtime = await rebuilt(siteDir, { loader: prelude, sw: prelude });
  const entries = await readdir(siteDir, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const name = relative(siteDir, from);
    const to = join(dir, name);
    await mkdir(dirname(to), { recursive: true });
    if (!runtime.has(name)) await link(from, to);
  }
  await publishRuntime(dir, runtime);
  return { dir, [Symbol.asyncDispose]: remove };
}
