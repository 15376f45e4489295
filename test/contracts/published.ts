import { hex, sha256 } from '../../src/format/sha256.ts';
import type { BlobDescription } from '../../src/store/journal.ts';
import { noise, seededRandom } from '../support/random.ts';

/** A blob as it is published, seen from the store: bytes with a table and blocks at known places. */
export interface PublishedBlob {
  readonly description: BlobDescription;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Half-open, in stored bytes. */
  readonly blocks: readonly { readonly start: number; readonly end: number }[];
}

/** A blob of noise with `blockCount` blocks of 1 to `maxBlock` bytes; the same for the same seed. */
export async function publishedBlob(
  seed: number,
  blockCount: number,
  maxBlock = 100,
): Promise<PublishedBlob> {
  const random = seededRandom(seed);
  const tableLength = 16 + 40 * blockCount;
  const blocks: { start: number; end: number }[] = [];
  let end = tableLength;
  for (let block = 0; block < blockCount; block++) {
    const start = end;
    end += 1 + Math.floor(random() * maxBlock);
    blocks.push({ start, end });
  }
  const bytes = noise(seed, end);
  return {
    description: { sha256: hex(await sha256(bytes)), length: end, tableLength, blockCount },
    bytes,
    blocks,
  };
}

export function tableOf(blob: PublishedBlob): Uint8Array<ArrayBuffer> {
  return blob.bytes.subarray(0, blob.description.tableLength);
}

export function blockOf(blob: PublishedBlob, block: number): Uint8Array<ArrayBuffer> {
  const { start, end } = blob.blocks[block]!;
  return blob.bytes.subarray(start, end);
}

/** A stand-in for a bootstrap: the store only keeps its bytes. */
export async function publishedImage(
  seed: number,
  length: number,
): Promise<{ id: string; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = noise(seed, length);
  return { id: hex(await sha256(bytes)), bytes };
}
