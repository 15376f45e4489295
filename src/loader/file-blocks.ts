import type { FileTree } from '../image/file-tree.ts';
import type { ExtentSpan } from '../image/map-range.ts';
import type { RunHint } from './blob-view.ts';

/** A block of a file: where it lies, and the run of the file's blocks that it belongs to. */
export interface FileBlock {
  readonly blob: number;
  readonly block: number;
  readonly hint: RunHint;
}

/** The blocks of one file, numbered in its order from 0 on, whichever blobs they lie in. */
export class FileBlocks {
  readonly count: number;
  readonly #runs: readonly { readonly first: number; readonly span: ExtentSpan }[];

  private constructor(spans: Iterable<ExtentSpan>) {
    let first = 0;
    this.#runs = [...spans].map((span) => {
      const run = { first, span };
      first += span.blockCount;
      return run;
    });
    this.count = first;
  }

  /** Undefined where the path leads to no file. */
  static of(tree: Pick<FileTree, 'lookup' | 'inode' | 'mapExtents'>, path: string): FileBlocks | undefined {
    const inode = tree.lookup(path);
    if (inode === undefined) return undefined;
    const { kind, size } = tree.inode(inode);
    return kind === 'file' ? new FileBlocks(tree.mapExtents(inode, 0, size)) : undefined;
  }

  /** The number of a block of the blob; undefined where the file has no byte in it. */
  numberOf(blob: number, block: number): number | undefined {
    const run = this.#runs.find(({ span }) => span.blob === blob && isIn(block, span.firstBlock, span));
    return run && run.first + block - run.span.firstBlock;
  }

  at(number: number): FileBlock | undefined {
    const run = this.#runs.find(({ first, span }) => isIn(number, first, span));
    if (!run) return undefined;
    const { blob, firstBlock, blockCount, storedOffset, storedLength } = run.span;
    const hint = { start: storedOffset, end: storedOffset + storedLength, firstBlock, blockCount };
    return { blob, block: firstBlock + number - run.first, hint };
  }
}

function isIn(number: number, first: number, { blockCount }: ExtentSpan): boolean {
  return number >= first && number < first + blockCount;
}
