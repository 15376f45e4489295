/** lz4js carries no types. Its encoder of blocks alone: it works on plain indices and never throws by itself. */
declare module 'lz4js' {
  /**
   * Encodes `src[start, start + length)` into `dst` from 0; returns how many bytes that took, 0 for nothing worth encoding.
   * `hashTable` has 65,536 entries, all 0 for every block.
   */
  export function compressBlock(
    src: Uint8Array,
    dst: Uint8Array,
    start: number,
    length: number,
    hashTable: Uint32Array,
  ): number;
  /** Most bytes that encoding `length` bytes may take. */
  export function compressBound(length: number): number;
}
