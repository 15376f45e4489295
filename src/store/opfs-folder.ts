import { SluiceError } from '../format/errors.ts';
import type { Snapshots } from './directory.ts';
import { fromPlatformError } from './platform-error.ts';

/** The platform answers within milliseconds or, where storage is broken, perhaps never. A launch waits for the first; a busy disk may take its time later. */
const availabilityDeadlineMs = 5000;
const answerDeadlineMs = 15_000;

/**
 * The folder at `path` (names joined by `/`, made as needed) of the Origin Private File System; undefined where the
 * browser gives none (private windows, old engines, broken storage), with the reason told to `onUnavailable`.
 */
export async function openOpfsFolder(
  path: string,
  onUnavailable?: (reason: SluiceError) => void,
): Promise<OpfsFolder | undefined> {
  try {
    return new OpfsFolder(await withDeadline(openFolder(path), path, availabilityDeadlineMs));
  } catch (error) {
    onUnavailable?.(fromPlatformError(error, path));
    return undefined;
  }
}

async function openFolder(path: string): Promise<FileSystemDirectoryHandle> {
  // Typed as always there; absent in old engines and in insecure contexts.
  const storage = navigator.storage as StorageManager | undefined;
  if (typeof storage?.getDirectory !== 'function') {
    throw new SluiceError('unreadable', 'This browser has no Origin Private File System', { path });
  }
  let folder = await storage.getDirectory();
  for (const name of path.split('/')) folder = await folder.getDirectoryHandle(name, { create: true });
  return folder;
}

/** Ends every wait for the platform, with `unreadable`. `tooLate` is given what comes after the deadline all the same, to let go of it. */
export async function withDeadline<T>(
  work: Promise<T>,
  path: string,
  ms = answerDeadlineMs,
  tooLate?: (late: T) => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SluiceError('unreadable', 'The Origin Private File System did not answer', { path }));
      work.then(tooLate, () => {}); // Whoever waited has an error already.
    }, ms);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** What works in every worker, service workers included. opfs-directory.ts adds what needs a dedicated one, out of their scripts. */
export class OpfsFolder implements Snapshots {
  readonly root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.root = root;
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    return this.unlessMissing(path, async () => (await this.file(path, false)).getFile(), undefined);
  }

  /** The file's handle. `path` has at most one folder. */
  async file(path: string, create: boolean): Promise<FileSystemFileHandle> {
    const { folder, name } = await this.locate(path, create);
    return folder.getFileHandle(name, { create });
  }

  /** The folder that holds the file, and its name there. */
  async locate(path: string, create: boolean): Promise<{ folder: FileSystemDirectoryHandle; name: string }> {
    const slash = path.indexOf('/');
    const name = path.slice(slash + 1);
    if (slash < 0) return { folder: this.root, name };
    return { folder: await this.root.getDirectoryHandle(path.slice(0, slash), { create }), name };
  }

  /** What `action` gives, or `missing` where there is no such file or folder. */
  async unlessMissing<T>(path: string, action: () => Promise<T>, missing: T): Promise<T> {
    try {
      return await withDeadline(action(), path);
    } catch (cause) {
      const error = fromPlatformError(cause, path);
      if (error.code === 'ENOENT') return missing;
      throw error;
    }
  }
}
