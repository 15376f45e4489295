import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openAsBlob,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ErrorCode, errorStatus, SluiceError } from '../../src/format/errors.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';

/** Files below a real directory. Exclusive within one process, which is what the tests need. */
export class NodeDirectory implements Directory {
  readonly #root: string;
  readonly #open = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<BlockFile> {
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    const full = join(this.#root, path);
    const fd = translated(path, () => {
      if (!options.create) return openSync(full, 'r+');
      mkdirSync(dirname(full), { recursive: true });
      closeSync(openSync(full, 'a'));
      return openSync(full, 'r+');
    });
    this.#open.add(path);
    return new NodeFile(fd, path, () => this.#open.delete(path));
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    const full = join(this.#root, path);
    return statSync(full, { throwIfNoEntry: false })?.isFile() ? openAsBlob(full) : undefined;
  }

  async list(folder: string): Promise<string[]> {
    const full = join(this.#root, folder);
    return statSync(full, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(full);
  }

  async remove(path: string): Promise<void> {
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    rmSync(join(this.#root, path), { force: true });
  }
}

class NodeFile implements BlockFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #onClose: () => void;
  #closed = false;

  constructor(fd: number, path: string, onClose: () => void) {
    this.#fd = fd;
    this.#path = path;
    this.#onClose = onClose;
  }

  read(into: Uint8Array, at: number): number {
    return this.#do((fd) => {
      let done = 0;
      for (let count = -1; done < into.length && count !== 0; done += count) {
        count = readSync(fd, into, done, into.length - done, at + done);
      }
      return done;
    });
  }

  write(bytes: Uint8Array, at: number): void {
    this.#do((fd) => {
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    });
  }

  size(): number {
    return this.#do((fd) => fstatSync(fd).size);
  }

  truncate(length: number): void {
    this.#do((fd) => ftruncateSync(fd, length));
  }

  flush(): void {
    this.#do((fd) => fdatasyncSync(fd));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
    this.#onClose();
  }

  #do<T>(action: (fd: number) => T): T {
    if (this.#closed) throw new SluiceError('closed', 'The file was closed', { path: this.#path });
    return translated(this.#path, () => action(this.#fd));
  }
}

function translated<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    throw new SluiceError(code in errorStatus ? (code as ErrorCode) : 'unreadable', String(cause), {
      path,
      cause,
    });
  }
}
