import type { Directory } from './directory.ts';
import type { Ledger } from './ledger.ts';
import type { Removals } from './removals.ts';
import { blobAt, blobFolder, imageFolder, imagePath, isOurName } from './store-paths.ts';
import { hasFile } from './writer-state.ts';

/**
 * Makes journal and folder agree when a store is opened. What the journal knows and the folder lacks is not believed; what was to go goes; and
 * files are removed that the journal does not know (a crash came between file and record, or between a new generation and a removal). Those that a published blob
 * of this generation would have are kept for whoever looks into them: the strays.
 */
export async function reconcile(ledger: Ledger, removals: Removals, directory: Directory): Promise<void> {
  const { state, files } = ledger;
  const found = new Set([
    ...(await filesIn(directory, imageFolder)),
    ...(await filesIn(directory, blobFolder)),
  ]);
  for (const id of [...state.images.keys()]) if (!found.has(imagePath(id))) ledger.takeAwayImage(id);
  for (const [sha256, blob] of state.blobs) {
    if (hasFile(blob) && !found.has(state.pathOf(sha256))) ledger.takeAwayBlob(sha256);
  }
  await removals.redo();
  const needed = new Set(Array.from(state.images.keys(), imagePath));
  for (const [sha256, blob] of state.blobs) if (hasFile(blob)) needed.add(state.pathOf(sha256));
  for (const path of found) {
    if (needed.has(path)) continue;
    const sha256 = blobAt(path);
    const isBegun = sha256 !== undefined && !state.isPrivate(sha256) && ledger.pathOf(sha256) === path;
    if (isBegun) removals.strays.set(sha256, path);
    else await files.remove(path);
  }
  // The session before may have ended between a blob's last block and its seal.
  ledger.mayBeComplete(state.blobs.keys());
}

/** Files whose names are none of ours are not ours to judge. */
async function filesIn(directory: Directory, folder: string): Promise<string[]> {
  const names = await directory.list(folder);
  return names.filter(isOurName).map((name) => `${folder}/${name}`);
}
