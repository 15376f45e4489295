import { SluiceError } from '../format/errors.ts';
import type { BlockFile, Directory } from './directory.ts';
import { type OpfsFolder, openOpfsFolder, withDeadline } from './opfs-folder.ts';
import { fromPlatformError } from './platform-error.ts';

/** How long a file may stay busy: a reloaded tab can find the lock of its former worker held for a moment. */
const busyDeadlineMs = 3000;
const firstBusyDelayMs = 5;
const maxBusyDelayMs = 200;

/** As {@link openOpfsFolder}, for dedicated workers: files can be opened here. In a service worker, `open` fails. */
export async function openOpfsDirectory(
  path: string,
  onUnavailable?: (reason: SluiceError) => void,
): Promise<Directory | undefined> {
  const folder = await openOpfsFolder(path, onUnavailable);
  return folder && new OpfsDirectory(folder);
}

class OpfsDirectory implements Directory {
  readonly #folder: OpfsFolder;

  constructor(folder: OpfsFolder) {
    this.#folder = folder;
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<BlockFile> {
    const create = options.create ?? false;
    const deadline = performance.now() + busyDeadlineMs;
    for (let delay = firstBusyDelayMs; ; delay = Math.min(2 * delay, maxBusyDelayMs)) {
      try {
        const handle = await withDeadline(this.#folder.file(path, create), path);
        if (typeof handle.createSyncAccessHandle !== 'function') {
          throw new SluiceError('unreadable', 'Files can be opened in dedicated workers only', { path });
        }
        // One that came late, and that nobody closed, would lock the file for good.
        const opened = handle.createSyncAccessHandle();
        const closeLate = (late: FileSystemSyncAccessHandle): void => late.close();
        return new OpfsFile(await withDeadline(opened, path, undefined, closeLate), path);
      } catch (cause) {
        const error = fromPlatformError(cause, path);
        if (error.code !== 'EBUSY' || performance.now() + delay > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  snapshot(path: string): Promise<Blob | undefined> {
    return this.#folder.snapshot(path);
  }

  async list(folder: string): Promise<string[]> {
    return this.#folder.unlessMissing(folder, async () => {
      const names: string[] = [];
      const handle = await this.#folder.root.getDirectoryHandle(folder);
      for await (const entry of handle.values()) if (entry.kind === 'file') names.push(entry.name);
      return names;
    }, []);
  }

  async remove(path: string): Promise<void> {
    await this.#folder.unlessMissing(
      path,
      async () => {
        const { folder, name } = await this.#folder.locate(path, false);
        await folder.removeEntry(name);
      },
      undefined,
    );
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
