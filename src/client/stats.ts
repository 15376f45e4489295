import type { DirectoryEntry, FileStat } from '../protocol/loader-api.ts';

/** What `stat` answers, in the manner of Node's `fs.Stats`. */
export class Stats {
  /** Bytes; 0 for a directory. */
  readonly size: number;
  /** Content-Type, where the image has one. */
  readonly mime: string | undefined;
  /** Up to 512 bytes that the build attached for the app's own use. */
  readonly meta: Uint8Array<ArrayBuffer> | undefined;
  readonly #kind: FileStat['kind'];

  constructor(stat: FileStat) {
    this.size = stat.size;
    this.mime = stat.mime;
    this.meta = stat.meta;
    this.#kind = stat.kind;
  }

  isFile(): boolean {
    return this.#kind === 'file';
  }

  isDirectory(): boolean {
    return this.#kind === 'directory';
  }
}

/** What `readdir` answers with `withFileTypes`, in the manner of Node's `fs.Dirent`. */
export class Dirent {
  readonly name: string;
  /** The path that was read. */
  readonly parentPath: string;
  readonly #kind: DirectoryEntry['kind'];

  constructor(parentPath: string, entry: DirectoryEntry) {
    this.name = entry.name;
    this.parentPath = parentPath;
    this.#kind = entry.kind;
  }

  isFile(): boolean {
    return this.#kind === 'file';
  }

  isDirectory(): boolean {
    return this.#kind === 'directory';
  }
}
