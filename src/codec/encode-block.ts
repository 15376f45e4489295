import { compress, isLoaded } from '@foxglove/wasm-zstd';
import { compressBlock, compressBound } from 'lz4js';
import { type CodecId, type CodecName, codecId } from '../format/codec-id.ts';

/** A block as it is stored. */
export interface EncodedBlock {
  /** raw where the encoder did not make it shorter. */
  readonly codec: CodecId;
  /** May be the logical bytes themselves, or share their buffer. */
  readonly stored: Uint8Array<ArrayBuffer>;
}

/** Encodes one block. The same bytes give the same result on every machine: no encoder of the platform's is used. */
export type BlockEncoder = (logical: Uint8Array<ArrayBuffer>) => EncodedBlock;

/** Build time only. `level` is zstd's, 1 to 22; the other codecs have none. */
export async function blockEncoder(codec: CodecName, level: number): Promise<BlockEncoder> {
  const encode = codec === 'zstd' ? await zstd(level) : codec === 'lz4' ? lz4() : () => undefined;
  return (logical) => {
    const stored = encode(logical);
    if (stored === undefined || stored.length >= logical.length)
      return { codec: codecId.raw, stored: logical };
    return { codec: codecId[codec], stored };
  };
}

async function zstd(level: number): Promise<(logical: Uint8Array) => Uint8Array<ArrayBuffer>> {
  await isLoaded;
  // The copy frees the result from Node's shared buffer pool.
  return (logical) => new Uint8Array(compress(logical, level));
}

function lz4(): (logical: Uint8Array) => Uint8Array<ArrayBuffer> | undefined {
  const hashTable = new Uint32Array(65536);
  return (logical) => {
    hashTable.fill(0);
    const stored = new Uint8Array(compressBound(logical.length));
    const length = compressBlock(logical, stored, 0, logical.length, hashTable);
    // 0: there was no match at all.
    return length === 0 ? undefined : stored.slice(0, length);
  };
}
