import { SluiceError } from '../format/errors.ts';
import { asyncDispose } from './async-dispose.ts';
import type { FileBytes, ReadOptions } from './file-bytes.ts';
import { decoded, type Encoding, type ReadFileOptions } from './read-file.ts';
import type { Stats } from './stats.ts';

export interface HandleReadOptions extends ReadOptions {
  /** Where in the buffer the bytes go. Default 0. */
  readonly offset?: number | undefined;
  /** How many bytes are wanted. Default: as many as fit. */
  readonly length?: number | undefined;
  /** Where in the file they lie; null or nothing: where the read before ended. */
  readonly position?: number | null | undefined;
}

export interface HandleReadResult<Buffer extends ArrayBufferView> {
  /** Fewer than wanted only at the file's end; 0 behind it. */
  readonly bytesRead: number;
  readonly buffer: Buffer;
}

/** What `read` fills where it is given no buffer, as in Node. */
const defaultBufferBytes = 16 * 1024;

/** An open file, in the manner of Node's `FileHandle`. It holds the name, not the file: what is unlinked cannot be read on. */
export class FileHandle {
  /** As it was opened. */
  readonly path: string;
  readonly #bytes: FileBytes;
  readonly #size: number;
  #position = 0;
  #closed = false;

  /** Not for callers: `open` makes these. `size` is the file's; it never changes. */
  constructor(bytes: FileBytes, path: string, size: number) {
    this.#bytes = bytes;
    this.path = path;
    this.#size = size;
  }

  read<Buffer extends ArrayBufferView>(
    buffer: Buffer,
    offset?: number,
    length?: number,
    position?: number | null,
  ): Promise<HandleReadResult<Buffer>>;
  read<Buffer extends ArrayBufferView>(
    buffer: Buffer,
    options?: HandleReadOptions,
  ): Promise<HandleReadResult<Buffer>>;
  read<Buffer extends ArrayBufferView = Uint8Array<ArrayBuffer>>(
    options?: HandleReadOptions & { readonly buffer?: Buffer },
  ): Promise<HandleReadResult<Buffer>>;
  /** Rejects with `ERANGE` for a part of the buffer that it does not have, `EINVAL` for a position that is none, `EBADF` after `close`. */
  async read(
    first: ArrayBufferView | (HandleReadOptions & { readonly buffer?: ArrayBufferView }) = {},
    second: number | HandleReadOptions = {},
    count?: number,
    at?: number | null,
  ): Promise<HandleReadResult<ArrayBufferView>> {
    this.#requireOpen();
    const given = ArrayBuffer.isView(first) ? { buffer: first } : first;
    const options: HandleReadOptions & { readonly buffer?: ArrayBufferView } = {
      ...given,
      ...(typeof second === 'number' ? { offset: second, length: count, position: at } : second),
    };
    const buffer = options.buffer ?? new Uint8Array(defaultBufferBytes);
    const { offset = 0, length = buffer.byteLength - offset } = options;
    const position = options.position ?? this.#position;
    if (!isCount(offset) || !isCount(length) || offset + length > buffer.byteLength)
      throw this.#error('ERANGE', `the buffer has no ${length} bytes at ${offset}`);
    if (!isCount(position)) throw this.#error('EINVAL', `${position} is no position in a file`);
    const bytesRead = Math.max(0, Math.min(length, this.#size - position));
    const target = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, bytesRead);
    await this.#bytes.fill(target, this.path, position, options);
    // Afterwards, so that a read which failed can be tried again.
    if (typeof options.position !== 'number') this.#position = position + bytesRead;
    return { bytesRead, buffer };
  }

  readFile(options?: ReadFileOptions & { readonly encoding?: undefined }): Promise<Uint8Array<ArrayBuffer>>;
  readFile(options: Encoding | (ReadFileOptions & { readonly encoding: Encoding })): Promise<string>;
  /** From where the read before ended to the end of the file, as in Node. */
  async readFile(options: Encoding | ReadFileOptions = {}): Promise<Uint8Array<ArrayBuffer> | string> {
    this.#requireOpen();
    return decoded(this.path, options, async (read) => {
      const buffer = new Uint8Array(Math.max(0, this.#size - this.#position));
      await this.read(buffer, read);
      return buffer;
    });
  }

  async stat(): Promise<Stats> {
    this.#requireOpen();
    return this.#bytes.stat(this.path);
  }

  /** Idempotent. Reads that are under way end by themselves. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#error('EBADF', 'the handle was closed');
  }

  #error(code: 'EBADF' | 'EINVAL' | 'ERANGE', words: string): SluiceError {
    return new SluiceError(code, `${code}: ${words}, read '${this.path}'`, { path: this.path });
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
