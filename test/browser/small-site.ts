import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import { type BuildOptions, build } from '../../src/pack/index.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

export type AppFiles = Readonly<Record<string, string | Uint8Array>>;

/** A published site in a temporary directory, of an app that is given as files. */
export interface SmallSite extends AsyncDisposable {
  readonly dir: string;
  /** The app as it was given. */
  readonly appDir: string;
  /** SHA-256 of the bootstrap, hex. */
  readonly image: string;
  readonly storedBytes: number;
  /** Files that were stored in front for a recorded launch. */
  readonly launchFiles: number;
  /** File names of the blobs, in their order. */
  blobs(): Promise<string[]>;
}

/** Packs `files` with the runtime as `npm run build` made it. */
export async function smallSite(files: AppFiles, options: Partial<BuildOptions> = {}): Promise<SmallSite> {
  const { path, remove } = await tempDir('site');
  const app = join(path, 'app');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(app, name)), { recursive: true });
    await writeFile(join(app, name), content);
  }
  const dir = join(path, 'site');
  const { image, storedBytes, launchFiles } = await build(app, {
    out: dir,
    threads: 0,
    runtimeDir: join(import.meta.dirname, '../../dist/runtime'),
    ...options,
  });
  const blobs = async () => {
    const opened = await Image.open(new Uint8Array(await readFile(join(dir, `${image}.bin`))));
    return Array.from({ length: opened.blobCount }, (_, index) => `${opened.blob(index).sha256}.bin`);
  };
  return { dir, appDir: app, image, storedBytes, launchFiles, blobs, [Symbol.asyncDispose]: remove };
}

/** Resolves when the app's script has run, however many boot pages come before it. */
export async function launched(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement?.dataset.app === 'runs', undefined, {
    timeout: 60_000,
  });
}

/** A page that shows its own address and whether the app's script ran. */
export function appPage(title: string, root = ''): string {
  return `<!doctype html>
<html><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1><script src="${root}app.js"></script></body></html>`;
}

export const appScript = `
document.documentElement.dataset.app = 'runs';
window.address = location.pathname + location.search + location.hash;
`;

/** An app of two pages, and `bulk` bytes that do not shrink, so that it is loading for a while. */
export function smallApp(bulk = 0): AppFiles {
  return {
    'index.html': appPage('The small app'),
    'app.js': appScript,
    'docs/guide.html': appPage('The guide', '../'),
    'data.json': '{"answer": 42}',
    ...(bulk > 0 ? { 'bulk.dat': noise(7, bulk) } : {}),
  };
}
