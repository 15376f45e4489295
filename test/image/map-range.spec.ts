import { expect, test } from '@playwright/test';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { blockTableLength } from '../../src/format/block-table.ts';
import type { Extent } from '../../src/format/extent.ts';
import { encodeBootstrap, type FileModel } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { spanBytes } from '../../src/image/map-range.ts';
import { seededRandom } from '../support/random.ts';
import { deflate } from './tiny-image.ts';

/** Per byte of a file: which blob, block, and offset in the block it lies in. */
interface Twin {
  readonly blob: Int32Array;
  readonly block: Int32Array;
  readonly offset: Int32Array;
}

interface Block {
  readonly logical: number;
  readonly stored: number;
}

/** Random files over random blobs: blocks of several sizes, blocks shared by small files, extents in several blobs. */
function randomLayout(seed: number) {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const blobs: Block[][] = [];
  const pending: {
    blob: number;
    block: number;
    count: number;
    shift: number;
    blockOffset: number;
    length: number;
  }[][] = [];
  const addRun = (logical: number, shift: number): { blob: number; block: number } => {
    if (blobs.length === 0 || random() < 0.2) blobs.push([]);
    const blob = blobs.length - 1;
    const block = blobs[blob]!.length;
    for (let left = logical; left > 0; left -= 2 ** shift) {
      const length = Math.min(left, 2 ** shift);
      blobs[blob]!.push({ logical: length, stored: random() < 0.3 ? length : 1 + below(length - 1) });
    }
    return { blob, block };
  };
  for (let files = 0; files < 60; files++) {
    const extents: (typeof pending)[number] = [];
    const shift = 12 + below(4);
    if (files % 3 === 0) {
      // Small files side by side in the blocks of one run.
      const lengths = Array.from({ length: 1 + below(6) }, () => 1 + below(3000));
      const place = addRun(
        lengths.reduce((a, b) => a + b),
        shift,
      );
      let at = 0;
      for (const length of lengths) {
        const block = place.block + Math.floor(at / 2 ** shift);
        const blockOffset = at % 2 ** shift;
        pending.push([
          {
            blob: place.blob,
            block,
            count: Math.ceil((blockOffset + length) / 2 ** shift),
            shift,
            blockOffset,
            length,
          },
        ]);
        at += length;
      }
      continue;
    }
    for (let runs = below(5); runs > 0; runs--) {
      // Whole blocks, ends that fall on a block's edge, and one byte over.
      const length = Math.max(1, (1 + below(4)) * 2 ** shift + [0, 0, 1, -1, below(2000)][below(5)]!);
      extents.push({
        ...addRun(length, shift),
        count: Math.ceil(length / 2 ** shift),
        shift,
        blockOffset: 0,
        length,
      });
    }
    pending.push(extents);
  }

  const ends = blobs.map((blocks) => {
    let end = blockTableLength(blocks.length);
    return blocks.map((block) => (end += block.stored));
  });
  const startOf = (blob: number, block: number): number =>
    block === 0 ? blockTableLength(blobs[blob]!.length) : ends[blob]![block - 1]!;
  const records: BlobRecord[] = blobs.map((blocks, i) => ({
    sha256: i.toString(16).padStart(64, '0'),
    tableSha256: 'f'.repeat(64),
    length: ends[i]!.at(-1)!,
    tableLength: blockTableLength(blocks.length),
    blockCount: blocks.length,
  }));
  const twins: Twin[] = [];
  const root = pending.map((runs, i): FileModel => {
    const size = runs.reduce((sum, run) => sum + run.length, 0);
    const twin: Twin = {
      blob: new Int32Array(size),
      block: new Int32Array(size),
      offset: new Int32Array(size),
    };
    let fileOffset = 0;
    const extents = runs.map(({ blob, block, count, shift, blockOffset, length }): Extent => {
      let inBlock = blockOffset;
      let current = block;
      for (let at = fileOffset; at < fileOffset + length; at++) {
        if (inBlock === blobs[blob]![current]!.logical) {
          current++;
          inBlock = 0;
        }
        twin.blob[at] = blob;
        twin.block[at] = current;
        twin.offset[at] = inBlock++;
      }
      const storedOffset = startOf(blob, block);
      const storedLength = ends[blob]![block + count - 1]! - storedOffset;
      const extent = { fileOffset, length, blob, block, shift, blockOffset, storedOffset, storedLength };
      fileOffset += length;
      return extent;
    });
    twins.push(twin);
    return { kind: 'file', name: `file-${i}`, size, tag: new Uint8Array(8), extents };
  });
  return { model: { root, blobs: records, codecs: [] }, twins, startOf, ends, random };
}

for (const seed of [1, 2, 3]) {
  test(`ranges against a flat array, seed ${seed}`, async () => {
    const { model, twins, startOf, ends, random } = randomLayout(seed);
    const image = await Image.open(encodeBootstrap(model, deflate));
    const wrong: string[] = [];
    let exact = 0;
    let bounded = 0;
    for (let round = 0; round < 4000; round++) {
      const file = Math.floor(random() * twins.length);
      const twin = twins[file]!;
      const size = twin.blob.length;
      const inode = image.lookup(`file-${file}`)!;
      const start = random() < 0.2 ? 0 : Math.floor(random() * (size + 10));
      const end =
        random() < 0.2 ? Number.POSITIVE_INFINITY : start + Math.floor(random() * (size + 10) * random());
      const what = `file ${file} of ${size} bytes, [${start}, ${end})`;

      let at = start;
      let blocks = '';
      for (const { blob, block, blockOffset, length, fileOffset } of image.mapRange(inode, start, end)) {
        if (fileOffset !== at || length <= 0) wrong.push(`${what}: gap at ${at}`);
        for (const probe of [0, length - 1]) {
          const right =
            twin.blob[at + probe] === blob &&
            twin.block[at + probe] === block &&
            twin.offset[at + probe] === blockOffset + probe;
          if (!right) wrong.push(`${what}: byte ${at + probe}`);
        }
        blocks += `${blob}:${block} `;
        at += length;
      }
      if (at !== Math.max(start, Math.min(end, size))) wrong.push(`${what}: ends at ${at}`);

      let extentBlocks = '';
      for (const span of image.mapExtents(inode, start, end)) {
        const { blob, firstBlock, blockCount, storedOffset, storedLength, storedExact } = span;
        for (let i = firstBlock; i < firstBlock + blockCount; i++) extentBlocks += `${blob}:${i} `;
        const low = startOf(blob, firstBlock);
        const high = ends[blob]![firstBlock + blockCount - 1]!;
        const holds = storedOffset <= low && high <= storedOffset + storedLength;
        if (!holds) wrong.push(`${what}: stored bytes outside of the bounds`);
        if (storedExact && (storedOffset !== low || storedOffset + storedLength !== high))
          wrong.push(`${what}: not exact`);
        if (storedExact) exact++;
        else bounded++;
      }
      if (blocks !== extentBlocks) wrong.push(`${what}: extents touch other blocks`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(Math.min(exact, bounded)).toBeGreaterThan(200);
  });
}

test('a file of more than 4 GiB', async () => {
  const tableLength = blockTableLength(8);
  const blob = (i: number): BlobRecord => ({
    sha256: i.toString(16).padStart(64, '0'),
    tableSha256: '0'.repeat(64),
    length: tableLength + 8 * 2 ** 20,
    tableLength,
    blockCount: 8,
  });
  const count = 700;
  const extents = Array.from({ length: count }, (_, i): Extent => {
    const place = {
      blob: i,
      block: 0,
      shift: 20,
      blockOffset: 0,
      storedOffset: tableLength,
      storedLength: 2 ** 23,
    };
    return { fileOffset: i * 2 ** 23, length: 2 ** 23, ...place };
  });
  const size = count * 2 ** 23;
  const root: FileModel[] = [{ kind: 'file', name: 'huge', size, tag: new Uint8Array(8), extents }];
  const blobs = Array.from({ length: count }, (_, i) => blob(i));
  const image = await Image.open(encodeBootstrap({ root, blobs, codecs: [] }, deflate));
  expect(image.inode(1).size).toBe(size);
  expect(image.superblock.logicalBytes).toBe(size);
  expect([...image.mapRange(1, 2 ** 32 - 1, 2 ** 32 + 1)]).toEqual([
    { blob: 511, block: 7, blockOffset: 2 ** 20 - 1, length: 1, fileOffset: 2 ** 32 - 1 },
    { blob: 512, block: 0, blockOffset: 0, length: 1, fileOffset: 2 ** 32 },
  ]);
  expect([...image.mapRange(1, size - 1, size + 1)]).toEqual([
    { blob: 699, block: 7, blockOffset: 2 ** 20 - 1, length: 1, fileOffset: size - 1 },
  ]);
  // Lazily: the first span of all 5,600 comes without the others.
  expect(image.mapRange(1, 0, size).next().value).toMatchObject({ blob: 0, block: 0, length: 2 ** 20 });
});

test('ranges that are none', async () => {
  const image = await Image.open(encodeBootstrap(randomLayout(4).model, deflate));
  expect(() => [...image.mapRange(0, 0, 1)]).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  for (const [start, end] of [
    [-1, 0],
    [1, 0],
    [0.5, 1],
    [Number.NaN, 1],
    [0, Number.NaN],
  ] as const) {
    expect(() => [...image.mapRange(1, start, end)], `${start}, ${end}`).toThrow(
      expect.objectContaining({ code: 'ERANGE' }),
    );
  }
});

test('a block that is shorter than the extents say is an error, never a byte too few', () => {
  const span = { blob: 0, block: 1, blockOffset: 2, length: 3, fileOffset: 0 };
  expect([...spanBytes(span, Uint8Array.of(1, 2, 3, 4, 5))]).toEqual([3, 4, 5]);
  expect(() => spanBytes(span, Uint8Array.of(1, 2, 3, 4))).toThrow(
    expect.objectContaining({ code: 'corrupt-image' }),
  );
});
