import { SluiceError } from '../../src/format/errors.ts';
import type { Image } from '../../src/image/image.ts';
import type { MountedTree } from '../../src/image/mounted-tree.ts';

/**
 * Everything that reads a tree, each call for itself, so that one error does not hide what comes behind it. Answers how many ended in a SluiceError;
 * throws any other.
 */
export function useTree(tree: Image | MountedTree, paths: readonly string[]): number {
  let errors = 0;
  const attempt = (call: () => unknown): void => {
    try {
      call();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      errors++;
    }
  };
  attempt(() => tree.launchSet);
  attempt(() => tree.fallback !== undefined && tree.inode(tree.fallback));
  // Runtime inodes may be any numbers: as many as a small tree has.
  for (let i = 0; i < Math.min(tree.blobCount, 24); i++) attempt(() => tree.blob(i));
  for (let n = 0; n < Math.min(tree.inodeCount, 24); n++) {
    attempt(() => tree.inode(n));
    attempt(() => tree.pathOf(n));
    attempt(() => drain(tree.readdir(n)));
    attempt(() => drain(tree.mapRange(n, 0, Number.POSITIVE_INFINITY)));
    attempt(() => drain(tree.mapExtents(n, 4000, 4200)));
  }
  attempt(() => drain(tree.files()));
  for (const path of paths) attempt(() => tree.lookup(path));
  return errors;
}

/** Draws at most so many: nothing of this size has more, and a lying one may have billions, lazily. */
function drain(items: Iterable<unknown>): void {
  let left = 300;
  for (const _ of items) if (--left === 0) return;
}
