import type { TreeFile } from './tree.ts';

/** Small files, in one block of at most 2^shift bytes together. */
export interface SharedBlock {
  readonly files: TreeFile[];
  readonly shift: number;
  readonly compressed: boolean;
}

const usualShift = { compressible: 17, compressed: 16 };

interface OpenBlock extends SharedBlock {
  length: number;
}

/**
 * Puts small files into blocks, those of one kind together, in the order in which they come. In a launch blocks are twice as large each time, up to `launchShift`: nothing
 * waits long for the first, and 800 modules are 15 % smaller than in blocks of 128 KiB. One that is that large by then ends where a large
 * file comes in between, so that the launch does not wait for much that it needs only later.
 */
export class SharedBlocks {
  readonly #launchShift: number;
  readonly #open = new Map<boolean, OpenBlock>();
  #inLaunch = true;
  #opened = 0;

  constructor(launchShift: number) {
    this.#launchShift = launchShift;
  }

  /** Answers the block that begins with the file, if one does. */
  add(file: TreeFile, compressed: boolean): SharedBlock | undefined {
    const open = this.#open.get(compressed);
    if (open !== undefined && open.length + file.size <= 2 ** open.shift) {
      open.files.push(file);
      open.length += file.size;
      return undefined;
    }
    const block = { files: [file], length: file.size, shift: this.#nextShift(compressed), compressed };
    this.#open.set(compressed, block);
    return block;
  }

  /** A large file comes next. */
  pass(): void {
    for (const [compressed, { length }] of this.#open) {
      if (length >= 2 ** usualShift.compressible) this.#open.delete(compressed);
    }
  }

  /** What comes next shares no block with what came so far. */
  endLaunch(): void {
    this.#open.clear();
    this.#inLaunch = false;
  }

  #nextShift(compressed: boolean): number {
    const usual = usualShift[compressed ? 'compressed' : 'compressible'];
    if (compressed || !this.#inLaunch) return usual;
    this.#opened += 1;
    return Math.min(usual + this.#opened - 1, this.#launchShift);
  }
}
