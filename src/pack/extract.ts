import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../format/errors.ts';
import type { Image } from '../image/image.ts';
import { spanBytes } from '../image/map-range.ts';
import { BlockReader } from './block-reader.ts';
import { Breath } from './breath.ts';
import { fromNodeError } from './node-error.ts';
import type { OnProgress } from './progress.ts';
import { checkApart, makeDirectory } from './site-directory.ts';
import { readImage, readRelease } from './site-reader.ts';

export interface ExtractOptions {
  /** The directory to make; it must not be there yet, or be empty. */
  readonly out: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface ExtractReport {
  readonly image: string;
  readonly files: number;
  readonly directories: number;
  /** Sum of the files' sizes. */
  readonly bytes: number;
}

/** Where a file's first block lies, so that files are read in the order of the blobs. */
interface Extraction {
  readonly inode: number;
  readonly path: string;
  readonly size: number;
  readonly blob: number;
  readonly block: number;
}

/**
 * Writes the app directory out of a site again, byte for byte, empty directories too (links as what they led to). Every block is verified and
 * every file's tag compared. Whatever fails, nothing is left at `out`. Throws SluiceError, or the signal's reason.
 */
export async function extract(site: string, options: ExtractOptions): Promise<ExtractReport> {
  const { out, onProgress, signal } = options;
  const image = await readImage(site, readRelease(site));
  checkApart(site, out);
  return makeDirectory(out, { replaceSite: false }, async (target) => {
    const directories = makeDirectories(image, target);
    const files = inStoredOrder(image);
    const totals = { totalFiles: files.length, totalBytes: image.superblock.logicalBytes, storedBytes: 0 };
    const reader = new BlockReader(site, image);
    const breath = new Breath(signal);
    let bytes = 0;
    try {
      for (const [i, file] of files.entries()) {
        await breath.take();
        await extractFile(image, reader, file, join(target, file.path), async (length) => {
          bytes += length;
          onProgress?.({ phase: 'extract', files: i, bytes, ...totals });
          await breath.take();
        });
      }
    } finally {
      reader.close();
    }
    onProgress?.({ phase: 'extract', files: files.length, bytes, ...totals });
    return { image: image.id, files: files.length, directories, bytes };
  });
}

function makeDirectories(image: Image, target: string): number {
  const pending = [{ inode: 0, path: target }];
  let count = 0;
  for (const { inode, path } of pending) {
    for (const entry of image.readdir(inode)) {
      if (entry.kind === 'file') continue;
      const child = join(path, entry.name);
      try {
        mkdirSync(child);
      } catch (error) {
        throw fromNodeError(error, 'make the directory', child);
      }
      // A directory that is its own ancestor could not be made twice, so this ends.
      pending.push({ inode: entry.inode, path: child });
      count++;
    }
  }
  return count;
}

function inStoredOrder(image: Image): Extraction[] {
  const files = [...image.files()].map(({ inode, path }): Extraction => {
    const { size } = image.inode(inode);
    const first = image.mapRange(inode, 0, Math.min(size, 1)).next().value;
    return { inode, path, size, blob: first?.blob ?? 0, block: first?.block ?? 0 };
  });
  return files.sort((a, b) => a.blob - b.blob || a.block - b.block);
}

async function extractFile(
  image: Image,
  reader: BlockReader,
  { inode, path, size }: Extraction,
  target: string,
  onBytes: (length: number) => Promise<void>,
): Promise<void> {
  const whole = createHash('sha256');
  const descriptor = attempt(target, () => openSync(target, 'wx'));
  try {
    for (const span of image.mapRange(inode, 0, size)) {
      const block = await reader.read(span.blob, span.block);
      const bytes = spanBytes(span, block);
      whole.update(bytes);
      for (let at = 0; at < bytes.length; ) at += attempt(target, () => writeSync(descriptor, bytes, at));
      await onBytes(bytes.length);
    }
  } finally {
    closeSync(descriptor);
  }
  if (whole.digest('hex').slice(0, 16) !== image.inode(inode).tag) {
    throw new SluiceError('corrupt-image', `the bytes of ${path} do not match its tag`, { path });
  }
}

function attempt<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw fromNodeError(error, 'write', path);
  }
}
