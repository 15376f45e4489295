import { SluiceError } from '../format/errors.ts';
import type { ReadLog, SluiceState } from '../protocol/state.ts';
import type { LoaderProcess } from './loader-process.ts';
import { Dirent, Stats } from './stats.ts';

export interface MountOptions {
  /** How long a read may wait for a missing block, in ms. Default 30,000. */
  readonly readTimeoutMs?: number;
  /** false: fetch only what is read or prefetched, do not complete the image in the background. Default true. */
  readonly background?: boolean;
}

export interface ReadFileOptions {
  /** With it the text is answered, decoded; without it the bytes. */
  readonly encoding?: 'utf8' | 'utf-8' | undefined;
}

export interface ReadStreamOptions {
  /** First byte. Default 0. */
  readonly start?: number;
  /** Last byte, inclusive, as in Node's `fs.createReadStream`. Default: the file's last. */
  readonly end?: number;
}

const defaultReadTimeoutMs = 30_000;
/** One call's worth of a long read: each has a deadline of its own, so that a slow link may take its time for a large file. */
const pieceBytes = 1 << 20;
/** The loader ends a read that is late; this is for a loader that says nothing. */
const graceMs = 5_000;

/**
 * An image that a page mounted by itself, to be read in the manner of Node's `fs/promises`. Paths are the image's, with or without a
 * leading slash. Everything rejects with SluiceErrors that are shaped like Node's (`code`, `path`): ENOENT, EISDIR, ENOTDIR, EINVAL, and
 * the read errors `read-timeout`, `offline`, `bad-origin`, `integrity`. Dispatches `progress` events (CustomEvent with a Progress).
 */
export class MountedImage extends EventTarget {
  readonly #loader: LoaderProcess;
  #readTimeoutMs: number;

  /** Not for callers: {@link mount} makes these. */
  constructor(loader: LoaderProcess, readTimeoutMs = defaultReadTimeoutMs) {
    super();
    this.#loader = loader;
    this.#readTimeoutMs = readTimeoutMs;
  }

  readFile(path: string, options?: { readonly encoding?: undefined }): Promise<Uint8Array<ArrayBuffer>>;
  readFile(
    path: string,
    options: 'utf8' | 'utf-8' | { readonly encoding: 'utf8' | 'utf-8' },
  ): Promise<string>;
  async readFile(
    path: string,
    options: 'utf8' | 'utf-8' | ReadFileOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | string> {
    const encoding = typeof options === 'string' ? options : options.encoding;
    if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'utf-8') {
      throw new SluiceError('EINVAL', `EINVAL: encoding ${String(encoding)} is not utf8`, { path });
    }
    const { size } = await this.#fileStat(path);
    const bytes = new Uint8Array(size);
    const fill = async (at: number): Promise<void> => {
      if (at < size) bytes.set(await this.#read(path, at, Math.min(size, at + pieceBytes)), at);
    };
    // Some pieces at once, so that the link never idles between two calls.
    for (let at = 0; at < size; at += 4 * pieceBytes) {
      await Promise.all([0, 1, 2, 3].map((piece) => fill(at + piece * pieceBytes)));
    }
    return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
  }

  async stat(path: string): Promise<Stats> {
    return new Stats(await this.#loader.call(`stat ${path}`, (api) => api.stat(path)));
  }

  readdir(path: string, options?: { readonly withFileTypes?: false }): Promise<string[]>;
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<Dirent[]>;
  async readdir(
    path: string,
    options: { readonly withFileTypes?: boolean } = {},
  ): Promise<string[] | Dirent[]> {
    const entries = await this.#loader.call(`readdir ${path}`, (api) => api.readdir(path));
    return options.withFileTypes
      ? entries.map((entry) => new Dirent(path, entry))
      : entries.map(({ name }) => name);
  }

  /** The file's bytes from `start` to `end`, both inclusive and both clamped to the file, a piece a pull. */
  createReadStream(path: string, options: ReadStreamOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { start = 0, end = Number.POSITIVE_INFINITY } = options;
    if (!(Number.isSafeInteger(start) && start >= 0 && end >= start)) {
      throw new SluiceError('EINVAL', `EINVAL: from ${start} to ${end} is no range`, { path });
    }
    let at = start;
    let stop = 0;
    return new ReadableStream({
      start: async () => {
        const { size } = await this.#fileStat(path);
        stop = Math.min(size, end + 1);
      },
      pull: async (controller) => {
        if (at >= stop) {
          controller.close();
          return;
        }
        const piece = await this.#read(path, at, Math.min(stop, at + pieceBytes));
        at += piece.length;
        controller.enqueue(piece);
      },
    });
  }

  /** Resolves when all of these files are stored. They come before the background's work and after the readers'. */
  prefetch(paths: readonly string[]): Promise<void> {
    return this.#loader.call('prefetch', (api) => api.prefetch(paths, 'demand'), Number.POSITIVE_INFINITY);
  }

  state(): Promise<SluiceState> {
    return this.#loader.call('state', (api) => api.state());
  }

  /** Resolves when every block of the image is stored. */
  whenComplete(): Promise<void> {
    return this.#loader.whenComplete();
  }

  readLog(): Promise<ReadLog> {
    return this.#loader.call('readLog', (api) => api.readLog());
  }

  get readTimeoutMs(): number {
    return this.#readTimeoutMs;
  }

  set readTimeoutMs(ms: number) {
    if (!(ms > 0)) throw new SluiceError('EINVAL', `readTimeoutMs must be a positive number, not ${ms}`);
    this.#readTimeoutMs = ms;
  }

  /** What was read is made durable, then the loader ends. Calls that are outstanding reject with `closed`. */
  close(): Promise<void> {
    return this.#loader.close();
  }

  async #fileStat(path: string): Promise<Stats> {
    const stats = await this.stat(path);
    if (stats.isDirectory())
      throw new SluiceError('EISDIR', `EISDIR: illegal operation on a directory, read '${path}'`, { path });
    return stats;
  }

  #read(path: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const timeoutMs = this.#readTimeoutMs;
    return this.#loader.call(
      `read ${path}`,
      (api) => api.read(path, start, end, timeoutMs),
      timeoutMs + graceMs,
    );
  }
}
