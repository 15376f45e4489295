import { SluiceError } from '../format/errors.ts';
import type { BlockFile, Directory } from './directory.ts';
import { fromPlatformError } from './platform-error.ts';

/** How long a file may stay busy: a reloaded tab can find the lock of its former worker held for a moment. */
const busyDeadlineMs = 3000;
const firstBusyDelayMs = 5;
const maxBusyDelayMs = 200;

/** The platform answers within milliseconds or, where storage is broken, perhaps never. A launch waits for the first; a busy disk may take its time later. */
const availabilityDeadlineMs = 5000;
const answerDeadlineMs = 15_000;

/**
 * The folder at `path` (names joined by `/`, made as needed) of the Origin Private File System; undefined where the
 * browser gives none (private windows, old engines, broken storage), with the reason told to `onUnavailable`.
 *
 * In a dedicated worker everything works. A service worker has no handles: it can only take snapshots and list.
 */
export async function openOpfsDirectory(
  path: string,
  onUnavailable?: (reason: SluiceError) => void,
): Promise<Directory | undefined> {
  try {
    return new OpfsDirectory(await withDeadline(openFolder(path), path, availabilityDeadlineMs));
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

/** `tooLate` is given what comes after the deadline all the same, to let go of it. */
async function withDeadline<T>(
  work: Promise<T>,
  path: string,
  ms: number,
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

class OpfsDirectory implements Directory {
  readonly #root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<BlockFile> {
    const create = options.create ?? false;
    const deadline = performance.now() + busyDeadlineMs;
    for (let delay = firstBusyDelayMs; ; delay = Math.min(2 * delay, maxBusyDelayMs)) {
      try {
        const handle = await withDeadline(this.#file(path, create), path, answerDeadlineMs);
        if (typeof handle.createSyncAccessHandle !== 'function') {
          throw new SluiceError('unreadable', 'Files can be opened in dedicated workers only', { path });
        }
        // One that came late, and that nobody closed, would lock the file for good.
        const opened = handle.createSyncAccessHandle();
        const closeLate = (late: FileSystemSyncAccessHandle): void => late.close();
        return new OpfsFile(await withDeadline(opened, path, answerDeadlineMs, closeLate), path);
      } catch (cause) {
        const error = fromPlatformError(cause, path);
        if (error.code !== 'EBUSY' || performance.now() + delay > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    return this.#unlessMissing(path, async () => (await this.#file(path, false)).getFile(), undefined);
  }

  async list(folder: string): Promise<string[]> {
    return this.#unlessMissing(folder, async () => {
      const names: string[] = [];
      const handle = await this.#root.getDirectoryHandle(folder);
      for await (const entry of handle.values()) if (entry.kind === 'file') names.push(entry.name);
      return names;
    }, []);
  }

  async remove(path: string): Promise<void> {
    await this.#unlessMissing(
      path,
      async () => {
        const { folder, name } = await this.#locate(path, false);
        await folder.removeEntry(name);
      },
      undefined,
    );
  }

  async #file(path: string, create: boolean): Promise<FileSystemFileHandle> {
    const { folder, name } = await this.#locate(path, create);
    return folder.getFileHandle(name, { create });
  }

  async #locate(path: string, create: boolean): Promise<{ folder: FileSystemDirectoryHandle; name: string }> {
    const slash = path.indexOf('/');
    const name = path.slice(slash + 1);
    if (slash < 0) return { folder: this.#root, name };
    return { folder: await this.#root.getDirectoryHandle(path.slice(0, slash), { create }), name };
  }

  async #unlessMissing<T>(path: string, action: () => Promise<T>, missing: T): Promise<T> {
    try {
      return await withDeadline(action(), path, answerDeadlineMs);
    } catch (cause) {
      const error = fromPlatformError(cause, path);
      if (error.code === 'ENOENT') return missing;
      throw error;
    }
  }
}

class OpfsFile implements BlockFile {
  readonly #handle: FileSystemSyncAccessHandle;
  readonly #path: string;
  #closed = false;

  constructor(handle: FileSystemSyncAccessHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  read(into: Uint8Array<ArrayBuffer>, at: number): number {
    return this.#do((handle) => handle.read(into, { at }));
  }

  write(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    this.#do((handle) => {
      for (let done = 0; done < bytes.length; ) {
        const written = handle.write(bytes.subarray(done), { at: at + done });
        if (written === 0) throw new SluiceError('ENOSPC', 'The browser wrote nothing', { path: this.#path });
        done += written;
      }
    });
  }

  size(): number {
    return this.#do((handle) => handle.getSize());
  }

  truncate(length: number): void {
    this.#do((handle) => handle.truncate(length));
  }

  flush(): void {
    this.#do((handle) => handle.flush());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  #do<T>(action: (handle: FileSystemSyncAccessHandle) => T): T {
    if (this.#closed) throw new SluiceError('closed', 'The file was closed', { path: this.#path });
    try {
      return action(this.#handle);
    } catch (error) {
      throw fromPlatformError(error, this.#path);
    }
  }
}
