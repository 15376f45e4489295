import { SluiceError } from '../../src/format/errors.ts';
import type { Room } from '../../src/loader/culling.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';

/** A directory in memory that takes no more than `quota` bytes, and refuses every write when it is told to. */
export class QuotaDirectory implements Directory {
  quota: number;
  /** Whether a write that needs room finds some; asked before each. */
  hasRoom: () => boolean = () => true;
  readonly #files = new MemoryDirectory();
  readonly #sizes = new Map<string, number>();

  constructor(quota: number) {
    this.quota = quota;
  }

  get room(): Room {
    let usage = 0;
    for (const size of this.#sizes.values()) usage += size;
    return { usage, quota: this.quota };
  }

  async open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    const file = await this.#files.open(path, options);
    this.#sizes.set(path, file.size());
    return {
      read: (into, at) => file.read(into, at),
      write: (bytes, at) => {
        const { usage, quota } = this.room;
        const growth = Math.max(0, at + bytes.length - file.size());
        if (growth > 0 && (usage + growth > quota || !this.hasRoom()))
          throw new SluiceError('ENOSPC', 'No room', { path });
        file.write(bytes, at);
        this.#sizes.set(path, file.size());
      },
      size: () => file.size(),
      truncate: (length) => {
        file.truncate(length);
        this.#sizes.set(path, length);
      },
      flush: () => file.flush(),
      close: () => file.close(),
    };
  }

  snapshot(path: string): Promise<Blob | undefined> {
    return this.#files.snapshot(path);
  }

  list(folder: string): Promise<string[]> {
    return this.#files.list(folder);
  }

  async remove(path: string): Promise<void> {
    await this.#files.remove(path);
    this.#sizes.delete(path);
  }
}
