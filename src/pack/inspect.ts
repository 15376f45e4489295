import { codecNames } from '../format/codec-id.ts';
import type { Superblock } from '../format/superblock.ts';
import type { Image, LaunchSet } from '../image/image.ts';
import { readImage, readRelease, readTable } from './site-reader.ts';

/** What an image consists of. All sizes in bytes. */
export interface Inspection {
  /** SHA-256 of the bootstrap. */
  readonly image: string;
  readonly bootstrapBytes: number;
  readonly superblock: Superblock;
  readonly crossOriginIsolate: boolean;
  /** Path of the file that answers unknown navigations. */
  readonly fallback: string | undefined;
  readonly files: number;
  readonly directories: number;
  readonly logicalBytes: number;
  readonly storedBytes: number;
  /** storedBytes / logicalBytes; 0 for an app without bytes. */
  readonly ratio: number;
  /** Bytes of files that are not stored again, because an equal file or block is. */
  readonly duplicateBytes: number;
  readonly blobs: number;
  readonly blocks: number;
  readonly codecs: Readonly<Record<string, BlockCount>>;
  /** By logical length: key 65536 counts the blocks in (32768, 65536]. */
  readonly blockSizes: Readonly<Record<string, number>>;
  /** What a recorded launch needs, in front of the blobs; nothing where the build was given no trace that fits. */
  readonly launchSet: LaunchSetSize;
}

export interface LaunchSetSize {
  /** Files that have any bytes in it, whether a launch reads those or they share a block with what it reads. */
  readonly files: number;
  readonly blocks: number;
  /** Stored bytes, block tables not counted. */
  readonly bytes: number;
}

export interface BlockCount {
  blocks: number;
  logicalBytes: number;
  storedBytes: number;
}

/** Reads bootstrap and block tables, no blocks. Throws SluiceError where they cannot be read or are damaged. */
export async function inspect(site: string): Promise<Inspection> {
  const release = readRelease(site);
  const image = await readImage(site, release);
  const codecs: Record<string, BlockCount> = {};
  const sizes = new Map<number, number>();
  let blocks = 0;
  let unique = 0;
  for (let i = 0; i < image.blobCount; i++) {
    const record = image.blob(i);
    const table = await readTable(site, record);
    unique += table.logicalBytes;
    blocks += table.count;
    for (let block = 0; block < table.count; block++) {
      const { start, end } = table.stored(block);
      const length = table.logicalLength(block);
      const name = codecNames[table.codec(block)]!;
      codecs[name] ??= { blocks: 0, logicalBytes: 0, storedBytes: 0 };
      codecs[name].blocks++;
      codecs[name].logicalBytes += length;
      codecs[name].storedBytes += end - start;
      const size = 2 ** Math.ceil(Math.log2(length));
      sizes.set(size, (sizes.get(size) ?? 0) + 1);
    }
  }
  const files = [...image.files()].length;
  const { logicalBytes, storedBytes } = image.superblock;
  return {
    image: image.id,
    bootstrapBytes: release.bytes,
    superblock: image.superblock,
    crossOriginIsolate: image.crossOriginIsolate,
    fallback: image.fallback === undefined ? undefined : image.pathOf(image.fallback),
    files,
    directories: image.inodeCount - files - 1,
    logicalBytes,
    storedBytes,
    ratio: logicalBytes === 0 ? 0 : storedBytes / logicalBytes,
    duplicateBytes: logicalBytes - unique,
    blobs: image.blobCount,
    blocks,
    codecs,
    blockSizes: Object.fromEntries([...sizes].sort(([a], [b]) => a - b)),
    launchSet: launchSetSize(image),
  };
}

function launchSetSize(image: Image): LaunchSetSize {
  const { launchSet } = image;
  if (launchSet === undefined) return { files: 0, blocks: 0, bytes: 0 };
  let blocks = launchSet.block;
  for (let i = 0; i < launchSet.blob; i++) blocks += image.blob(i).blockCount;
  const files = [...image.files()].filter(({ inode }) => touches(image, inode, launchSet));
  return { files: files.length, blocks, bytes: launchSet.bytes };
}

function touches(image: Image, inode: number, { blob, block }: LaunchSet): boolean {
  for (const span of image.mapExtents(inode, 0, image.inode(inode).size)) {
    if (span.blob < blob || (span.blob === blob && span.firstBlock < block)) return true;
  }
  return false;
}
