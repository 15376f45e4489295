import type { BlobRecord } from '../../../../src/format/blob-record.ts';
import { BlockTable, blockTableLength, encodeBlockTable } from '../../../../src/format/block-table.ts';
import { hex, sha256 } from '../../../../src/format/sha256.ts';
import { seededRandom } from '../../../support/random.ts';
import { fuzzTarget, must, refusal, shown } from '../fuzz-target.ts';

type Table = Pick<BlobRecord, 'length' | 'blockCount'> & { readonly bytes: Uint8Array<ArrayBuffer> };

/** The block table at the head of a blob, with the digest that its bytes have: what it says is used at every index. */
export const blockTable = fuzzTarget<Table>({
  name: 'block table',
  maxArrayBytes: 64 * 1024,
  async seeds() {
    const random = seededRandom(3);
    return [0, 1, 3, 20].map((blockCount): Table => {
      const blocks = Array.from({ length: blockCount }, (_, i) => {
        const logicalLength = 1 + Math.floor(random() * 70_000);
        const codec = i % 3;
        const storedLength = codec === 0 ? logicalLength : Math.max(1, logicalLength >> 1);
        return {
          storedLength,
          logicalLength: Math.max(2, logicalLength),
          codec,
          sha256: new Uint8Array(32).fill(i),
        };
      }).map((block) => (block.codec === 0 ? { ...block, storedLength: block.logicalLength } : block));
      const bytes = encodeBlockTable(blocks);
      const length = blocks.reduce((sum, { storedLength }) => sum + storedLength, bytes.length);
      return { bytes, length, blockCount };
    });
  },
  mutate({ bytes, length, blockCount }, mutator) {
    const damaged = mutator.random() < 0.9 ? mutator.bytes(bytes) : bytes;
    const fits = (damaged.length - blockTableLength(0)) / 40;
    return {
      bytes: damaged,
      length: mutator.random() < 0.1 ? mutator.number() : length,
      blockCount:
        mutator.random() < 0.1 ? mutator.number() : Number.isInteger(fits) && fits >= 0 ? fits : blockCount,
    };
  },
  async run({ bytes, length, blockCount }) {
    const record = {
      sha256: '0'.repeat(64),
      tableSha256: hex(await sha256(bytes)),
      length,
      tableLength: bytes.length,
      blockCount,
    };
    try {
      const table = await BlockTable.open(bytes, record);
      let at = bytes.length;
      for (let i = 0; i < table.count; i++) {
        const { start, end } = table.stored(i);
        const sound =
          start === at && end > start && table.logicalLength(i) <= 2 ** 20 && table.digest(i).length === 32;
        must(
          sound && table.blockAt(start) === i && table.blockAt(end - 1) === i,
          () => `block ${i} lies in its blob`,
        );
        at = end;
      }
      must(
        at === length && table.blockAt(length) === table.count,
        () => 'the blocks end where the blob does',
      );
      return `${table.count} blocks`;
    } catch (error) {
      return refusal(error);
    }
  },
  show: shown,
});
