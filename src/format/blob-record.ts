import { SluiceError } from './errors.ts';
import { bytes, layout, type RecordOf, u32, zero } from './layout.ts';
import { fromHex, hex } from './sha256.ts';

export const blobLayout = layout('blob', 80, {
  sha256: bytes(0, 32),
  tableSha256: bytes(32, 32),
  length: u32(64),
  tableLength: u32(68),
  blockCount: u32(72),
  reserved: zero(76, 4),
});

/** A blob: a published one, or the private one of a file that was made at run time. */
export interface BlobRecord {
  /** Of the whole blob, hex: its file is `<sha256>.bin`. A private blob's is a random name. */
  readonly sha256: string;
  /** Of the block table at its head, hex; '' where there is none. */
  readonly tableSha256: string;
  /** Bytes of the whole blob, table included. */
  readonly length: number;
  /** Bytes of the block table at its head. */
  readonly tableLength: number;
  readonly blockCount: number;
  /**
   * Of a private blob only, which has no table: its blocks are raw, each of so many bytes but the last. A power of two from 4 KiB
   * to 1 MiB.
   */
  readonly blockSize?: number;
}

export function toBlobLayoutRecord(blob: BlobRecord): RecordOf<typeof blobLayout> {
  return { ...blob, sha256: digest(blob.sha256), tableSha256: digest(blob.tableSha256) };
}

export function fromBlobLayoutRecord(record: RecordOf<typeof blobLayout>): BlobRecord {
  return { ...record, sha256: hex(record.sha256), tableSha256: hex(record.tableSha256) };
}

function digest(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(text);
  if (bytes === undefined) throw new SluiceError('EINVAL', `"${text}" is no digest in lower-case hex`);
  return bytes;
}
