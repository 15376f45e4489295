import type { MountedTree } from '../image/mounted-tree.ts';
import { fileAt } from './lookup.ts';

/** The inodes of files. Throws `ENOENT`, `EISDIR`. */
function fileInodes(tree: MountedTree, paths: readonly string[]): Set<number> {
  return new Set(paths.map((path) => fileAt(tree, path).inode));
}

/** Adds the SHA-256 of the published blobs that hold some of the file. */
function addBlobs(tree: MountedTree, inode: number, to: Set<string>): void {
  for (const { blob } of tree.mapExtents(inode, 0, Number.POSITIVE_INFINITY))
    if (blob < tree.image.blobCount) to.add(tree.image.blob(blob).sha256);
}

/** SHA-256 of the published blobs that hold some of these files; no paths = of the whole image. Throws `ENOENT`, `EISDIR`. */
export function blobsOfFiles(tree: MountedTree, paths: readonly string[]): Set<string> {
  const { image } = tree;
  if (paths.length === 0) return new Set(Array.from(image.blobs(), ({ sha256 }) => sha256));
  const blobs = new Set<string>();
  for (const inode of fileInodes(tree, paths)) addBlobs(tree, inode, blobs);
  return blobs;
}

/**
 * SHA-256 of the published blobs of which nothing but these files is needed, hard links to them included; no paths = of the whole image. A file
 * whose names were all removed needs nothing. Throws `ENOENT`, `EISDIR`.
 */
export function blobsOnlyOf(tree: MountedTree, paths: readonly string[]): Set<string> {
  const blobs = blobsOfFiles(tree, paths);
  if (paths.length === 0) return blobs;
  const leaving = fileInodes(tree, paths);
  const needed = new Set<string>();
  for (const { inode } of tree.files()) if (!leaving.has(inode)) addBlobs(tree, inode, needed);
  for (const sha256 of needed) blobs.delete(sha256);
  return blobs;
}
