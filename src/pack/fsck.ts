import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBlock } from '../codec/decode-block.ts';
import type { BlobRecord } from '../format/blob-record.ts';
import { BlockTable } from '../format/block-table.ts';
import { isCode, SluiceError } from '../format/errors.ts';
import type { Image } from '../image/image.ts';
import { ReverseMapFiles } from '../image/reverse-map.ts';
import { spanProblem } from '../image/span-problem.ts';
import { notFoundPage } from './boot-page.ts';
import { Breath } from './breath.ts';
import { fromNodeError } from './node-error.ts';
import type { OnProgress } from './progress.ts';
import { runtimeProblems } from './runtime-check.ts';
import { PublishedFile, readImage, readRelease } from './site-reader.ts';
import { zstdInNode } from './zstd-in-node.ts';

export interface FsckOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface FsckReport {
  /** SHA-256 of the bootstrap that `sluice.json` names. */
  readonly image: string;
  readonly files: number;
  readonly blobs: number;
  readonly blocks: number;
  /** Bytes of blobs that were read. */
  readonly bytes: number;
  /** Empty for a clean site. */
  readonly problems: readonly FsckProblem[];
  /** `.bin` files that the image does not refer to: older versions, perhaps. No problem by themselves. */
  readonly unreferenced: readonly string[];
}

export interface FsckProblem {
  /** The file of the site that is wrong; `''` where it is the image as a whole. */
  readonly file: string;
  readonly message: string;
  /** Paths of the app that cannot be read rightly because of it. */
  readonly paths: readonly string[];
}

/**
 * Verifies a site: release pointer, bootstrap, every block table, every block (its digest, and that it decodes to its logical length), what the
 * tables repeat, names against digests, and that boot pages, service worker and what it was built with (the inspector, too) are there and whole. Reads blobs
 * block by block.
 *
 * Damage is reported. Throws SluiceError where the site cannot be read at all (no directory, no release pointer, no permission).
 */
export async function fsck(site: string, options: FsckOptions = {}): Promise<FsckReport> {
  const release = readRelease(site);
  const names = binFiles(site);
  let image: Image;
  try {
    image = await readImage(site, release);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code === 'EACCES' || error.code === 'unreadable')
      throw error;
    const message = `${error.message}; without it no file of the app can be read, and nothing else was checked`;
    const problem = { file: `${release.image}.bin`, message, paths: [] };
    return {
      image: release.image,
      files: 0,
      blobs: 0,
      blocks: 0,
      bytes: 0,
      problems: [problem],
      unreferenced: [],
    };
  }
  const check = new SiteCheck(site, image, options);
  for (let i = 0; i < image.blobCount; i++) await check.blob(i);
  const files = check.tree();
  check.runtime();
  check.pages(files);
  const blobs = new Set(Array.from(image.blobs(), ({ sha256 }) => sha256));
  const unreferenced = names.filter(
    (name) => !blobs.has(name.slice(0, 64)) && name !== `${release.image}.bin`,
  );
  await check.strays(unreferenced);
  return {
    image: image.id,
    files: files.length,
    blobs: image.blobCount,
    blocks: check.blocks,
    bytes: check.bytes,
    problems: check.problems(),
    unreferenced,
  };
}

interface Damage {
  readonly file: string;
  readonly message: string;
  readonly hurts: BlockRange | readonly string[];
}

/** Blocks `[first, end)` that cannot be read: the reverse map tells whose they are. */
interface BlockRange {
  readonly blob: number;
  readonly first: number;
  readonly end: number;
}

class SiteCheck {
  blocks = 0;
  bytes = 0;
  readonly #site: string;
  readonly #image: Image;
  readonly #onProgress: OnProgress | undefined;
  readonly #breath: Breath;
  readonly #damages: Damage[] = [];
  readonly #tables = new Map<number, BlockTable>();
  readonly #owners: ReverseMapFiles;
  readonly #missing = new Set<string>();

  constructor(site: string, image: Image, { onProgress, signal }: FsckOptions) {
    this.#site = site;
    this.#image = image;
    this.#owners = new ReverseMapFiles(image);
    this.#onProgress = onProgress;
    this.#breath = new Breath(signal);
  }

  /** Names the paths that {@link tree} has come by. */
  problems(): FsckProblem[] {
    const owners = this.#owners.map();
    return this.#damages.map(({ file, message, hurts }) => ({
      file,
      message,
      paths: 'blob' in hurts ? owners.hurtPaths(hurts.blob, hurts.first, hurts.end) : hurts,
    }));
  }

  /** Reads blob `i` from front to back. */
  async blob(i: number): Promise<void> {
    const record = this.#recordOf(i);
    if (record === undefined) return;
    const name = `${record.sha256}.bin`;
    let file: PublishedFile;
    try {
      file = new PublishedFile(join(this.#site, name));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const missing = error.code === 'ENOENT';
      if (missing) this.#missing.add(record.sha256);
      this.#damage(name, missing ? 'the blob is missing' : error.message, wholeBlob(i));
      return;
    }
    try {
      await this.#readBlob(i, record, name, file);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#damage(name, error.message, wholeBlob(i));
    } finally {
      file.close();
    }
  }

  async #readBlob(i: number, record: BlobRecord, name: string, file: PublishedFile): Promise<void> {
    const whole = createHash('sha256');
    const damagesBefore = this.#damages.length;
    if (file.length !== record.length) {
      const how = file.length < record.length ? 'truncated' : 'longer than published';
      this.#damage(name, `the blob is ${how}: it has ${file.length} bytes instead of ${record.length}`);
    }
    const head = file.read(0, record.tableLength);
    whole.update(head);
    const table = await BlockTable.open(head, record);
    this.#tables.set(i, table);
    for (let block = 0; block < table.count; block++) {
      const message = await this.#readBlock(table, block, file, whole);
      if (message === undefined) continue;
      const range = { blob: i, first: block, end: block + 1 };
      this.#damage(name, `block ${block} of ${table.count} ${message}`, range);
    }
    if (this.#damages.length === damagesBefore && whole.digest('hex') !== record.sha256) {
      this.#damage(
        name,
        'the blob is not the one that its name tells, though its blocks are the published ones',
      );
    }
  }

  /** What is wrong with the block, if anything. */
  async #readBlock(
    table: BlockTable,
    block: number,
    file: PublishedFile,
    whole: Hash,
  ): Promise<string | undefined> {
    await this.#breath.take();
    const { start, end } = table.stored(block);
    const stored = file.read(start, end);
    whole.update(stored);
    this.blocks++;
    this.bytes += stored.length;
    const { storedBytes } = this.#image.superblock;
    const unused = { files: 0, totalFiles: 0, storedBytes: 0 };
    this.#onProgress?.({ phase: 'check', bytes: this.bytes, totalBytes: storedBytes, ...unused });
    if (stored.length < end - start) return 'is cut off';
    if (!createHash('sha256').update(stored).digest().equals(table.digest(block)))
      return 'does not match its digest';
    try {
      await decodeBlock(table.codec(block), stored, table.logicalLength(block), zstdInNode);
    } catch (error) {
      if (!isCode(error, 'integrity') && !isCode(error, 'unsupported-image')) throw error;
      return `cannot be decoded: ${(error as SluiceError).message}`;
    }
    return undefined;
  }

  /** Walks the whole tree: every record of it is read, every extent compared with its table. Returns the files' paths. */
  tree(): string[] {
    const image = this.#image;
    const paths: string[] = [];
    let logicalBytes = 0;
    try {
      for (const { inode, path } of image.files()) {
        paths.push(path);
        logicalBytes += image.inode(inode).size;
        this.#owners.add(inode, path);
        this.#extents(inode, path);
      }
      if (logicalBytes !== image.superblock.logicalBytes)
        this.#damage('', 'the superblock tells a wrong sum of file sizes');
      let storedBytes = 0;
      for (const { length } of image.blobs()) storedBytes += length;
      if (storedBytes !== image.superblock.storedBytes)
        this.#damage('', 'the superblock tells a wrong sum of blob lengths');
      this.#launchSet();
      const { fallback } = image;
      if (fallback !== undefined && image.inode(fallback).kind !== 'file')
        this.#damage('', 'the fallback is not a file');
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#damage('', error.message);
    }
    return paths;
  }

  #launchSet(): void {
    const { launchSet } = this.#image;
    if (launchSet === undefined) return;
    let bytes = 0;
    for (const [blob, table] of this.#tables) {
      const blocks = blob < launchSet.blob ? table.count : blob === launchSet.blob ? launchSet.block : 0;
      if (blocks > 0) bytes += table.stored(blocks - 1).end - table.stored(0).start;
    }
    // Without a table nothing can be said, and that was.
    if (bytes !== launchSet.bytes && this.#tables.size === this.#image.blobCount)
      this.#damage(
        '',
        `the superblock tells a launch set of ${launchSet.bytes} bytes; its blocks have ${bytes}`,
      );
  }

  #extents(inode: number, path: string): void {
    const { size } = this.#image.inode(inode);
    for (const span of this.#image.mapExtents(inode, 0, size)) {
      const table = this.#tables.get(span.blob);
      const problem = table && spanProblem(span, table);
      if (problem !== undefined)
        this.#damage('', `an extent of ${path} differs from the block table: ${problem}`, [path]);
    }
  }

  /** Whether the runtime's files are there and whole. */
  runtime(): void {
    for (const { file, message } of runtimeProblems(this.#site, this.#image.usesZstd))
      this.#damage(file, message);
  }

  /** Whether the boot pages are there, and of this image. */
  pages(paths: readonly string[]): void {
    const ofFallback = this.#image.fallback === undefined ? [] : [notFoundPage];
    const pages = new Set(['index.html', ...ofFallback, ...paths.filter((path) => /\.html?$/i.test(path))]);
    for (const page of pages) {
      const target = join(this.#site, page);
      if (!existsSync(target)) {
        this.#damage(page, 'the boot page is missing');
      } else if (!namesOnly(readFileSync(target, 'utf8'), this.#image)) {
        this.#damage(page, 'the boot page is not of the image that sluice.json names');
      }
    }
  }

  /** Files that nothing refers to: one of them may be a blob that was renamed. */
  async strays(names: readonly string[]): Promise<void> {
    for (const name of names) {
      let digest: string;
      try {
        digest = await digestOf(join(this.#site, name));
      } catch (error) {
        this.#damage(name, fromNodeError(error, 'read', name).message);
        continue;
      }
      if (this.#missing.has(digest))
        this.#damage(name, `the file is the missing blob ${digest}.bin under a wrong name`);
      else if (name !== `${digest}.bin`) this.#damage(name, 'the file is not the one that its name tells');
    }
  }

  #recordOf(i: number): BlobRecord | undefined {
    try {
      return this.#image.blob(i);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#damage('', error.message);
      return undefined;
    }
  }

  #damage(file: string, message: string, hurts: Damage['hurts'] = []): void {
    this.#damages.push({ file, message, hurts });
  }
}

function wholeBlob(blob: number): BlockRange {
  return { blob, first: 0, end: Number.POSITIVE_INFINITY };
}

function binFiles(site: string): string[] {
  try {
    return readdirSync(site).filter((name) => /^[0-9a-f]{64}\.bin$/.test(name));
  } catch (error) {
    throw fromNodeError(error, 'read the directory', site);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Whether the digests in a boot page are the image's and its first blob's, all of them: it asks for both. */
function namesOnly(page: string, image: Image): boolean {
  const own = [image.id, ...(image.blobCount > 0 ? [image.blob(0).sha256] : [])];
  const digests: readonly string[] = page.match(/\b[0-9a-f]{64}\b/g) ?? [];
  return digests.includes(image.id) && digests.every((digest) => own.includes(digest));
}
