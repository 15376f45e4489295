import { decompressBlock } from 'lz4js';

/**
 * One raw lz4 block; undefined where it does not decode to exactly `logicalLength` bytes. Safe on any input: lz4js reads and writes by
 * index in the two arrays given to it, so what lies outside reads as nothing and is written nowhere, but counted.
 */
export function decodeLz4(stored: Uint8Array, logicalLength: number): Uint8Array<ArrayBuffer> | undefined {
  const logical = new Uint8Array(logicalLength);
  const end = decompressBlock(stored, logical, 0, stored.length, 0);
  return end === logicalLength ? logical : undefined;
}
