import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache', 'apps');

/** A real app in a directory, served or packed from there as it is. Its page sets `window.__ready`. */
export interface TestApp {
  readonly name: string;
  /** Absolute. Shared between tests: never write into it. */
  readonly dir: string;
  /** URL path of the page below the app's root; '' is index.html. */
  readonly entry: string;
  /** What `window.__ready` resolves to when the app works. */
  readonly expected: unknown;
}

export interface AppRecipe {
  readonly name: string;
  readonly expected: unknown;
  /** What the directory is made of: npm packages whose version counts, and files in test/apps. */
  readonly packages: readonly string[];
  readonly sources: readonly string[];
  /** Fills the empty directory. Must be deterministic. */
  readonly build: (dir: string) => Promise<void>;
}

/**
 * The app's directory below .cache/apps, built when it is not there or its inputs have changed. Safe when several
 * test workers ask at once: each builds aside and the first to finish wins.
 */
export async function prepareApp(recipe: AppRecipe): Promise<TestApp> {
  const { name, expected } = recipe;
  const parent = join(CACHE, name);
  const key = await inputsDigest(recipe);
  const dir = join(parent, key);
  if (!(await exists(dir))) {
    await mkdir(parent, { recursive: true });
    const aside = join(parent, `building-${process.pid}`);
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside);
    await recipe.build(aside);
    try {
      await rename(aside, dir);
    } catch (error) {
      if (!(await exists(dir))) throw error;
      await rm(aside, { recursive: true }); // Another worker was first.
    }
    for (const old of await readdir(parent)) {
      if (/^[0-9a-f]{16}$/.test(old) && old !== key) await rm(join(parent, old), { recursive: true });
    }
  }
  return { name, dir, entry: '', expected };
}

/** The directory of an installed npm package. */
export function packageDir(name: string): string {
  return join(ROOT, 'node_modules', name);
}

/** Copies files or directories of an npm package, as published, to `to`. */
export async function copyFromPackage(name: string, paths: readonly string[], to: string): Promise<void> {
  for (const path of paths) {
    // node_modules inside a package are its own dependencies, not part of it.
    const filter = (source: string) => !source.slice(packageDir(name).length).includes('node_modules');
    await cp(join(packageDir(name), path), join(to, path), { recursive: true, filter });
  }
}

/** Copies our page for the app to its index.html. */
export async function copyPage(source: string, dir: string): Promise<void> {
  await cp(join(ROOT, 'test', 'apps', source), join(dir, 'index.html'));
}

/**
 * Waits for `window.__ready` of the app's page and gives what it resolved to; fails with the page's own error when
 * it rejected. Lives through navigations, such as a boot page's hand-over to the app.
 */
export async function appReady(page: Page, timeoutMs = 120_000): Promise<unknown> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = Math.max(1, deadline - performance.now());
    try {
      await page.waitForFunction(() => '__ready' in window, undefined, { timeout: left });
      const ready = page.evaluate(() => (window as unknown as { __ready: Promise<unknown> }).__ready);
      return await within(ready, Math.max(1, deadline - performance.now()));
    } catch (error) {
      const navigated = /context was destroyed|navigat/i.test(String(error));
      if (!navigated || performance.now() >= deadline) throw error;
    }
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`window.__ready was still pending after ${Math.round(ms)} ms`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function inputsDigest({ packages, sources }: AppRecipe): Promise<string> {
  const hash = createHash('sha256');
  for (const name of packages) {
    const { version } = JSON.parse(await readFile(join(packageDir(name), 'package.json'), 'utf8'));
    hash.update(`${name}@${version}\n`);
  }
  for (const source of ['test-app.ts', ...sources]) {
    hash.update(await readFile(join(ROOT, 'test', 'apps', source)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
