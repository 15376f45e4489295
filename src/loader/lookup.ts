import { SluiceError } from '../format/errors.ts';
import type { FileTree } from '../image/file-tree.ts';

/** What is at the path. Throws `ENOENT`. */
export function inodeAt(tree: FileTree, path: string): number {
  const inode = tree.lookup(path);
  if (inode === undefined) throw new SluiceError('ENOENT', `${path} is not in the image`, { path });
  return inode;
}

/** The file at the path, with its size in bytes. Throws `ENOENT`, `EISDIR`. */
export function fileAt(tree: FileTree, path: string): { readonly inode: number; readonly size: number } {
  const inode = inodeAt(tree, path);
  const { kind, size } = tree.inode(inode);
  if (kind !== 'file') throw new SluiceError('EISDIR', `${path} is a directory`, { path });
  return { inode, size };
}
