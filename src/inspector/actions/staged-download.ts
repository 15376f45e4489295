import { type OpfsFolder, openOpfsFolder } from '../../store/opfs-folder.ts';
import { fromPlatformError } from '../../store/platform-error.ts';
import { download } from './download.ts';
import type { SaveTarget } from './save-target.ts';

/** Beside the stores, which lie in `sluice/`. */
const folderName = 'sluice-saving';
/** The browser copies what is downloaded from one place of the disk to another: it has so long for that. */
const copiedWithinMs = 30 * 60 * 1000;

/**
 * A file of the origin's own, written as it comes, that is offered as a download once it is whole: nothing of it is held in memory. Undefined where the browser
 * gives no such file, or twice as much room as it takes is not there: the store is not to be culled for it.
 */
export async function stagedDownload(name: string, bytes: number): Promise<SaveTarget | undefined> {
  const folder = await openOpfsFolder(folderName);
  if (!folder) return undefined;
  await removeOld(folder);
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  if (quota - usage < 2 * bytes) return undefined;
  const path = `${crypto.randomUUID()}.zip`;
  const handle = await folder.file(path, true);
  // Not in Safari before 26.
  if (!('createWritable' in handle)) {
    await remove(folder, path);
    return undefined;
  }
  const file = await handle.createWritable();
  return {
    write: (piece) =>
      file.write(piece).catch((error: unknown) => {
        throw fromPlatformError(error, name);
      }),
    async end() {
      await file.close();
      download(name, await handle.getFile());
      setTimeout(() => void remove(folder, path), copiedWithinMs);
    },
    async abandon() {
      await file.abort();
      await remove(folder, path);
    },
  };
}

/** What pages have left that were closed too soon. */
async function removeOld(folder: OpfsFolder): Promise<void> {
  for await (const entry of folder.root.values()) {
    if (entry.kind !== 'file') continue;
    const { lastModified } = await (entry as FileSystemFileHandle).getFile();
    if (Date.now() - lastModified > copiedWithinMs) await remove(folder, entry.name);
  }
}

/** What is still being written cannot be removed: it is later. */
async function remove(folder: OpfsFolder, path: string): Promise<void> {
  try {
    await folder.root.removeEntry(path);
  } catch (error) {
    console.info('sluice: what was saved is kept for a while:', fromPlatformError(error, path).message);
  }
}
