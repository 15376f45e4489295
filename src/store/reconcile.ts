import type { Directory } from './directory.ts';
import type { Ledger } from './ledger.ts';
import type { Removals } from './removals.ts';
import { blobFolder, blobPath, digestOfName, imageFolder, imagePath } from './store-paths.ts';
import { hasFile } from './writer-state.ts';

/**
 * Makes journal and folder agree when a store is opened. What the journal knows and the folder lacks is not believed; what was to go goes; and
 * files are removed that the journal does not know (a crash came between file and record, or between a new generation and a removal).
 */
export async function reconcile(ledger: Ledger, removals: Removals, directory: Directory): Promise<void> {
  const { state, files } = ledger;
  const imageFiles = await digestsIn(directory, imageFolder);
  const blobFiles = await digestsIn(directory, blobFolder);
  for (const id of [...state.images.keys()]) if (!imageFiles.has(id)) ledger.takeAwayImage(id);
  for (const [sha256, blob] of state.blobs) {
    if (!blobFiles.has(sha256) && hasFile(blob)) ledger.takeAwayBlob(sha256);
  }
  await removals.redo();
  const isNeeded = (sha256: string): boolean => {
    const blob = state.blobs.get(sha256);
    return blob !== undefined && hasFile(blob);
  };
  const orphans = [
    ...[...imageFiles].filter((id) => !state.images.has(id)).map(imagePath),
    ...[...blobFiles].filter((sha256) => !isNeeded(sha256)).map(blobPath),
  ];
  for (const path of orphans) await files.remove(path);
  // The session before may have ended between a blob's last block and its seal.
  ledger.mayBeComplete(state.blobs.keys());
}

/** Files whose names are none of ours are not ours to judge. */
async function digestsIn(directory: Directory, folder: string): Promise<Set<string>> {
  const digests = (await directory.list(folder)).map(digestOfName);
  return new Set(digests.filter((digest) => digest !== undefined));
}
