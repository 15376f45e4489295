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
  readonly #onLost: (path: string) => void;
  /** Least recently used first. */
  readonly #open = new Map<string, BlockFile>();
  /** Open files with writes that are not flushed. */
  readonly #dirty = new Set<string>();
  /** How many removals of a file wait for their turn. */
  readonly #removals = new Map<string, number>();
  /** The first flush that failed since the last {@link flush}, which reports it. */
  #failure: { readonly error: unknown } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * `onLost`: a flush of the file has failed. What was written to it since the flush before is lost for ever, whatever a read may still show: Linux calls
   * pages clean that it could not write, so another flush would succeed without them. The file is closed, so that nothing of it is remembered.
   */
  constructor(directory: Directory, limit: number, onLost: (path: string) => void) {
    this.#directory = directory;
    this.#limit = limit;
    this.#onLost = onLost;
  }

  /**
   * Runs `action` (synchronous, and repeatable) on the open file. `ENOENT` when it is missing. Where the action fails, it is tried once more on the file
   * opened anew.
   */
  read<T>(path: string, action: (file: BlockFile) => T): Promise<T> {
    let failures = 0;
    return this.#use(path, false, (file) => {
      try {
        return { value: action(file) };
      } catch (error) {
        this.#letGo(path);
        if (failures++ > 0) throw error;
        return undefined;
      }
    });
  }

  /** Like {@link read}, and remembers that the file needs a flush. With `create`, a missing file is made. */
  write<T>(path: string, create: boolean, action: (file: BlockFile) => T): Promise<T> {
    return this.#use(path, create, (file) => {
      this.#dirty.add(path);
      return { value: action(file) };
    });
  }

  /**
   * Everything written so far through the pool, but what `onLost` was told of, is durable when this ends: returns, or throws because something was lost since
   * the last call.
   */
  flush(): void {
    for (const path of [...this.#dirty]) this.#flush(path);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
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

  /** An action that answers undefined is run again, on the file as it is opened then. */
  async #use<T>(
    path: string,
    create: boolean,
    action: (file: BlockFile) => { readonly value: T } | undefined,
  ): Promise<T> {
    for (;;) {
      const found = this.#touch(path);
      const at = found && action(found);
      if (at) return at.value;
      const done = await this.#enqueue(async () => {
        // What was asked for before a removal that is still to come must not touch the file that goes: once more, behind it.
        if (this.#removals.has(path)) return undefined;
        const opened = this.#touch(path);
        if (opened !== undefined) return action(opened);
        this.#makeRoom();
        const file = await this.#directory.open(path, { create });
        if (this.#closed) {
          file.close();
          throw closedError(path);
        }
        this.#open.set(path, file);
        return action(file);
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
      this.#letGo(clean ?? paths[0]!);
    }
  }

  /** Closes a file of which nothing is taken away: the next commit, which flushes open files only, may journal what was written to it. */
  #letGo(path: string): void {
    if (this.#dirty.has(path)) this.#flush(path);
    this.close(path);
  }

  /** Never throws: the next {@link flush} reports what happens here. */
  #flush(path: string): void {
    try {
      this.#open.get(path)?.flush();
      this.#dirty.delete(path);
    } catch (error) {
      this.#failure ??= { error };
      this.close(path);
      this.#onLost(path);
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
