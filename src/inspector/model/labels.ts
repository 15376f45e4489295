import { formatRate } from '../../format/quantity.ts';

/** What the panel calls things. */

/** The begin of a digest, which tells it from others. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 10);
}

/** `12:345` is block 345 of blob 12; a blob's table has no number of a block. */
export function formatBlock(blob: number, block: number): string {
  return block < 0 ? `${blob}:table` : `${blob}:${block}`;
}

/** The link's measured rate; 0 is not known yet. */
export function linkRate(bytesPerSecond: number): string {
  return bytesPerSecond === 0 ? 'not known yet' : formatRate(bytesPerSecond);
}
