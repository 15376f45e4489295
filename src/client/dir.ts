import { SluiceError } from '../format/errors.ts';
import { asyncDispose } from './async-dispose.ts';
import type { Dirent } from './stats.ts';

/** An open directory, in the manner of Node's `fs.Dir`: what was in it when it was opened. Iterating it to the end closes it. */
export class Dir {
  readonly path: string;
  readonly #entries: Iterator<Dirent>;
  #closed = false;

  /** Not for callers: `opendir` makes these. */
  constructor(path: string, entries: readonly Dirent[]) {
    this.path = path;
    this.#entries = entries.values();
  }

  /** The next entry; null at the end. */
  async read(): Promise<Dirent | null> {
    if (this.#closed)
      throw new SluiceError('EBADF', `EBADF: the directory was closed, read '${this.path}'`, {
        path: this.path,
      });
    const { done, value } = this.#entries.next();
    return done ? null : value;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent, void, void> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
