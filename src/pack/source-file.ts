import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SluiceError } from '../format/errors.ts';
import { fromNodeError } from './node-error.ts';
import type { TreeFile } from './tree.ts';

/**
 * A file of the app, open for reading. Duty: either every byte of it as it was when the tree was walked, or an error;
 * a file that changes meanwhile is `changed`.
 */
export class SourceFile {
  readonly #file: TreeFile;
  readonly #descriptor: number;
  readonly #opened: Stats;
  #at = 0;

  constructor(file: TreeFile) {
    this.#file = file;
    try {
      this.#descriptor = openSync(file.source, 'r');
      this.#opened = fstatSync(this.#descriptor);
    } catch (error) {
      throw fromNodeError(error, 'read', file.path);
    }
    if (this.#opened.size !== file.size || !this.#opened.isFile()) {
      this.close();
      throw this.changed(`it had ${file.size} bytes and now has ${this.#opened.size}`);
    }
  }

  /** What is read next begins at this offset. */
  seek(offset: number): void {
    this.#at = offset;
  }

  /** Fills all of `into` with the bytes that come next. */
  read(into: Uint8Array): void {
    let filled = 0;
    while (filled < into.length) {
      const count = this.#attempt(() =>
        readSync(this.#descriptor, into, filled, into.length - filled, this.#at),
      );
      if (count === 0) throw this.changed(`it ended after ${this.#at} of its ${this.#file.size} bytes`);
      filled += count;
      this.#at += count;
    }
  }

  /** To be called when everything was read. */
  finish(): void {
    const { size, mtimeMs } = this.#attempt(() => fstatSync(this.#descriptor));
    if (size !== this.#opened.size || mtimeMs !== this.#opened.mtimeMs) {
      throw this.changed(`it was written to; it had ${this.#file.size} bytes and now has ${size}`);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #attempt<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      throw fromNodeError(error, 'read', this.#file.path);
    }
  }

  /** The error for a file that is not what it was. */
  changed(how: string): SluiceError {
    const { path } = this.#file;
    return new SluiceError('changed', `${path} changed while it was packed: ${how}`, { path });
  }
}

/** The first 64 KiB of a file, or all of a smaller one. */
export function readHead(file: TreeFile): Uint8Array<ArrayBuffer> {
  const source = new SourceFile(file);
  try {
    const head = new Uint8Array(Math.min(file.size, 65_536));
    source.read(head);
    return head;
  } finally {
    source.close();
  }
}
