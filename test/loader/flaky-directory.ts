import { type ErrorCode, SluiceError } from '../../src/format/errors.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';

export type Operation = 'open' | 'read' | 'write' | 'flush';

/** A directory in memory of which operations fail as long as the test says so. */
export class FlakyDirectory implements Directory {
  /** With which code; undefined: it works. */
  fails: (operation: Operation, path: string) => ErrorCode | undefined = () => undefined;
  readonly #files = new MemoryDirectory();

  async open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    this.#do('open', path);
    const file = await this.#files.open(path, options);
    return {
      read: (into, at) => {
        this.#do('read', path);
        return file.read(into, at);
      },
      write: (bytes, at) => {
        this.#do('write', path);
        file.write(bytes, at);
      },
      size: () => file.size(),
      truncate: (length) => file.truncate(length),
      flush: () => {
        this.#do('flush', path);
        file.flush();
      },
      close: () => file.close(),
    };
  }

  snapshot(path: string): Promise<Blob | undefined> {
    return this.#files.snapshot(path);
  }

  list(folder: string): Promise<string[]> {
    return this.#files.list(folder);
  }

  remove(path: string): Promise<void> {
    return this.#files.remove(path);
  }

  #do(operation: Operation, path: string): void {
    const code = this.fails(operation, path);
    if (code) throw new SluiceError(code, `${operation} fails`, { path });
  }
}
