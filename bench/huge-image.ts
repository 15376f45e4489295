import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { BlobRecord } from '../src/format/blob-record.ts';
import { blockTableLength, encodeBlockTable } from '../src/format/block-table.ts';
import { codecId } from '../src/format/codec-id.ts';
import { encodeBootstrap, type FileModel, type NodeModel } from '../src/image/encode-bootstrap.ts';
import { noise } from '../test/support/random.ts';

export const fileCount = 100_000;
/** In the directory `many`; the others lie in directories of a thousand. */
export const manyCount = 10_000;
const directorySize = 1000;
/** Blobs hold what fits into 8 MiB, as `sluice build` makes them. */
const blobSize = 2 ** 23;

export interface HugeImage {
  readonly logicalBytes: number;
  readonly bootstrap: Uint8Array<ArrayBuffer>;
  /** The blob with the app's page. */
  readonly pageBlob: { readonly sha256: string; readonly bytes: Uint8Array<ArrayBuffer> };
  /** The names of all others, which have the same bytes. */
  readonly blobs: readonly string[];
  readonly filesPerBlob: number;
  readonly blobBytes: Uint8Array<ArrayBuffer>;
}

/** Paths of files that are not in `many`, evenly spread. */
export function somePaths(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    pathOf(manyCount + Math.floor((i * (fileCount - manyCount)) / count)),
  );
}

/**
 * An image of 100,000 files of `fileSize` bytes each, which are one raw block each. Its blobs differ in name only, so that 10 GB need 8 MiB: a block is
 * verified by its table and that by the bootstrap, the name of a blob is nobody's proof.
 */
export function hugeImage(fileSize: number): HugeImage {
  const block = noise(1, fileSize);
  const perBlob = Math.floor((blobSize - blockTableLength(0)) / (fileSize + 40));
  const blobBytes = blobOf(Array.from({ length: perBlob }, () => block));
  const shift = Math.max(12, Math.ceil(Math.log2(fileSize)));
  const page = new TextEncoder().encode('<!doctype html><title>huge</title>huge');
  const pageBytes = blobOf([page]);
  const tableLength = blockTableLength(perBlob);

  const records: BlobRecord[] = [recordOf(digest(pageBytes), pageBytes, 1)];
  const tableSha256 = digest(blobBytes.subarray(0, tableLength));
  for (let i = 0; i * perBlob < fileCount; i++) {
    const sha256 = createHash('sha256').update(`${fileSize} ${i}`).digest('hex');
    records.push({ sha256, tableSha256, length: blobBytes.length, tableLength, blockCount: perBlob });
  }
  const directories = new Map<string, NodeModel[]>();
  for (let n = 0; n < fileCount; n++) {
    const [directory, name] = pathOf(n).split('/') as [string, string];
    const at = n % perBlob;
    const extent = {
      fileOffset: 0,
      length: fileSize,
      blob: 1 + Math.floor(n / perBlob),
      block: at,
      shift,
      blockOffset: 0,
      storedOffset: tableLength + at * fileSize,
      storedLength: fileSize,
    };
    const file: FileModel = { kind: 'file', name, size: fileSize, tag: tagOf(n), extents: [extent] };
    const entries = directories.get(directory);
    if (entries) entries.push(file);
    else directories.set(directory, [file]);
  }
  return {
    ...encode(),
    pageBlob: { sha256: digest(pageBytes), bytes: pageBytes },
    filesPerBlob: perBlob,
    blobBytes,
  };

  function encode(): Pick<HugeImage, 'logicalBytes' | 'bootstrap' | 'blobs'> {
    const pageExtent = {
      fileOffset: 0,
      length: page.length,
      blob: 0,
      block: 0,
      shift: 12,
      blockOffset: 0,
      storedOffset: blockTableLength(1),
      storedLength: page.length,
    };
    const root: NodeModel[] = [...directories].map(([name, entries]) => ({
      kind: 'directory',
      name,
      entries,
    }));
    root.push({
      kind: 'file',
      name: 'index.html',
      size: page.length,
      tag: tagOf(-1),
      mime: 'text/html',
      extents: [pageExtent],
    });
    const bootstrap = encodeBootstrap(
      { root, blobs: records, codecs: ['raw'] },
      (body) => new Uint8Array(deflateRawSync(body)),
    );
    const blobs = records.slice(1).map(({ sha256 }) => sha256);
    return { logicalBytes: fileCount * fileSize + page.length, bootstrap, blobs };
  }
}

function pathOf(n: number): string {
  return n < manyCount ? `many/f${n}` : `d${Math.floor(n / directorySize)}/f${n}`;
}

function tagOf(n: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(`${n}`).digest().subarray(0, 8));
}

function blobOf(blocks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const digests = new Map<Uint8Array, Uint8Array<ArrayBuffer>>();
  const table = encodeBlockTable(
    blocks.map((bytes) => {
      const sha256 = digests.get(bytes) ?? new Uint8Array(createHash('sha256').update(bytes).digest());
      digests.set(bytes, sha256);
      return { storedLength: bytes.length, logicalLength: bytes.length, codec: codecId.raw, sha256 };
    }),
  );
  return new Uint8Array(Buffer.concat([table, ...blocks]));
}

function recordOf(sha256: string, bytes: Uint8Array, blockCount: number): BlobRecord {
  const tableLength = blockTableLength(blockCount);
  const tableSha256 = digest(bytes.subarray(0, tableLength));
  return { sha256, tableSha256, length: bytes.length, tableLength, blockCount };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
