import type { FileTree } from '../image/file-tree.ts';
import type { ExtentSpan } from '../image/map-range.ts';
import type { ReadLogEntry } from '../protocol/state.ts';

/**
 * The same reads, each with the bytes of its file that lie in the block and the file's size, as the tree is now: blocks are an image's own, ranges fit the next
 * image as well. Without them: a blob's table, a file that is gone, or that is another one by now. A block that the file has several
 * times counts for the first.
 */
export function withRanges<T extends ReadLogEntry>(
  tree: FileTree,
  reads: readonly T[],
): (T & Pick<ReadLogEntry, 'start' | 'end' | 'size'>)[] {
  const files = new Map<string, FileBlocks | undefined>();
  return reads.map((read) => {
    const { path, blob, block } = read;
    if (!files.has(path)) files.set(path, fileBlocks(tree, path));
    const file = files.get(path);
    const span = file?.spans
      .get(blob)
      ?.find(({ firstBlock, blockCount }) => block >= firstBlock && block < firstBlock + blockCount);
    if (file === undefined || span === undefined) return read;
    const { fileOffset, length, blockOffset, firstBlock, shift } = span;
    const start = fileOffset + Math.max(0, (block - firstBlock) * 2 ** shift - blockOffset);
    const end = Math.min(
      fileOffset + length,
      fileOffset + (block - firstBlock + 1) * 2 ** shift - blockOffset,
    );
    return { ...read, start, end, size: file.size };
  });
}

interface FileBlocks {
  readonly size: number;
  /** By blob. */
  readonly spans: ReadonlyMap<number, readonly ExtentSpan[]>;
}

function fileBlocks(tree: FileTree, path: string): FileBlocks | undefined {
  const inode = tree.lookup(path);
  if (inode === undefined) return undefined;
  const { kind, size } = tree.inode(inode);
  if (kind !== 'file') return undefined;
  const spans = new Map<number, ExtentSpan[]>();
  for (const span of tree.mapExtents(inode, 0, size)) {
    const known = spans.get(span.blob);
    if (known === undefined) spans.set(span.blob, [span]);
    else known.push(span);
  }
  return { size, spans };
}
