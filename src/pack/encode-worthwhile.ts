import type { BlockEncoder, EncodedBlock } from '../codec/encode-block.ts';
import { codecId } from '../format/codec-id.ts';

/** A block must lose this share of its bytes, or it is stored raw: a raw block is answered from disk without decoding. */
const leastGain = 0.03;

/** Encodes where that is worth it. */
export function encodeWorthwhile(encode: BlockEncoder, logical: Uint8Array<ArrayBuffer>): EncodedBlock {
  const encoded = encode(logical);
  const worth = encoded.stored.length <= logical.length * (1 - leastGain);
  return worth ? encoded : { codec: codecId.raw, stored: logical };
}
