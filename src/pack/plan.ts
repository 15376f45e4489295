import { fileClass } from './file-class.ts';
import type { TreeFile } from './tree.ts';

export interface Plan {
  readonly units: readonly PackUnit[];
  /** How many of them, from the front, a launch needs. */
  readonly launchUnits: number;
}

/** What is stored in a row: one large file in blocks of its own, or small files in one shared block. */
export type PackUnit =
  | { readonly kind: 'file'; readonly file: TreeFile; readonly shift: number; readonly compressed: boolean }
  | {
      readonly kind: 'shared';
      readonly files: TreeFile[];
      readonly shift: number;
      readonly compressed: boolean;
    };

/** Smaller files share blocks. */
const smallLength = 2 ** 16;
/** log2 of block lengths. Read whole: large blocks shrink better. By range: a reader waits for no more than it needs. */
const wholeShift = 18;
const rangeShift = 16;
const sharedShift = { compressible: 17, compressed: 16 };

/**
 * Cuts files in launch order into units. The first `launchCount` files were read in a recorded launch and share blocks only with each other.
 *
 * A shared block takes the place of its first file and is filled with the small files of its kind that follow, so a small
 * file never comes later than its turn. Sizes decide alone, so the plan is the same on every machine.
 */
export function plan(ordered: readonly TreeFile[], launchCount: number): Plan {
  const units: PackUnit[] = [];
  const shifts = new Map<number, number>();
  const open = new Map<boolean, { files: TreeFile[]; length: number }>();
  let launchUnits: number | undefined;
  ordered.forEach((file, i) => {
    if (i === launchCount) {
      open.clear();
      launchUnits = units.length;
    }
    const { access, compressed } = fileClass(file.path);
    if (file.size >= smallLength) {
      // Files of one size may be identical; cut alike, they are stored once whatever they are called.
      const shift = shifts.get(file.size) ?? (access === 'range' ? rangeShift : wholeShift);
      shifts.set(file.size, shift);
      units.push({ kind: 'file', file, shift, compressed });
      return;
    }
    const shift = sharedShift[compressed ? 'compressed' : 'compressible'];
    let block = open.get(compressed);
    if (block === undefined || block.length + file.size > 2 ** shift) {
      block = { files: [], length: 0 };
      open.set(compressed, block);
      units.push({ kind: 'shared', files: block.files, shift, compressed });
    }
    block.files.push(file);
    block.length += file.size;
  });
  return { units, launchUnits: launchUnits ?? units.length };
}
