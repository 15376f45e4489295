import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRelease } from '../../src/format/release.ts';
import { Image } from '../../src/image/image.ts';
import { type BuildOptions, build } from '../../src/pack/index.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache', 'sites');
/** The browser files as `npm run build` made them. */
const RUNTIME = join(ROOT, 'dist', 'runtime');
/** What decides, beside the app and the runtime, which bytes a build makes. */
const PACKER = ['pack', 'image', 'codec', 'format'].map((name) => join(ROOT, 'src', name));
/** Sites that nobody has asked for in this time go when another one is built. */
const STALE_MS = 1_200_000;

/** A published site in a directory that tests share: never write into it. */
export interface BuiltSite {
  /** Absolute. */
  readonly dir: string;
  /** SHA-256 of the bootstrap, hex. */
  readonly image: string;
  readonly bootstrapBytes: number;
  /** Of all blobs, block tables included. */
  readonly storedBytes: number;
  /** File names of the blobs, in launch order. */
  readonly blobs: readonly string[];
}

/** The options that change what is built. */
export type SiteOptions = Pick<
  BuildOptions,
  'codec' | 'level' | 'blobSize' | 'crossOriginIsolate' | 'fallback' | 'attributes' | 'traces'
>;

/**
 * The app directory packed into a site with the runtime as it was last built, below .cache/sites; packed only when app, runtime, packer or options have
 * changed. Safe when several test workers ask at once: each builds aside and the first to finish wins.
 */
export async function builtSite(appDir: string, options: SiteOptions = {}): Promise<BuiltSite> {
  const hash = createHash('sha256').update(JSON.stringify(options));
  for (const dir of [appDir, RUNTIME, ...PACKER]) await hashTree(hash, dir);
  const key = hash.digest('hex').slice(0, 16);
  const dir = join(CACHE, key);
  if (existsSync(dir)) {
    await utimes(dir, new Date(), new Date());
  } else {
    await mkdir(CACHE, { recursive: true });
    const aside = join(CACHE, `${key}-${process.pid}`);
    await build(appDir, { ...options, out: aside, threads: 0, runtimeDir: RUNTIME });
    try {
      await rename(aside, dir);
    } catch (error) {
      if (!existsSync(dir)) throw error;
      await rm(aside, { recursive: true }); // Another worker was first.
    }
    await removeStale();
  }
  return builtSiteIn(dir);
}

async function builtSiteIn(dir: string): Promise<BuiltSite> {
  const { image: id, bytes } = parseRelease(await readFile(join(dir, 'sluice.json'), 'utf8'));
  const image = await Image.open(new Uint8Array(await readFile(join(dir, `${id}.bin`))));
  const records = Array.from({ length: image.blobCount }, (_, i) => image.blob(i));
  return {
    dir,
    image: id,
    bootstrapBytes: bytes,
    storedBytes: records.reduce((sum, { length }) => sum + length, 0),
    blobs: records.map(({ sha256 }) => `${sha256}.bin`),
  };
}

/** Paths and contents of all files below `dir`. */
async function hashTree(hash: Hash, dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  for (const entry of entries.sort(byName)) {
    const path = join(dir, entry.name);
    hash.update(`${entry.isDirectory() ? 'd' : 'f'}${entry.name}\0`);
    if (entry.isDirectory()) await hashTree(hash, path);
    else
      hash.update(
        createHash('sha256')
          .update(await readFile(path))
          .digest(),
      );
    hash.update('\0');
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

async function removeStale(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    if (Date.now() - (await stat(path)).mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}
