import type { Image } from '../../image/image.ts';
import { blockState, pinnedFlag } from '../../protocol/block-states.ts';
import type { InspectedMadeFile, InspectedRead } from '../../protocol/inspection.ts';
import type { BlockSpace } from './block-space.ts';
import type { Snapshot } from './snapshot.ts';

/** How a file fares. */
export interface FileRow {
  /** Without a leading slash. */
  readonly path: string;
  /** Logical bytes. */
  readonly size: number;
  /** Blocks that hold some of it; other files may share them. */
  readonly blocks: number;
  /** Of these, how many are here. */
  readonly present: number;
  /** All of its blobs are kept from being culled; false for an empty file. */
  readonly isPinned: boolean;
  /** Made at run time, in this browser alone. */
  readonly isMade: boolean;
  /** How many reads of its blocks are in the read log. */
  readonly reads: number;
  /** 1: the file that was read first; undefined: not read. */
  readonly order: number | undefined;
  /** How long its readers waited, all of them together, in ms. */
  readonly waitedMs: number;
}

export type FileColumn = 'path' | 'size' | 'present' | 'reads' | 'order' | 'waitedMs';

export interface FileQuery {
  /** Some of the path, in whatever case. */
  readonly text: string;
  readonly only: 'all' | 'incomplete' | 'read' | 'waited' | 'made';
  readonly column: FileColumn;
  readonly isDescending: boolean;
}

interface ReadCount {
  reads: number;
  readonly order: number;
  waitedMs: number;
}

/** The files of one image. Where they are is looked up once; each snapshot costs one pass over the blocks and one over the extents. */
export class FileRows {
  readonly #files: readonly { readonly path: string; readonly size: number }[];
  /** Where the extents of each file begin, and behind the last one, where all end. */
  readonly #firstExtents: Uint32Array;
  /** Half-open, in blocks of the space, two numbers an extent. */
  readonly #extents: Uint32Array;
  readonly #here: Uint32Array;
  readonly #pinned: Uint32Array;
  #version = -1;
  #reads: readonly InspectedRead[] | undefined;
  #made: readonly InspectedMadeFile[] | undefined;
  #rows: readonly FileRow[] = [];

  /** Walks the tree. Throws `corrupt-image`. */
  constructor(image: Image, space: BlockSpace) {
    const files: { path: string; size: number }[] = [];
    const first: number[] = [0];
    const extents: number[] = [];
    for (const { inode, path } of image.files()) {
      files.push({ path, size: image.inode(inode).size });
      for (const { blob, firstBlock, blockCount } of image.mapExtents(inode, 0, Number.POSITIVE_INFINITY)) {
        const start = space.startOf(blob) + firstBlock;
        extents.push(start, start + blockCount);
      }
      first.push(extents.length);
    }
    this.#files = files;
    this.#firstExtents = Uint32Array.from(first);
    this.#extents = Uint32Array.from(extents);
    this.#here = new Uint32Array(space.length + 1);
    this.#pinned = new Uint32Array(space.length + 1);
  }

  /**
   * In the order of the tree, behind those that were made at run time, which take the place of published ones of the same path; the same list where nothing of it
   * has changed.
   */
  rows({
    states,
    statesVersion,
    reads,
    made,
  }: Pick<Snapshot, 'states' | 'statesVersion' | 'reads' | 'made'>): readonly FileRow[] {
    if (statesVersion === this.#version && reads === this.#reads && made === this.#made) return this.#rows;
    if (statesVersion !== this.#version) this.#sum(states);
    this.#version = statesVersion;
    this.#reads = reads;
    this.#made = made;
    const counts = countReads(reads);
    const published = this.#files.map(({ path, size }, i): FileRow => {
      let blocks = 0;
      let present = 0;
      let pinned = 0;
      for (let at = this.#firstExtents[i]!; at < this.#firstExtents[i + 1]!; at += 2) {
        const [start, end] = [this.#extents[at]!, this.#extents[at + 1]!];
        blocks += end - start;
        present += this.#here[end]! - this.#here[start]!;
        pinned += this.#pinned[end]! - this.#pinned[start]!;
      }
      const isPinned = blocks > 0 && pinned === blocks;
      return { path, size, blocks, present, isPinned, isMade: false, ...readsOf(counts, path) };
    });
    const taken = new Set(made.map(({ path }) => path));
    this.#rows = [
      ...made.map(
        (file): FileRow => ({ ...file, isPinned: false, isMade: true, ...readsOf(counts, file.path) }),
      ),
      ...(taken.size === 0 ? published : published.filter(({ path }) => !taken.has(path))),
    ];
    return this.#rows;
  }

  /** How many blocks before each one are here, and how many are pinned: an extent's share is then one subtraction. */
  #sum(states: Uint8Array): void {
    let here = 0;
    let pinned = 0;
    for (let i = 0; i < states.length; i++) {
      const state = states[i]!;
      if ((state & (pinnedFlag - 1)) >= blockState.inMemory) here++;
      if (state & pinnedFlag) pinned++;
      this.#here[i + 1] = here;
      this.#pinned[i + 1] = pinned;
    }
  }
}

const isOf: Readonly<Record<FileQuery['only'], (row: FileRow) => boolean>> = {
  all: () => true,
  incomplete: ({ present, blocks }) => present < blocks,
  read: ({ reads }) => reads > 0,
  waited: ({ waitedMs }) => waitedMs > 0,
  made: ({ isMade }) => isMade,
};

/** The rows that a query asks for, in its order; equal ones in the order of the tree. */
export function queryFiles(
  rows: readonly FileRow[],
  { text, only, column, isDescending }: FileQuery,
): FileRow[] {
  const words = text.trim().toLowerCase();
  const found = rows.filter(
    (row) => (words === '' || row.path.toLowerCase().includes(words)) && isOf[only](row),
  );
  if (column === 'path') return isDescending ? found.reverse() : found;
  const sign = isDescending ? -1 : 1;
  return found.sort((a, b) => {
    const [x, y] = [value(a, column), value(b, column)];
    // What has no value comes last either way.
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * (x - y);
  });
}

/** Of its blocks, 0 to 1; an empty file is wholly here. */
export function presentShare({ present, blocks }: Pick<FileRow, 'present' | 'blocks'>): number {
  return blocks === 0 ? 1 : present / blocks;
}

function value(row: FileRow, column: Exclude<FileColumn, 'path'>): number | undefined {
  return column === 'present' ? presentShare(row) : row[column];
}

function readsOf(
  counts: ReadonlyMap<string, ReadCount>,
  path: string,
): Pick<FileRow, 'reads' | 'order' | 'waitedMs'> {
  const { reads = 0, order, waitedMs = 0 } = counts.get(path) ?? {};
  return { reads, order, waitedMs };
}

function countReads(reads: readonly InspectedRead[]): ReadonlyMap<string, ReadCount> {
  const counts = new Map<string, ReadCount>();
  for (const { path, waitedMs } of reads) {
    const known = counts.get(path);
    if (known) {
      known.reads += 1;
      known.waitedMs += waitedMs;
    } else counts.set(path, { reads: 1, order: counts.size + 1, waitedMs });
  }
  return counts;
}
