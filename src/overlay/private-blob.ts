import type { BlobRecord } from '../format/blob-record.ts';
import type { NewNode } from './change.ts';

type NewFile = NewNode & { readonly kind: 'file' };

/** The record of the blob that holds a file made at run time. */
export function privateBlob({
  blob,
  size,
  blockSize,
}: Pick<NewFile, 'blob' | 'size' | 'blockSize'>): BlobRecord {
  const blockCount = Math.ceil(size / blockSize);
  return { sha256: blob, tableSha256: '', length: size, tableLength: 0, blockCount, blockSize };
}
