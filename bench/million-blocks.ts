import { createHash } from 'node:crypto';
import type { BlobRecord } from '../src/format/blob-record.ts';
import { blockTableLength } from '../src/format/block-table.ts';
import { encodeBootstrap, type FileModel } from '../src/image/encode-bootstrap.ts';

export const blockCount = 2 ** 20;
const perBlob = 2048;
const perFile = 1024;
const shift = 12;

/** The bootstrap of an image of a million blocks of 4 KiB, in 512 blobs and 1024 files. There are no blobs to it. */
export function millionBlocks(): Uint8Array<ArrayBuffer> {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const tableLength = blockTableLength(perBlob);
  const length = tableLength + perBlob * 2 ** shift;
  const blobs = Array.from(
    { length: blockCount / perBlob },
    (_, i): BlobRecord => ({
      sha256: digest(`blob ${i}`),
      tableSha256: digest(`table ${i}`),
      length,
      tableLength,
      blockCount: perBlob,
    }),
  );
  const files = Array.from({ length: blockCount / perFile }, (_, i): FileModel => {
    const first = i * perFile;
    const block = first % perBlob;
    const size = perFile * 2 ** shift;
    const place = { blob: Math.floor(first / perBlob), block, blockOffset: 0, shift };
    const stored = { storedOffset: tableLength + block * 2 ** shift, storedLength: size };
    return {
      kind: 'file',
      name: `part-${String(i).padStart(4, '0')}.dat`,
      size,
      tag: new Uint8Array(8),
      extents: [{ fileOffset: 0, length: size, ...place, ...stored }],
    };
  });
  const root = [{ kind: 'directory', name: 'data', entries: files } as const];
  return encodeBootstrap({ root, blobs, codecs: ['raw'] }, (body) => body);
}
