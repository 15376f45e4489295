import { blockEncoder } from '../../src/codec/encode-block.ts';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { encodeBlockTable } from '../../src/format/block-table.ts';
import type { CodecName } from '../../src/format/codec-id.ts';
import type { Extent } from '../../src/format/extent.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { encodeBootstrap, type NodeModel } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import type { BlockSource, Chunk, RangeRequest } from '../../src/protocol/block-source.ts';

export interface SmallFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mime?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

export interface SmallImageOptions {
  /** Default raw. */
  readonly codec?: CodecName;
  /** log2 of the block length; default 12. */
  readonly shift?: number;
  readonly blocksPerBlob?: number;
  readonly crossOriginIsolate?: boolean;
  readonly fallback?: string;
}

/** An image in memory: every file has blocks of its own, in the order given, and a blob after every few blocks. */
export interface SmallImage {
  readonly image: Image;
  readonly bootstrap: Uint8Array<ArrayBuffer>;
  /** Published blobs, in order. */
  readonly blobs: readonly { readonly record: BlobRecord; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

interface Stored {
  readonly codec: number;
  readonly stored: Uint8Array<ArrayBuffer>;
  readonly logicalLength: number;
}

export async function smallImage(
  files: Readonly<Record<string, SmallFile>>,
  options: SmallImageOptions = {},
): Promise<SmallImage> {
  const { codec = 'raw', shift = 12, blocksPerBlob = 8 } = options;
  const encode = await blockEncoder(codec, 3);
  const blobs: Stored[][] = [];
  const root: Folder = { entries: new Map() };
  for (const [path, file] of Object.entries(files)) {
    const extents: Omit<Extent, 'storedOffset' | 'storedLength'>[] = [];
    for (let at = 0; at < file.bytes.length; at += 2 ** shift) {
      const logical = file.bytes.slice(at, at + 2 ** shift);
      if (!blobs.at(-1) || blobs.at(-1)!.length === blocksPerBlob) blobs.push([]);
      const last = blobs.at(-1)!;
      const { codec, stored } = encode(logical);
      last.push({ codec, stored, logicalLength: logical.length });
      const [blob, block] = [blobs.length - 1, last.length - 1];
      extents.push({ fileOffset: at, length: logical.length, blob, block, blockOffset: 0, shift });
    }
    const names = path.split('/');
    const name = names.pop()!;
    let folder = root;
    for (const part of names) {
      const next = (folder.entries.get(part) as Folder | undefined) ?? { entries: new Map() };
      folder.entries.set(part, next);
      folder = next;
    }
    folder.entries.set(name, { file, extents });
  }
  const published = await Promise.all(blobs.map(publish));
  const model = {
    root: await nodes(root, published),
    blobs: published.map(({ record }) => record),
    codecs: [codec],
    ...(options.crossOriginIsolate ? { crossOriginIsolate: true } : {}),
    ...(options.fallback ? { fallback: options.fallback } : {}),
  };
  const bootstrap = encodeBootstrap(model, (body) => body);
  return { bootstrap, blobs: published, image: await Image.open(bootstrap) };
}

interface Leaf {
  readonly file: SmallFile;
  readonly extents: readonly Omit<Extent, 'storedOffset' | 'storedLength'>[];
}
interface Folder {
  readonly entries: Map<string, Leaf | Folder>;
}
type Published = Awaited<ReturnType<typeof publish>>;

async function publish(blocks: readonly Stored[]) {
  const table = encodeBlockTable(
    await Promise.all(
      blocks.map(async ({ codec, stored, logicalLength }) => ({
        storedLength: stored.length,
        logicalLength,
        codec,
        sha256: await sha256(stored),
      })),
    ),
  );
  const ends: number[] = [];
  let end = table.length;
  for (const { stored } of blocks) {
    end += stored.length;
    ends.push(end);
  }
  const bytes = new Uint8Array(await new Blob([table, ...blocks.map(({ stored }) => stored)]).arrayBuffer());
  const record = {
    sha256: hex(await sha256(bytes)),
    tableSha256: hex(await sha256(table)),
    length: bytes.length,
    tableLength: table.length,
    blockCount: blocks.length,
  };
  return { record, bytes, starts: [table.length, ...ends] };
}

async function nodes(folder: Folder, blobs: readonly Published[]): Promise<NodeModel[]> {
  return Promise.all(
    [...folder.entries].map(async ([name, entry]): Promise<NodeModel> => {
      if ('entries' in entry) return { kind: 'directory', name, entries: await nodes(entry, blobs) };
      const { file, extents } = entry;
      return {
        kind: 'file',
        name,
        size: file.bytes.length,
        tag: (await sha256(file.bytes)).slice(0, 8),
        ...(file.mime ? { mime: file.mime } : {}),
        ...(file.headers ? { headers: file.headers } : {}),
        extents: extents.map((extent) => {
          const { starts } = blobs[extent.blob]!;
          const storedOffset = starts[extent.block]!;
          return { ...extent, storedOffset, storedLength: starts[extent.block + 1]! - storedOffset };
        }),
      };
    }),
  );
}

/** A source over published blobs that counts what is asked of it, and fails where the test says so. */
export class MemorySource implements BlockSource {
  wholeFiles = false;
  readonly requests: { readonly sha256: string; readonly start: number; readonly end: number }[] = [];
  /** Asked before each request; throws, or gives other bytes for a whole file. */
  hook:
    | ((request: RangeRequest, bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>)
    | undefined;
  readonly #files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

  constructor(image: SmallImage) {
    this.#files = new Map(image.blobs.map(({ record, bytes }) => [record.sha256, bytes]));
  }

  async *fetch(request: RangeRequest): AsyncGenerator<Chunk> {
    const { file, signal } = request;
    signal.throwIfAborted();
    this.requests.push({ sha256: file.sha256, start: request.start, end: request.end });
    let bytes = this.#files.get(file.sha256)!;
    if (this.hook) bytes = await this.hook(request, bytes);
    const [start, end] = this.wholeFiles ? [0, bytes.length] : [request.start, request.end];
    // Odd pieces, so that no block comes in one.
    for (let at = start; at < end; at += 1500) {
      signal.throwIfAborted();
      yield { offset: at, bytes: bytes.slice(at, Math.min(at + 1500, end)) };
    }
  }
}
