import type { BlobRecord } from '../../format/blob-record.ts';

/** A block of an image. */
export interface BlockPlace {
  readonly blob: number;
  readonly block: number;
}

/** All published blocks of an image in one row: blob after blob, as they are numbered in the image. */
export class BlockSpace {
  readonly blobs: readonly BlobRecord[];
  /** Where each blob begins, and, behind the last one, where all end. */
  readonly #starts: Uint32Array;

  constructor(blobs: Iterable<BlobRecord>) {
    this.blobs = [...blobs];
    this.#starts = new Uint32Array(this.blobs.length + 1);
    this.blobs.forEach(({ blockCount }, i) => {
      this.#starts[i + 1] = this.#starts[i]! + blockCount;
    });
  }

  /** How many blocks there are. */
  get length(): number {
    return this.#starts[this.blobs.length]!;
  }

  /** Where a blob's blocks begin; of the number of blobs: where all end. */
  startOf(blob: number): number {
    return this.#starts[blob]!;
  }

  indexOf({ blob, block }: BlockPlace): number {
    return this.#starts[blob]! + block;
  }

  /** Undefined outside of `[0, length)`. */
  placeOf(index: number): BlockPlace | undefined {
    if (!(index >= 0 && index < this.length)) return undefined;
    let low = 0;
    let high = this.blobs.length;
    // The last blob that begins at or before it, and is not empty.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return { blob: low, block: index - this.#starts[low]! };
  }
}
