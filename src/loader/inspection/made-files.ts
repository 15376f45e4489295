import type { MountedTree } from '../../image/mounted-tree.ts';
import { type InspectedMadeFile, mostMadeFiles } from '../../protocol/inspection.ts';
import type { BlobPresence } from '../../store/presence.ts';

/** The files that were made at run time, the oldest first. `stored`: what is here of a blob. */
export function madeFiles(
  tree: MountedTree,
  stored: (sha256: string) => Pick<BlobPresence, 'count'> | undefined,
): InspectedMadeFile[] {
  const files: InspectedMadeFile[] = [];
  for (const [inode] of tree.overlay.files()) {
    if (files.length === mostMadeFiles) break;
    const blob = tree.privateBlobOf(inode);
    // An empty one has none.
    const record = blob === undefined ? undefined : tree.blob(blob);
    files.push({
      path: tree.pathOf(inode),
      size: tree.inode(inode).size,
      blocks: record?.blockCount ?? 0,
      present: (record && stored(record.sha256)?.count) ?? 0,
    });
  }
  return files;
}
