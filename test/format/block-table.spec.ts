import { expect, test } from '@playwright/test';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import {
  BlockTable,
  blockTableLength,
  encodeBlockTable,
  type StoredBlock,
  verifyBlock,
} from '../../src/format/block-table.ts';
import { codecId } from '../../src/format/codec-id.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { noise, seededRandom } from '../support/random.ts';

async function makeTable(seed: number, count: number) {
  const random = seededRandom(seed);
  const blocks: StoredBlock[] = [];
  const stored: Uint8Array<ArrayBuffer>[] = [];
  for (let i = 0; i < count; i++) {
    const codec = Math.floor(random() * 3);
    const storedLength = 1 + Math.floor(random() * 2000);
    const logicalLength =
      codec === codecId.raw ? storedLength : storedLength + 1 + Math.floor(random() * 100_000);
    const bytes = noise(i, storedLength);
    stored.push(bytes);
    blocks.push({ storedLength, logicalLength, codec, sha256: await sha256(bytes) });
  }
  const bytes = encodeBlockTable(blocks);
  return { blocks, stored, bytes, record: await recordFor(bytes, blocks) };
}

async function recordFor(bytes: Uint8Array, blocks: readonly StoredBlock[]): Promise<BlobRecord> {
  return {
    sha256: '0'.repeat(64),
    tableSha256: hex(await sha256(bytes)),
    length: blocks.reduce((sum, block) => sum + block.storedLength, bytes.length),
    tableLength: bytes.length,
    blockCount: blocks.length,
  };
}

test('a block table tells where each block lies and what it must be', async () => {
  const { blocks, stored, bytes, record } = await makeTable(1, 100);
  expect(bytes.length).toBe(blockTableLength(100));
  const table = await BlockTable.open(bytes, record);
  expect(table.count).toBe(100);
  expect(table.logicalBytes).toBe(blocks.reduce((sum, block) => sum + block.logicalLength, 0));
  let start = bytes.length;
  for (const [i, block] of blocks.entries()) {
    const end = start + block.storedLength;
    expect(table.stored(i)).toEqual({ start, end });
    expect(table.logicalLength(i)).toBe(block.logicalLength);
    expect(table.codec(i)).toBe(block.codec);
    expect(table.digest(i)).toEqual(block.sha256);
    expect([table.blockAt(start), table.blockAt(end - 1)]).toEqual([i, i]);
    start = end;
  }
  expect(table.blockAt(start)).toBe(100);
  expect([table.blockAt(0), table.blockAt(bytes.length - 1)]).toEqual([-1, -1]);

  expect(await verifyBlock(table, 7, stored[7]!)).toBe(true);
  expect(await verifyBlock(table, 8, stored[7]!)).toBe(false);
  expect(await verifyBlock(table, 7, stored[7]!.subarray(1))).toBe(false);
  expect(await verifyBlock(table, 7, new Uint8Array(0))).toBe(false);
  for (const i of [-1, 100, 0.5, Number.NaN]) {
    expect(() => table.stored(i)).toThrow(expect.objectContaining({ code: 'ERANGE' }));
  }
});

test('a table of no blocks is a table', async () => {
  const bytes = encodeBlockTable([]);
  const table = await BlockTable.open(bytes, await recordFor(bytes, []));
  expect([table.count, table.logicalBytes, table.blockAt(16)]).toEqual([0, 0, 0]);
});

test('bytes that are not those of the digest are refused', async () => {
  const { bytes, record } = await makeTable(2, 5);
  const flipped = bytes.with(50, bytes[50]! ^ 1) as Uint8Array<ArrayBuffer>;
  for (const other of [flipped, bytes.subarray(1), new Uint8Array(0)]) {
    await expect(BlockTable.open(other, record)).rejects.toMatchObject({ code: 'integrity' });
  }
});

test('a table that was published wrong says how', async () => {
  const { blocks, bytes } = await makeTable(3, 4);
  const expectWrong = async (
    change: (view: DataView<ArrayBuffer>) => void,
    code: string,
    message: RegExp,
    record = {},
  ) => {
    const wrong = bytes.slice();
    change(new DataView(wrong.buffer));
    const opening = BlockTable.open(wrong, { ...(await recordFor(wrong, blocks)), ...record });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  };
  const entry = (i: number) => blockTableLength(i);
  const nothing = (): void => {};
  await expectWrong((view) => view.setUint8(0, 0), 'corrupt-image', /magic/);
  await expectWrong((view) => view.setUint32(4, 5, true), 'corrupt-image', /count differs/);
  await expectWrong(nothing, 'corrupt-image', /count of blocks/, { blockCount: 5 });
  await expectWrong(nothing, 'corrupt-image', /where the blob ends/, { length: 99_999 });
  await expectWrong((view) => view.setUint32(8, 1, true), 'corrupt-image', /logical bytes is wrong/);
  await expectWrong((view) => view.setUint8(entry(2) + 7, 3), 'unsupported-image', /unknown codec 3/);
  await expectWrong((view) => view.setUint32(entry(2) + 4, 0, true), 'corrupt-image', /logical length of 0/);
  await expectWrong(
    (view) => view.setUint32(entry(2) + 4, 2 ** 20 + 1, true),
    'corrupt-image',
    /logical length/,
  );
  await expectWrong((view) => view.setUint32(entry(1), 0, true), 'corrupt-image', /block 1/);
  await expectWrong(
    (view) => view.setUint32(entry(0), bytes.length, true),
    'corrupt-image',
    /no stored bytes/,
  );
});

test('tables damaged behind their digest never do worse than an error', async () => {
  const { blocks, bytes } = await makeTable(4, 20);
  const random = seededRandom(5);
  const ends = { opened: 0, refused: 0 };
  for (let i = 0; i < 2000; i++) {
    const hostile = bytes.slice();
    for (let flips = 1 + random() * 3; flips > 0; flips--) {
      hostile[Math.floor(random() * hostile.length)] = random() < 0.5 ? 0 : random() * 256;
    }
    try {
      const table = await BlockTable.open(hostile, await recordFor(hostile, blocks));
      for (let block = 0; block < table.count; block++) table.blockAt(table.stored(block).start);
      ends.opened++;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      ends.refused++;
    }
  }
  expect(Math.min(ends.opened, ends.refused)).toBeGreaterThan(100);
});

test('blocks that the format does not allow are not encoded', () => {
  const digest = new Uint8Array(32);
  const wrong = [
    { storedLength: 0, logicalLength: 0, codec: codecId.raw },
    { storedLength: 10, logicalLength: 11, codec: codecId.raw },
    { storedLength: 10, logicalLength: 10, codec: codecId.zstd },
    { storedLength: 10, logicalLength: 2 ** 20 + 1, codec: codecId.lz4 },
  ];
  for (const block of wrong) {
    expect(() => encodeBlockTable([{ ...block, sha256: digest }])).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
  }
});
