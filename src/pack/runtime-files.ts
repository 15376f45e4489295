import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdWasmFile } from '../codec/zstd-wasm.ts';
import { SluiceError } from '../format/errors.ts';

/** The files of the package that go into every site, beside image and release pointer. */
export interface RuntimeFiles {
  /** The boot page's template, see boot-page.ts. */
  readonly template: string;
  /** Path in the site, and bytes; in the order of their paths. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

const needed = [
  'sw.js',
  '__sluice/client.js',
  '__sluice/loader.js',
  `__sluice/${zstdWasmFile}`,
  '__sluice/index.html',
  '__sluice/inspector.js',
];

/** Reads them all. Throws `no-runtime` where the package was not built. */
export function readRuntimeFiles(directory: string = defaultDirectory()): RuntimeFiles {
  const missing = ['index.html', ...needed].find((path) => !existsSync(join(directory, path)));
  if (missing !== undefined) {
    throw new SluiceError('no-runtime', `${join(directory, missing)} is not there`, {
      path: join(directory, missing),
    });
  }
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name).slice(directory.length).replaceAll('\\', '/').replace(/^\/+/, ''),
    )
    .filter((path) => path !== 'index.html')
    .sort();
  return {
    template: readFileSync(join(directory, 'index.html'), 'utf8'),
    files: paths.map((path) => ({ path, bytes: readFileSync(join(directory, path)) })),
  };
}

/** Where the package has them: beside the bundle (dist/node), or where the build puts it when this runs from sources. */
export function defaultDirectory(): string {
  const bundled = fileURLToPath(new URL('../runtime', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../../dist/runtime', import.meta.url));
}
