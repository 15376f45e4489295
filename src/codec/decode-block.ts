import { type CodecId, codecId } from '../format/codec-id.ts';
import { SluiceError } from '../format/errors.ts';
import { decodeLz4 } from './lz4-decoder.ts';
import type { StartZstd } from './zstd-decoder.ts';

/**
 * The logical bytes of a stored block that was verified before. A raw block is given back as it is, without a copy. `codec` is as the block
 * table says. The zstd decoder is asked for when a block needs it.
 *
 * Throws `integrity` where the block does not decode to exactly `logicalLength` bytes, `unsupported-image` for an unknown
 * codec, and what `zstd` throws.
 */
export async function decodeBlock(
  codec: number,
  stored: Uint8Array<ArrayBuffer>,
  logicalLength: number,
  zstd: StartZstd,
): Promise<Uint8Array<ArrayBuffer>> {
  const logical = await decode(codec as CodecId, stored, logicalLength, zstd);
  if (logical?.length !== logicalLength) {
    throw new SluiceError('integrity', `a stored block does not decode to its ${logicalLength} bytes`);
  }
  return logical;
}

async function decode(
  codec: CodecId,
  stored: Uint8Array<ArrayBuffer>,
  logicalLength: number,
  zstd: StartZstd,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  switch (codec) {
    case codecId.raw:
      return stored;
    case codecId.zstd:
      return (await zstd())(stored, logicalLength);
    case codecId.lz4:
      return decodeLz4(stored, logicalLength);
    default:
      throw new SluiceError('unsupported-image', `the codec ${codec satisfies never} is not known`);
  }
}
