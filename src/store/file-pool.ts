import { SluiceError } from '../format/errors.ts';
import type { BlockFile, Directory } from './directory.ts';

/**
 * A bounded number of open files over a {@link Directory}: opening is costly, and platforms allow few handles (Safari about
 * 250 an origin). The least recently used one is closed, one with unflushed writes only when there is no other.
 *
 * Duties: everything that waits for the platform (opening, removing) runs one after another, so that a file is never opened
 * twice; an action runs in the same tick in which its file was found open, so that no file is closed under it.
 */
export class FilePool {
  readonly #directory: Directory;
  readonly #limit: number;
  /** Least recently used first. */
  readonly #open = new Map<string, BlockFile>();
  /** Open files with writes that are not flushed. */
  readonly #dirty = new Set<string>();
  /** How many removals of a file wait for their turn. */
  readonly #removals = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(directory: Directory, limit: number) {
    this.#directory = directory;
    this.#limit = limit;
  }

  /** Runs `action` (synchronous) on the open file. `ENOENT` when it is missing. */
  read<T>(path: string, action: (file: BlockFile) => T): Promise<T> {
    return this.#use(path, false, action);
  }

  /** Like {@link read}, and remembers that the file needs a flush. With `create`, a missing file is made. */
  write<T>(path: string, create: boolean, action: (file: BlockFile) => T): Promise<T> {
    return this.#use(path, create, (file) => {
      this.#dirty.add(path);
      return action(file);
    });
  }

  /** Everything written so far through the pool is durable when this returns. */
  flush(): void {
    for (const path of this.#dirty) {
      this.#open.get(path)?.flush();
      this.#dirty.delete(path);
    }
  }

  /** Closes one file, if it is open. What was not flushed is lost to a crash, not to the next reader. */
  close(path: string): void {
    this.#open.get(path)?.close();
    this.#open.delete(path);
    this.#dirty.delete(path);
  }

  /** Closes and removes a file; whoever opens it after this call was made gets a new one. */
  remove(path: string): Promise<void> {
    this.close(path);
    this.#removals.set(path, (this.#removals.get(path) ?? 0) + 1);
    return this.#enqueue(async () => {
      const others = this.#removals.get(path)! - 1;
      if (others > 0) this.#removals.set(path, others);
      else this.#removals.delete(path);
      // Again: it may have been on its way to being opened.
      this.close(path);
      await this.#directory.remove(path);
    });
  }

  /** Closes everything; nothing can be opened any more. */
  closeAll(): void {
    this.#closed = true;
    for (const path of [...this.#open.keys()]) this.close(path);
  }

  async #use<T>(path: string, create: boolean, action: (file: BlockFile) => T): Promise<T> {
    for (;;) {
      const found = this.#touch(path);
      if (found !== undefined) return action(found);
      const done = await this.#enqueue(async () => {
        // What was asked for before a removal that is still to come must not touch the file that goes: once more, behind it.
        if (this.#removals.has(path)) return undefined;
        const opened = this.#touch(path);
        if (opened !== undefined) return { value: action(opened) };
        this.#makeRoom();
        const file = await this.#directory.open(path, { create });
        if (this.#closed) {
          file.close();
          throw closedError(path);
        }
        this.#open.set(path, file);
        return { value: action(file) };
      });
      if (done) return done.value;
    }
  }

  #touch(path: string): BlockFile | undefined {
    if (this.#closed) throw closedError(path);
    const file = this.#open.get(path);
    if (file === undefined) return undefined;
    this.#open.delete(path);
    this.#open.set(path, file);
    return file;
  }

  #makeRoom(): void {
    while (this.#open.size >= this.#limit) {
      const paths = [...this.#open.keys()];
      const clean = paths.find((path) => !this.#dirty.has(path));
      const victim = clean ?? paths[0]!;
      try {
        // Its blocks may be journaled by the next commit, which flushes open files only.
        if (clean === undefined) this.#open.get(victim)?.flush();
      } catch {
        // It stays open and unflushed, so the next commit meets the same failure and reports it. A read need not fail.
        return;
      }
      this.close(victim);
    }
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    // The queue only orders; whoever called gets the error.
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

function closedError(path: string): SluiceError {
  return new SluiceError('closed', 'The store was closed', { path });
}
