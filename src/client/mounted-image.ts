import { asyncDispose } from './async-dispose.ts';
import { Dir } from './dir.ts';
import { FileBytes } from './file-bytes.ts';
import { FileHandle } from './file-handle.ts';
import { LiveImage } from './live-image.ts';
import type { LoaderProcess } from './loader-process.ts';
import { decoded, type Encoding, type ReadFileOptions } from './read-file.ts';
import { type ReadStreamOptions, readStream } from './read-stream.ts';
import { selectFiles } from './select-files.ts';
import { Dirent, Stats } from './stats.ts';
import { joinPath, walk } from './walk.ts';

export interface ReaddirOptions {
  /** Everything below, too; names are paths from the directory then. */
  readonly recursive?: boolean;
}

/**
 * An image that a page mounted by itself, to be read in the manner of Node's `fs/promises`. Reads reject with ENOENT, EISDIR, EINVAL, and
 * with `read-timeout`, `offline`, `bad-origin`, `integrity`. Names and metadata are answered by what is here: they never touch the network.
 * Where files are listed (`prefetch`, `pin`, …) what has a `*`, `?` or `**` is a pattern: `*` stays within a name, a pattern without a slash matches
 * in every directory. Dispatches `progress` events (CustomEvent with a Progress), and `release` events (a NewRelease) when the server names another image.
 */
export class MountedImage extends LiveImage {
  readonly #loader: LoaderProcess;
  readonly #bytes: FileBytes;

  /** Not for callers: `mount` makes these. */
  constructor(loader: LoaderProcess) {
    super(loader);
    this.#loader = loader;
    this.#bytes = new FileBytes(loader, () => this.readTimeoutMs);
  }

  /** For reads at any position. Directories have `opendir`. */
  async open(path: string): Promise<FileHandle> {
    return new FileHandle(this.#bytes, path, (await this.#bytes.stat(path)).size);
  }

  async stat(path: string): Promise<Stats> {
    return new Stats(await this.#loader.call(`stat ${path}`, (api) => api.stat(path)));
  }

  /** Resolves when the path is there; rejects with ENOENT. Everything that is there can be read. */
  async access(path: string): Promise<void> {
    await this.stat(path);
  }

  readdir(path: string, options?: ReaddirOptions & { readonly withFileTypes?: false }): Promise<string[]>;
  readdir(path: string, options: ReaddirOptions & { readonly withFileTypes: true }): Promise<Dirent[]>;
  /** Names in the order of their bytes; with `recursive` a level after the other. */
  async readdir(
    path: string,
    options: ReaddirOptions & { readonly withFileTypes?: boolean } = {},
  ): Promise<string[] | Dirent[]> {
    const { recursive = false, withFileTypes = false } = options;
    const entries = recursive
      ? await walk(this.#read, path)
      : (await this.#read(path)).map((entry) => new Dirent(path, entry));
    if (withFileTypes) return entries;
    const from = joinPath(path, '').length;
    return entries.map(({ parentPath, name }) => joinPath(parentPath, name).slice(from));
  }

  async opendir(path: string, options: ReaddirOptions = {}): Promise<Dir> {
    return new Dir(path, await this.readdir(path, { ...options, withFileTypes: true }));
  }

  readFile(
    path: string,
    options?: ReadFileOptions & { readonly encoding?: undefined },
  ): Promise<Uint8Array<ArrayBuffer>>;
  readFile(
    path: string,
    options: Encoding | (ReadFileOptions & { readonly encoding: Encoding }),
  ): Promise<string>;
  readFile(
    path: string,
    options: Encoding | ReadFileOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | string> {
    return decoded(path, options, async (read) => {
      const bytes = new Uint8Array((await this.#bytes.stat(path)).size);
      await this.#bytes.fill(bytes, path, 0, read);
      return bytes;
    });
  }

  /** From `start` to `end`, both inclusive and both clamped to the file, a piece a pull. Cancelling it withdraws its read. */
  createReadStream(path: string, options: ReadStreamOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    return readStream(this.#bytes, path, options);
  }

  /** What was read is made durable, then the loader ends. Calls that are outstanding reject with `closed`. */
  close(): Promise<void> {
    return this.#loader.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  protected override select(paths: readonly string[]): Promise<readonly string[]> {
    return selectFiles(paths, this.#read);
  }

  readonly #read = (path: string) => this.#loader.call(`readdir ${path}`, (api) => api.readdir(path));
}
