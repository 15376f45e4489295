import { blockTableLength } from '../../src/format/block-table.ts';
import type { Extent } from '../../src/format/extent.ts';
import { type BootstrapModel, encodeBootstrap, type FileModel } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { seededRandom } from '../support/random.ts';

/** A file's bytes in one block: what a reverse map must tell, by the arithmetic of the test. */
export interface FlatOwner {
  readonly path: string;
  readonly fileStart: number;
  readonly fileEnd: number;
  readonly blockOffset: number;
}

/** An image whose files share blocks at random, whole lists of extents and parts of blocks, and for each block its owners as a flat array. */
export async function randomSharing(
  seed: number,
): Promise<{ readonly image: Image; readonly flat: readonly (readonly FlatOwner[])[][] }> {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const shifts = Array.from({ length: 1 + below(4) }, () => 12 + below(3));
  const blobs = shifts.map((shift, i) => {
    const blockCount = 1 + below(12);
    const tableLength = blockTableLength(blockCount);
    const length = tableLength + blockCount * 2 ** shift;
    const sha256 = i.toString(16).padStart(64, '0');
    return { sha256, tableSha256: sha256, length, tableLength, blockCount };
  });
  const flat: FlatOwner[][][] = blobs.map(({ blockCount }) => Array.from({ length: blockCount }, () => []));
  const lists: Extent[][] = [];
  const files: FileModel[] = [];
  for (let n = 0; n < 40; n++) {
    const name = `f${n}`;
    const extents = lists.length > 0 && random() < 0.3 ? lists[below(lists.length)]! : randomExtents();
    lists.push(extents);
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    files.push({ kind: 'file', name, size, tag: new Uint8Array(8), extents });
    for (const { blob, block, shift, blockOffset, fileOffset, length } of extents) {
      for (let at = 0; at < length; ) {
        const into = blockOffset + at;
        const index = Math.floor(into / 2 ** shift);
        const inBlock = into - index * 2 ** shift;
        const end = Math.min(length, at + 2 ** shift - inBlock);
        const range = { fileStart: fileOffset + at, fileEnd: fileOffset + end };
        flat[blob]![block + index]!.push({ path: `dir/${name}`, ...range, blockOffset: inBlock });
        at = end;
      }
    }
  }
  const model: BootstrapModel = {
    root: [{ kind: 'directory', name: 'dir', entries: files }],
    blobs,
    codecs: ['raw'],
  };
  return { image: await Image.open(encodeBootstrap(model, (body) => body)), flat };

  function randomExtents(): Extent[] {
    const extents: Extent[] = [];
    let fileOffset = 0;
    for (let i = below(4); i > 0; i--) {
      const blob = below(blobs.length);
      const shift = shifts[blob]!;
      const { blockCount, tableLength } = blobs[blob]!;
      const block = below(blockCount);
      const blockOffset = below(2 ** shift);
      const length = 1 + below((blockCount - block) * 2 ** shift - blockOffset);
      const touched = Math.ceil((blockOffset + length) / 2 ** shift);
      const storedOffset = tableLength + block * 2 ** shift;
      const storedLength = touched * 2 ** shift;
      extents.push({ fileOffset, length, blob, block, shift, blockOffset, storedOffset, storedLength });
      fileOffset += length;
    }
    return extents;
  }
}
