import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, brotliCompress as withCallback } from 'node:zlib';
import { isPrecompressed } from '../test/support/nginx.ts';

const cacheDir = fileURLToPath(new URL('../.cache/bench/brotli/', import.meta.url));
const compress = promisify(withCallback);
/** zlib's own threads are four. */
const atOnce = 4;

/** Puts `file.br`, of the best that brotli has, beside every file of a type that a server compresses. Made once for the same content. */
export async function addBrotliFiles(dir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && isPrecompressed(entry.name));
  const next = files.values();
  const worker = async (): Promise<void> => {
    for (const { parentPath, name } of next) await addOne(join(parentPath, name));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function addOne(file: string): Promise<void> {
  const content = await readFile(file);
  const made = join(cacheDir, `${createHash('sha256').update(content).digest('hex')}.br`);
  try {
    await cp(made, `${file}.br`);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  const compressed = await compress(content, { params });
  await writeFile(`${file}.br`, compressed);
  // By way of another name, so that an interrupted write does not count as one.
  const unfinished = `${made}-${process.pid}-${Math.random()}`;
  await writeFile(unfinished, compressed);
  await rename(unfinished, made);
}
