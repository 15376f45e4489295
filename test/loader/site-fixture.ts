import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { encodeBlockTable, type StoredBlock } from '../../src/format/block-table.ts';
import { codecId } from '../../src/format/codec-id.ts';
import type { Extent } from '../../src/format/extent.ts';
import { formatRelease } from '../../src/format/release.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { encodeBootstrap, type FileModel } from '../../src/image/encode-bootstrap.ts';
import type { LaunchSet } from '../../src/image/image.ts';
import { noise } from '../support/random.ts';

export interface FixtureFile {
  readonly name: string;
  readonly size: number;
  /** log2 of the block's length, 12 to 20. */
  readonly shift: number;
}

export interface Fixture {
  readonly image: string;
  readonly bootstrap: Uint8Array<ArrayBuffer>;
  readonly blobs: readonly { readonly record: BlobRecord; readonly bytes: Uint8Array<ArrayBuffer> }[];
  /** The files' contents, by name. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Puts bootstrap, blobs and release pointer there. */
  write(directory: string): Promise<void>;
}

/**
 * A published image of noise in raw blocks, so that stored and logical bytes are the same. Files lie in the order given, each in
 * blocks of its own; no blob has more than `blobBytes` of blocks (at least one block each), the first perhaps fewer. The first `launchFiles` files are
 * the launch set.
 */
export async function makeSite(
  files: readonly FixtureFile[],
  blobBytes: number,
  seed = 1,
  { launchFiles = 0, firstBlobBytes = blobBytes } = {},
): Promise<Fixture> {
  const contents = new Map(files.map(({ name, size }, i) => [name, noise(seed * 1000 + i, size)]));
  interface Blob {
    readonly parts: Uint8Array[];
    readonly blocks: StoredBlock[];
    bytes: number;
  }
  const blobs: Blob[] = [];
  /** Extents with storedOffset counted from the end of the table, whose length is not known yet. */
  const extentsOf = new Map<string, Extent[]>();
  let launchSet: LaunchSet | undefined;
  for (const [i, { name, shift }] of files.entries()) {
    const content = contents.get(name)!;
    const extents: Extent[] = [];
    for (let at = 0; at < content.length; ) {
      const block = content.subarray(at, at + 2 ** shift);
      let blob = blobs.at(-1);
      const limit = blobs.length === 1 ? firstBlobBytes : blobBytes;
      if (!blob || (blob.bytes > 0 && blob.bytes + block.length > limit)) {
        blob = { parts: [], blocks: [], bytes: 0 };
        blobs.push(blob);
      }
      const index = blobs.length - 1;
      const last = extents.at(-1);
      if (last?.blob === index) {
        extents[extents.length - 1] = {
          ...last,
          length: last.length + block.length,
          storedLength: last.storedLength + block.length,
        };
      } else {
        extents.push({
          fileOffset: at,
          length: block.length,
          blob: index,
          block: blob.blocks.length,
          shift,
          blockOffset: 0,
          storedOffset: blob.bytes,
          storedLength: block.length,
        });
      }
      blob.blocks.push({
        storedLength: block.length,
        logicalLength: block.length,
        codec: codecId.raw,
        sha256: await sha256(block),
      });
      blob.parts.push(block);
      blob.bytes += block.length;
      at += block.length;
    }
    extentsOf.set(name, extents);
    if (i + 1 !== launchFiles) continue;
    const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
    launchSet = { blob: blobs.length - 1, block: blobs.at(-1)!.blocks.length, bytes };
  }

  const published = await Promise.all(
    blobs.map(async ({ parts, blocks }) => {
      const table = encodeBlockTable(blocks);
      const bytes = new Uint8Array(Buffer.concat([table, ...parts]));
      const record: BlobRecord = {
        sha256: hex(await sha256(bytes)),
        tableSha256: hex(await sha256(table)),
        length: bytes.length,
        tableLength: table.length,
        blockCount: blocks.length,
      };
      return { record, bytes };
    }),
  );
  const root: FileModel[] = await Promise.all(
    files.map(async ({ name, size }) => ({
      kind: 'file' as const,
      name,
      size,
      tag: (await sha256(contents.get(name)!)).slice(0, 8),
      mime: 'application/octet-stream',
      extents: extentsOf.get(name)!.map((extent) => ({
        ...extent,
        storedOffset: extent.storedOffset + published[extent.blob]!.record.tableLength,
      })),
    })),
  );
  const bootstrap = encodeBootstrap(
    { root, blobs: published.map(({ record }) => record), codecs: ['raw'], ...(launchSet && { launchSet }) },
    (body) => body,
  );
  const image = hex(await sha256(bootstrap));
  return {
    image,
    bootstrap,
    blobs: published,
    files: contents,
    write: async (directory) => {
      await writeFile(join(directory, `${image}.bin`), bootstrap);
      for (const { record, bytes } of published)
        await writeFile(join(directory, `${record.sha256}.bin`), bytes);
      await writeFile(join(directory, 'sluice.json'), formatRelease({ image, bytes: bootstrap.length }));
    },
  };
}
