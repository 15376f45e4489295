import { blockTableLength } from '../format/block-table.ts';
import { fileClass } from './file-class.ts';
import type { FileRange, LaunchReads } from './launch-reads.ts';
import { type SharedBlock, SharedBlocks } from './shared-blocks.ts';
import type { TreeFile } from './tree.ts';
import { weave } from './weave.ts';

export interface Plan {
  readonly units: readonly PackUnit[];
  /** How many of them, from the front, a launch needs. */
  readonly launchUnits: number;
  /** Files that a launch reads, wholly or in part. */
  readonly launchFiles: number;
}

/**
 * What is stored in a row: one large file in blocks of its own; some blocks of one, ahead of the file, which then follows; or small files in
 * one shared block.
 */
export type PackUnit =
  | ({ readonly kind: 'file'; readonly file: TreeFile } & Cut)
  | ({ readonly kind: 'part'; readonly file: TreeFile; readonly blocks: number[] } & Cut)
  | ({ readonly kind: 'shared' } & SharedBlock);

/** How the bytes become blocks: all but the last of a unit are 2^shift long; `compressed` ones are stored as they are. */
interface Cut {
  readonly shift: number;
  readonly compressed: boolean;
}

/** Smaller files share blocks. */
const smallLength = 2 ** 16;
/** log2 of block lengths. Read whole: large blocks shrink better. By range: a reader waits for no more than it needs. */
const wholeShift = 18;
const rangeShift = 16;
/** Of what launches read whole: all of it is wanted, so that only the last of a file's blocks is waited for longer. The format has none larger. */
const launchShift = 20;

/**
 * Cuts files into units: what recorded launches read, in the order of first read, then the rest as `ordered`. A file of which a launch reads a part has
 * those blocks in front. How large blocks are is told by how launches read the file, and by its name where none did.
 *
 * A shared block takes the place of its first file and is filled with the small files of its kind that follow, so a small
 * file never comes later than its turn; those of a launch share blocks only with each other. Sizes decide alone, so the plan is the same on every machine. No block is larger than
 * fits a blob of `blobSize` bytes.
 */
export function plan(ordered: readonly TreeFile[], reads: LaunchReads, blobSize: number): Plan {
  const inLaunch = Math.min(launchShift, Math.floor(Math.log2(blobSize - blockTableLength(1))));
  const shiftOf = shiftsOf(ordered, reads.whole, inLaunch);
  const shared = new SharedBlocks(inLaunch);
  const units: PackUnit[] = [];
  const addFile = (file: TreeFile): void => {
    const { compressed } = fileClass(file.path);
    if (isSmall(file)) {
      const block = shared.add(file, compressed);
      if (block !== undefined) units.push({ kind: 'shared', ...block });
    } else {
      shared.pass();
      units.push({ kind: 'file', file, shift: shiftOf(file), compressed });
    }
  };
  const addBlock = (file: TreeFile, block: number): void => {
    const last = units.at(-1);
    if (last?.kind === 'part' && last.file === file) last.blocks.push(block);
    else {
      shared.pass();
      const { compressed } = fileClass(file.path);
      units.push({ kind: 'part', file, blocks: [block], shift: shiftOf(file), compressed });
    }
  };

  const stored = new Set<TreeFile>();
  const launch = launchPieces(reads, shiftOf);
  for (const { file, block } of launch) {
    if (block !== undefined) addBlock(file, block);
    else {
      addFile(file);
      stored.add(file);
    }
  }
  const launchUnits = units.length;
  shared.endLaunch();
  for (const file of ordered) if (!stored.has(file)) addFile(file);
  return { units, launchUnits, launchFiles: new Set(launch.map(({ file }) => file)).size };
}

function isSmall({ size }: TreeFile): boolean {
  return size < smallLength;
}

/** Files of one size may be identical; cut alike, they are stored once whatever they are called and whoever reads them. */
function shiftsOf(
  files: readonly TreeFile[],
  inLaunch: ReadonlyMap<TreeFile, boolean>,
  wholeInLaunch: number,
): (file: TreeFile) => number {
  const shifts = new Map<number, number>();
  for (const [{ size, path }, whole] of inLaunch) {
    // What does not shrink gains nothing by large blocks.
    const shift = fileClass(path).compressed ? wholeShift : wholeInLaunch;
    if (!shifts.has(size)) shifts.set(size, whole ? shift : rangeShift);
  }
  for (const { size, path } of files) {
    if (!shifts.has(size)) shifts.set(size, fileClass(path).access === 'range' ? rangeShift : wholeShift);
  }
  return ({ size }) => shifts.get(size)!;
}

/** A whole file, or one block of it. */
interface Piece {
  readonly file: TreeFile;
  readonly block: number | undefined;
}

function launchPieces({ orders, whole }: LaunchReads, shiftOf: (file: TreeFile) => number): Piece[] {
  const pieces = new Map<string, Piece>();
  const named = (file: TreeFile, block?: number): string => {
    const name = `${block ?? ''}/${file.path}`;
    pieces.set(name, { file, block });
    return name;
  };
  const names = ({ file, start, end }: FileRange): string[] => {
    if (isSmall(file) || whole.get(file)) return [named(file)];
    const blockLength = 2 ** shiftOf(file);
    const first = Math.floor(start / blockLength);
    const count = Math.ceil(end / blockLength) - first;
    return Array.from({ length: count }, (_, i) => named(file, first + i));
  };
  return weave(orders.map((order) => order.flatMap(names))).map((name) => pieces.get(name)!);
}
