import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test as base } from '@playwright/test';
import { tempDir } from '../support/temp-dir.ts';

/** Path → bytes; a path that ends with a slash is an empty directory. */
export type TreeSpec = Readonly<Record<string, Uint8Array | string>>;

interface Fixtures {
  /** A directory of this test alone. */
  readonly dir: string;
  /** Stand-ins for the built runtime, so that packing is tested without the browser files: the template is the real one. */
  readonly runtimeDir: string;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  dir: async ({}, use) => {
    const { path, remove } = await tempDir('pack');
    await use(path);
    await remove();
  },
  runtimeDir: async ({ dir }, use) => {
    const runtimeDir = join(dir, 'runtime');
    const template = readFileSync(resolve(import.meta.dirname, '../../index.html'), 'utf8');
    const beside = {
      'client.js': 'client',
      'icon.svg': 'icon',
      'index.html': 'inspector page',
      'inspector.js': 'inspector',
      'loader.js': 'loader',
      'zstd.wasm': 'decoder',
    };
    // As a bundler writes them into the real one.
    const digests = Object.entries(beside).map(
      ([name, text]) => `"${name}":\`${createHash('sha256').update(text).digest('hex')}\``,
    );
    makeTree(runtimeDir, {
      'index.html': template,
      'sw.js': `start({id:\`1\`,sha256:{${digests}}})`,
      ...Object.fromEntries(Object.entries(beside).map(([name, text]) => [`__sluice/${name}`, text])),
    });
    await use(runtimeDir);
  },
});

export { expect } from '@playwright/test';

/** Writes the tree in the order in which it is given. */
export function makeTree(root: string, spec: TreeSpec): string {
  mkdirSync(root, { recursive: true });
  for (const [path, content] of Object.entries(spec)) {
    const target = join(root, path);
    if (path.endsWith('/')) {
      mkdirSync(target, { recursive: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  return root;
}

/** Everything below a directory: path → digest of the bytes; directories with a slash and no digest. Links are followed. */
export function contents(root: string, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  const entries = readdirSync(join(root, prefix), { withFileTypes: true });
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix + name;
    let bytes: Buffer | undefined;
    try {
      bytes = readFileSync(join(root, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    }
    if (bytes !== undefined) {
      found.set(path, createHash('sha256').update(bytes).digest('hex'));
    } else {
      found.set(`${path}/`, '');
      for (const [inner, digest] of contents(root, `${path}/`)) found.set(inner, digest);
    }
  }
  return found;
}

/** Text that a codec shrinks, unlike for unlike seeds. */
export function prose(seed: number, length: number): string {
  let text = '';
  for (let i = seed; text.length < length; i = (i * 48_271 + 11) % 2_147_483_647)
    text += `line ${i % 977} of ${seed}\n`;
  return text.slice(0, length);
}
