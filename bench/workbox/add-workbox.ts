import { createHash } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The page below the app's root that installs a precache of everything and goes to the app's page that its query names. */
export const installPage = 'workbox-install.html';

/** Adds the real workbox-precaching, with a manifest of every file in the directory, and a page that waits for it. */
export async function addWorkbox(dir: string): Promise<void> {
  const manifest = await precacheManifest(dir);
  const worker = (await bundledWorker()).replace('self.__WB_MANIFEST', () => JSON.stringify(manifest));
  await writeFile(join(dir, 'workbox-worker.js'), worker);
  await cp(join(here, 'install.html'), join(dir, installPage));
}

/** As workbox-build makes it: a revision of the content for each URL, relative to the worker. */
export async function precacheManifest(dir: string): Promise<{ url: string; revision: string }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    files.sort().map(async (file) => ({
      url: relative(dir, file).split(sep).map(encodeURIComponent).join('/'),
      revision: createHash('md5')
        .update(await readFile(file))
        .digest('hex'),
    })),
  );
}

let bundling: Promise<string> | undefined;

function bundledWorker(): Promise<string> {
  bundling ??= bundle();
  return bundling;
}

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    root: here,
    logLevel: 'warn',
    mode: 'production',
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: join(here, 'worker.ts'), output: { format: 'iife', codeSplitting: false } },
    },
  });
  const chunks = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
  const [worker] = chunks;
  if (
    chunks.length !== 1 ||
    worker?.type !== 'chunk' ||
    worker.code.split('self.__WB_MANIFEST').length !== 2
  ) {
    throw new Error('workbox did not become one script with one place for its manifest');
  }
  return worker.code;
}
