import { decodeBlock } from '../../../../src/codec/decode-block.ts';
import { blockEncoder } from '../../../../src/codec/encode-block.ts';
import { codecId } from '../../../../src/format/codec-id.ts';
import { utf8Encode } from '../../../../src/format/utf8.ts';
import { zstdInNode } from '../../../../src/pack/zstd-in-node.ts';
import { noise } from '../../../support/random.ts';
import { type FuzzTarget, fuzzTarget, must, refusal, shown } from '../fuzz-target.ts';
import { joined } from '../mutator.ts';

interface Block {
  readonly stored: Uint8Array<ArrayBuffer>;
  readonly logicalLength: number;
}

/** The decoder of a codec, behind the digest: what a hostile or broken build may have published. */
function blocks(codec: 'lz4' | 'zstd'): FuzzTarget {
  return fuzzTarget<Block>({
    name: `${codec} blocks`,
    // A decoded block, and the decoder's own memory.
    maxArrayBytes: 2 ** 20,
    async seeds() {
      const encode = await blockEncoder(codec, 3);
      const words = utf8Encode('a lazy filesystem for the web, a lazy file system for the web; '.repeat(9));
      return [
        words,
        new Uint8Array(3000),
        joined(noise(4, 200), words, noise(4, 200)),
        words.slice(0, 70),
      ].map((logical) => ({ stored: encode(logical).stored, logicalLength: logical.length }));
    },
    mutate: ({ stored, logicalLength }, mutator) => ({
      stored: mutator.bytes(stored),
      logicalLength: mutator.random() < 0.1 ? 1 + mutator.below(2 ** mutator.below(17)) : logicalLength,
    }),
    async run({ stored, logicalLength }) {
      try {
        const logical = await decodeBlock(codecId[codec], stored, logicalLength, zstdInNode);
        must(logical.length === logicalLength, () => 'a block has the length that its table says');
        return `decoded ${logical[0]} ${Math.min(stored.length, 40)}`;
      } catch (error) {
        return refusal(error);
      }
    },
    show: shown,
  });
}

export const lz4Blocks = blocks('lz4');
export const zstdBlocks = blocks('zstd');
