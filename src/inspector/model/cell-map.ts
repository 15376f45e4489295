import type { Image } from '../../image/image.ts';
import type { BlockSpace } from './block-space.ts';

/** A blob, or a file, on the map. */
export interface Band {
  readonly label: string;
  /** Blob number, or inode. */
  readonly id: number;
  /** Half-open, in slots: see {@link CellMap}. */
  readonly start: number;
  readonly end: number;
}

/**
 * In which order the map shows the blocks: a row of slots, each of which shows one block, cut into bands. By blob each block has one slot; by file
 * as many as there are files that use it, and blocks that no file uses have none.
 */
export class CellMap {
  readonly bands: readonly Band[];
  /** The block of each slot, by its place in the space; undefined: slot and block are the same number. */
  readonly order: Uint32Array | undefined;
  readonly length: number;

  private constructor(bands: readonly Band[], order: Uint32Array | undefined) {
    this.bands = bands;
    this.order = order;
    this.length = bands.at(-1)?.end ?? 0;
  }

  /** One band a blob, in the order of the image. */
  static byBlob(space: BlockSpace): CellMap {
    const bands = space.blobs.map(({ sha256 }, i) => ({
      label: `#${i} ${sha256.slice(0, 8)}`,
      id: i,
      start: space.startOf(i),
      end: space.startOf(i + 1),
    }));
    return new CellMap(
      bands.filter(({ start, end }) => end > start),
      undefined,
    );
  }

  /** One band a file that is not empty, in the order of the tree. Throws `corrupt-image`. */
  static byFile(image: Image, space: BlockSpace): CellMap {
    const bands: Band[] = [];
    let order = new Uint32Array(Math.max(1024, space.length));
    let length = 0;
    for (const { inode, path } of image.files()) {
      const start = length;
      for (const { blob, firstBlock, blockCount } of image.mapExtents(inode, 0, Number.POSITIVE_INFINITY)) {
        if (length + blockCount > order.length) {
          const longer = new Uint32Array(Math.max(order.length * 2, length + blockCount));
          longer.set(order);
          order = longer;
        }
        const first = space.startOf(blob) + firstBlock;
        for (let i = 0; i < blockCount; i++) order[length++] = first + i;
      }
      if (length > start) bands.push({ label: path, id: inode, start, end: length });
    }
    return new CellMap(bands, order.subarray(0, length));
  }

  /** The block that a slot shows. */
  blockAt(slot: number): number {
    return this.order ? this.order[slot]! : slot;
  }

  /** The first slot that shows a block; undefined where no file uses it. */
  slotOf(block: number): number | undefined {
    if (!this.order) return block;
    const slot = this.order.indexOf(block);
    return slot < 0 ? undefined : slot;
  }

  /** Number of the band that has a slot. */
  bandAt(slot: number): number {
    let low = 0;
    let high = this.bands.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.bands[middle]!.start <= slot) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
