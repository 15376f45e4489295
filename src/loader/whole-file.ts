import type { Mount } from './mount.ts';

/** Whether the published file at the path is wholly here and has this tag. Run-time files do not count: nothing of them is kept elsewhere. */
export function isWhole(mount: Mount, path: string, tag: string): boolean {
  const { tree } = mount;
  const n = tree.lookup(path);
  if (n === undefined || n >= tree.image.inodeCount) return false;
  const inode = tree.inode(n);
  if (inode.kind !== 'file' || inode.tag !== tag) return false;
  for (const { blob, block } of tree.mapRange(n, 0, inode.size)) {
    if (!mount.blob(blob)?.isReadable(block)) return false;
  }
  return true;
}
