import { SluiceError } from '../format/errors.ts';
import { maxBlockCount } from '../format/extent.ts';
import type { FileTree } from './file-tree.ts';
import { IntervalIndex } from './interval-index.ts';
import type { ExtentSpan } from './map-range.ts';

/** The part of a file that lies in the blocks that were asked for. */
export interface BlockOwner {
  readonly inode: number;
  /** Half-open, in bytes of the file. */
  readonly fileStart: number;
  readonly fileEnd: number;
  /** The first of the blocks that holds some of it. */
  readonly block: number;
  /** Where `fileStart` lies in that block, once decoded. */
  readonly blockOffset: number;
}

/**
 * "Whose bytes are these?": from the blocks of the blobs back to the files that use them, as XFS's reverse map does for extents.
 * Owners overlap where blocks are shared: small files in one block, equal files and blocks stored once, hard links.
 *
 * A snapshot of the tree that it was made of; 49 bytes an extent.
 */
export class ReverseMap {
  readonly tree: FileTree;
  readonly #index: IntervalIndex;
  readonly #extents: Columns;
  /** Names of the inodes that have more than one. */
  readonly #links: ReadonlyMap<number, readonly string[]>;

  /** Of what {@link ReverseMapFiles} has collected; use `ReverseMap.of` for a whole tree. */
  constructor(tree: FileTree, spans: readonly OwnedSpan[], links: ReadonlyMap<number, readonly string[]>) {
    const sorted = spans.toSorted((a, b) => key(a.blob, a.firstBlock) - key(b.blob, b.firstBlock));
    const starts = Float64Array.from(sorted, (span) => key(span.blob, span.firstBlock));
    const ends = Float64Array.from(sorted, (span, i) => starts[i]! + span.blockCount);
    this.tree = tree;
    this.#index = new IntervalIndex(starts, ends);
    this.#extents = {
      inode: Uint32Array.from(sorted, (span) => span.inode),
      fileOffset: Float64Array.from(sorted, (span) => span.fileOffset),
      length: Float64Array.from(sorted, (span) => span.length),
      blockOffset: Uint32Array.from(sorted, (span) => span.blockOffset),
      shift: Uint8Array.from(sorted, (span) => span.shift),
    };
    this.#links = links;
  }

  /** Walks the whole tree. Throws `corrupt-image` as that does. */
  static of(tree: FileTree): ReverseMap {
    const files = new ReverseMapFiles(tree);
    for (const { inode, path } of tree.files()) files.add(inode, path);
    return files.map();
  }

  /** How many extents have an owner. */
  get size(): number {
    return this.#index.count;
  }

  /** Owners of the blocks `[firstBlock, endBlock)` of a blob, by its index in the tree: in the order of the first blocks of their extents. */
  *owners(blob: number, firstBlock: number, endBlock: number): Generator<BlockOwner, void, undefined> {
    const { inode, fileOffset, length, blockOffset, shift } = this.#extents;
    const base = key(blob, 0);
    const low = base + Math.max(firstBlock, 0);
    const high = base + Math.min(endBlock, maxBlockCount);
    for (const i of this.#index.query(low, high)) {
      const extentStart = this.#index.start(i) - base;
      const block = Math.max(extentStart, firstBlock);
      const blockLength = 2 ** shift[i]!;
      // In bytes from the start of the extent's first block.
      const blockStart = (block - extentStart) * blockLength;
      const start = Math.max(blockStart, blockOffset[i]!);
      const end = Math.min((endBlock - extentStart) * blockLength, blockOffset[i]! + length[i]!);
      const toFile = fileOffset[i]! - blockOffset[i]!;
      yield {
        inode: inode[i]!,
        fileStart: start + toFile,
        fileEnd: end + toFile,
        block,
        blockOffset: start - blockStart,
      };
    }
  }

  /** All names of a file. */
  paths(inode: number): readonly string[] {
    return this.#links.get(inode) ?? [this.tree.pathOf(inode)];
  }

  /** Every path that bad bytes in these blocks hurt, once each. */
  hurtPaths(blob: number, firstBlock: number, endBlock: number): string[] {
    const inodes = new Set<number>();
    for (const { inode } of this.owners(blob, firstBlock, endBlock)) inodes.add(inode);
    return [...inodes].flatMap((inode) => this.paths(inode));
  }
}

/** A place of all blobs in one number: exact, since the metadata of an image holds far fewer than 2^29 blobs. */
function key(blob: number, block: number): number {
  return blob * maxBlockCount + block;
}

/** What is known of extent i of the index. */
interface Columns {
  readonly inode: Uint32Array;
  readonly fileOffset: Float64Array;
  readonly length: Float64Array;
  readonly blockOffset: Uint32Array;
  readonly shift: Uint8Array;
}

export interface OwnedSpan extends ExtentSpan {
  readonly inode: number;
}

/** Collects the files of a reverse map one by one, for who walks the tree anyway, and wants the map also of a tree that ends in an error. */
export class ReverseMapFiles {
  readonly #tree: FileTree;
  readonly #spans: OwnedSpan[] = [];
  readonly #seen = new Map<number, string>();
  readonly #links = new Map<number, string[]>();

  constructor(tree: FileTree) {
    this.#tree = tree;
  }

  /** Throws `corrupt-image`; what came before is kept. */
  add(inode: number, path: string): void {
    const first = this.#seen.get(inode);
    if (first !== undefined) {
      const names = this.#links.get(inode);
      if (names) names.push(path);
      else this.#links.set(inode, [first, path]);
      return;
    }
    this.#seen.set(inode, path);
    for (const span of this.#tree.mapExtents(inode, 0, Number.POSITIVE_INFINITY)) {
      if (span.firstBlock + span.blockCount > maxBlockCount)
        throw new SluiceError('E2BIG', `"${path}" has more than ${maxBlockCount} blocks in one blob`);
      this.#spans.push({ inode, ...span });
    }
  }

  map(): ReverseMap {
    return new ReverseMap(this.#tree, this.#spans, this.#links);
  }
}
