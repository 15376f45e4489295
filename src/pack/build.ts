import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateSync } from 'fflate';
import type { CodecName } from '../format/codec-id.ts';
import { SluiceError } from '../format/errors.ts';
import type { Extent } from '../format/extent.ts';
import { formatRelease, type Release } from '../format/release.ts';
import { encodeBootstrap, type NodeModel } from '../image/encode-bootstrap.ts';
import { type Attributes, attributesOf, type ResolvedAttributes, unmatchedPatterns } from './attributes.ts';
import { type BaseReuse, openBase, reuseOf } from './base.ts';
import { BlobWriter } from './blob-writer.ts';
import { BlockPacker } from './block-packer.ts';
import { bootPage, notFoundPage, type Published, pageTitle } from './boot-page.ts';
import { Breath } from './breath.ts';
import { type CompressPool, compressPool } from './compress-pool.ts';
import { launchOrder } from './launch-order.ts';
import { type LaunchTrace, launchReads } from './launch-reads.ts';
import { isTextType, mediaType } from './media-type.ts';
import { fromNodeError } from './node-error.ts';
import { type PackResult, packFiles } from './pack-files.ts';
import { pageLinks } from './page-links.ts';
import type { Placement } from './placement.ts';
import { plan } from './plan.ts';
import type { OnProgress } from './progress.ts';
import { type RuntimeFiles, readRuntimeFiles } from './runtime-files.ts';
import { checkApart, makeDirectory } from './site-directory.ts';
import { readHead } from './source-file.ts';
import type { Tree, TreeDirectory, TreeFile } from './tree.ts';
import { walk } from './walk.ts';

export interface BuildOptions {
  /** The site directory to make. An older site there is replaced at the end. */
  readonly out: string;
  /** Default zstd. lz4 needs no WebAssembly in the page. */
  readonly codec?: 'zstd' | 'lz4' | 'none';
  /** zstd's, 1 to 19, of everything; see {@link defaultLevel} and {@link defaultLaunchLevel}. */
  readonly level?: number;
  /**
   * Read logs of real launches: what they read is stored first, in the order of the first of them, with what others add woven in. They help as far as they
   * fit the app.
   */
  readonly traces?: readonly LaunchTrace[];
  /** An older site of the same app: the report tells what a visitor who has it need not fetch again. */
  readonly base?: string;
  /** Answers carry COOP and COEP, so that the app may use SharedArrayBuffer. */
  readonly crossOriginIsolate?: boolean;
  /** The file that answers navigations to unknown paths, for single-page apps. */
  readonly fallback?: string;
  readonly attributes?: Attributes;
  /** Most bytes of a blob; default 8 MiB. */
  readonly blobSize?: number;
  /** Compressing threads; default the processors, at most 16. 0 for none. The result is the same. */
  readonly threads?: number;
  /** Where the package's built runtime files are; default in the package. */
  readonly runtimeDir?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface BuildReport extends Release {
  readonly files: number;
  readonly directories: number;
  /** Sum of the files' sizes. */
  readonly logicalBytes: number;
  /** Of all blobs. */
  readonly storedBytes: number;
  readonly blobs: number;
  readonly blocks: number;
  readonly duplicateFiles: number;
  readonly duplicateBytes: number;
  /** What recorded launches read: files (wholly or in part), blocks, and stored bytes; 0 where no trace fits. */
  readonly launchFiles: number;
  readonly launchBlocks: number;
  readonly launchBytes: number;
  readonly base: BaseReuse | undefined;
  /** Whether the root has a page of the app's. */
  readonly hasEntry: boolean;
  /** Patterns of the attributes that no file matches. */
  readonly unmatched: readonly string[];
  readonly elapsedMs: number;
}

/**
 * Measured over a globe's package of 76 MB, blocks of 256 KiB: level 9 stores 15.5 MB at 18 MB/s a core, 12 2 % less at 6 MB/s, 15 5 % less at 4 MB/s,
 * 19 6 % less at 1.6 MB/s. The default is for building often; 15 is worth it for what is published.
 */
export const defaultLevel = 9;
/** Of what recorded launches read: few bytes as a rule, and the ones that are waited for. */
export const defaultLaunchLevel = 19;
const defaultBlobSize = 8 * 2 ** 20;
/**
 * Of the first blob, which the boot page's markup asks for as a whole, before any script runs. What a launch is known to need may be as much as 20 Mbit/s bring
 * until the app runs; a guess ends before that, so that what the app asks for finds the link free.
 */
const firstBlobSize = { known: 2 ** 20, guessed: 2 ** 19 };
/** A blob must hold the largest block; and is kept in memory while it is made. */
const blobSizes = { min: 2 ** 19, max: 64 * 2 ** 20 };
/** Each holds about 15 MB. */
const mostThreads = 16;
/** Less is compressed sooner than threads start. */
const threadsFrom = 2 ** 20;

/**
 * Packs the app directory `input` into a site of static files. The same input gives the same bytes on every machine. Whatever fails, no
 * half-made site is left, and an older one at `out` is as it was.
 *
 * Throws SluiceError (see `walk`, `makeDirectory`, `attributesOf`; `changed`, `no-runtime`, `ENOSPC`), or the signal's reason.
 */
export async function build(input: string, options: BuildOptions): Promise<BuildReport> {
  const start = performance.now();
  const settings = checkOptions(options);
  const { out, onProgress, signal } = options;
  const attributes = attributesOf(options.attributes ?? {});
  const runtime = readRuntimeFiles(options.runtimeDir);
  const base = options.base === undefined ? undefined : await openBase(options.base);
  checkApart(input, out);
  return makeDirectory(out, { replaceSite: true }, async (site) => {
    const unknown = { totalFiles: 0, bytes: 0, totalBytes: 0, storedBytes: 0 };
    const onFile = (files: number): void => onProgress?.({ phase: 'walk', files, ...unknown });
    const tree = await walk(input, { onFile, signal });
    const fallback = fallbackPath(tree, options.fallback);
    const total = tree.files.reduce((sum, file) => sum + file.size, 0);
    const launch = launchReads(tree.files, options.traces ?? []);
    const planned = plan(launchOrder(tree.files, entryLinks(tree)), launch, settings.blobSize);
    const firstBlob = launch.whole.size > 0 ? firstBlobSize.known : firstBlobSize.guessed;
    const writer = new BlobWriter(site, settings.blobSize, Math.min(firstBlob, settings.blobSize));
    const resolved = new Map(tree.files.map((file) => [file, attributes(file.path)]));
    const typeOf = (file: TreeFile): string => resolved.get(file)?.mime ?? mediaType(file.path);
    const threads = settings.codec === 'raw' || total < threadsFrom ? 0 : settings.threads;
    const pool = await compressPool(settings, threads);
    const packed = await pack(pool, () => {
      const done = { files: 0, bytes: 0 };
      const tell = (files: number, bytes: number): void => {
        done.files += files;
        done.bytes += bytes;
        const totals = { totalFiles: tree.files.length, totalBytes: total, storedBytes: writer.storedBytes };
        onProgress?.({ phase: 'pack', ...done, ...totals });
      };
      return packFiles(planned, {
        packer: new BlockPacker(pool, writer, (bytes) => tell(0, bytes)),
        breath: new Breath(signal),
        typeOf,
        onFile: (bytes) => tell(1, bytes),
      });
    });
    const { blobs, codecs } = writer.finish();
    const modelOf = fileModels(packed, writer, resolved, typeOf);
    const launchSet = writer.launchSet(packed.launchBlocks);
    const model = {
      root: entryModels(tree.root, modelOf),
      blobs,
      codecs,
      crossOriginIsolate: options.crossOriginIsolate ?? false,
      ...(launchSet === undefined ? {} : { launchSet }),
      ...(fallback === undefined ? {} : { fallback }),
    };
    const bootstrap = encodeBootstrap(model, (body) => new Uint8Array(deflateSync(body, { level: 9 })));
    const release = { image: createHash('sha256').update(bootstrap).digest('hex'), bytes: bootstrap.length };
    write(site, `${release.image}.bin`, bootstrap);
    writePages(site, tree, runtime, {
      release,
      firstBlob: blobs[0]?.sha256,
      zstd: codecs.includes('zstd'),
      fallback,
    });
    write(site, 'sluice.json', formatRelease(release));
    signal?.throwIfAborted();
    return {
      ...release,
      files: tree.files.length,
      directories: tree.directoryCount,
      logicalBytes: total,
      storedBytes: blobs.reduce((sum, blob) => sum + blob.length, 0),
      blobs: blobs.length,
      blocks: writer.blockCount,
      duplicateFiles: packed.duplicateFiles,
      duplicateBytes: packed.duplicateBytes,
      launchFiles: planned.launchFiles,
      launchBlocks: packed.launchBlocks,
      launchBytes: launchSet?.bytes ?? 0,
      base: base && reuseOf(base, blobs),
      hasEntry: tree.files.some(({ path }) => path === 'index.html'),
      unmatched: unmatchedPatterns(
        options.attributes ?? {},
        tree.files.map(({ path }) => path),
      ),
      elapsedMs: performance.now() - start,
    };
  });
}

/** What the entry page loads by itself: a launch without a trace begins with that. */
function entryLinks(tree: Tree): string[] {
  const entry = tree.files.find(({ path }) => path === 'index.html');
  return entry === undefined ? [] : pageLinks(readHead(entry), entry.path);
}

interface Settings {
  readonly codec: CodecName;
  readonly launchLevel: number;
  readonly level: number;
  readonly blobSize: number;
  readonly threads: number;
}

function checkOptions(options: BuildOptions): Settings {
  const { codec = 'zstd', level = defaultLevel, blobSize = defaultBlobSize } = options;
  const { level: launchLevel = defaultLaunchLevel } = options;
  const { threads = Math.min(availableParallelism(), mostThreads) } = options;
  const name = ({ zstd: 'zstd', lz4: 'lz4', none: 'raw' } as const)[codec];
  if (name === undefined) throw new SluiceError('EINVAL', `the codec "${codec}" is none of zstd, lz4, none`);
  checkNumber('level', level, 1, 19);
  checkNumber('blob size', blobSize, blobSizes.min, blobSizes.max);
  checkNumber('number of threads', threads, 0, 64);
  return { codec: name, launchLevel, level, blobSize, threads };
}

function checkNumber(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new SluiceError('EINVAL', `the ${what} must be a whole number from ${min} to ${max}, not ${value}`);
}

function fallbackPath(tree: Tree, fallback: string | undefined): string | undefined {
  const path = fallback?.replace(/^\//, '');
  if (path === undefined || tree.files.some((file) => file.path === path)) return path;
  throw new SluiceError('ENOENT', `the fallback ${path} is not among the app's files`, { path });
}

async function pack<T>(pool: CompressPool, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } finally {
    await pool.close();
  }
}

type ModelOfFile = (file: TreeFile) => NodeModel;

function fileModels(
  packed: PackResult,
  writer: BlobWriter,
  attributes: ReadonlyMap<TreeFile, ResolvedAttributes>,
  typeOf: (file: TreeFile) => string,
): ModelOfFile {
  const extentsOf = new Map<Placement, Extent[]>();
  return (file) => {
    const { content, isUtf8 } = packed.files.get(file)!;
    const { digest, placement } = content;
    const extents = extentsOf.get(placement) ?? writer.extents(placement, file.size);
    extentsOf.set(placement, extents);
    const { mime: ownMime, headers, meta } = attributes.get(file)!;
    const type = typeOf(file);
    const mime = ownMime ?? (isTextType(type) && isUtf8 ? `${type};charset=utf-8` : type);
    const tag = new Uint8Array(digest.subarray(0, 8));
    const { name, size } = file;
    return { kind: 'file', name, size, tag, mime, headers, extents, ...(meta === undefined ? {} : { meta }) };
  };
}

function entryModels(directory: TreeDirectory, modelOf: ModelOfFile): NodeModel[] {
  return directory.entries.map((entry) =>
    entry.kind === 'file'
      ? modelOf(entry)
      : { kind: 'directory', name: entry.name, entries: entryModels(entry, modelOf) },
  );
}

/**
 * The runtime's files, and a boot page wherever the app has a page, so that deep links work on any static host; of a single-page app also where hosts look for
 * what they answer unknown paths with.
 */
function writePages(site: string, tree: Tree, runtime: RuntimeFiles, published: Published): void {
  for (const { path, bytes } of runtime.files) write(site, path, bytes);
  const pages = tree.files.filter((file) => /\.html?$/i.test(file.path));
  const put = (path: string, page: TreeFile | undefined): void =>
    write(site, path, bootPage(runtime.template, path, published, page && pageTitle(readHead(page))));
  for (const page of pages) put(page.path, page);
  const has = (path: string): boolean => pages.some((page) => page.path === path);
  if (!has('index.html')) put('index.html', undefined);
  const { fallback } = published;
  if (fallback !== undefined && !has(notFoundPage))
    put(
      notFoundPage,
      pages.find(({ path }) => path === fallback),
    );
}

function write(site: string, path: string, bytes: Uint8Array | string): void {
  const target = join(site, path);
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  } catch (error) {
    throw fromNodeError(error, 'write', target);
  }
}
