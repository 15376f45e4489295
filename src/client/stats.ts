import type { DirectoryEntry, FileStat } from '../protocol/loader-api.ts';

/** What `isFile` and `isDirectory` ask. */
abstract class Typed {
  readonly #kind: 'file' | 'directory';

  constructor(kind: 'file' | 'directory') {
    this.#kind = kind;
  }

  isFile(): boolean {
    return this.#kind === 'file';
  }

  isDirectory(): boolean {
    return this.#kind === 'directory';
  }
}

/** What `stat` answers, in the manner of Node's `fs.Stats`. */
export class Stats extends Typed {
  /** Bytes; 0 for a directory. */
  readonly size: number;
  /** Number of the inode: the same for all names of a file. */
  readonly ino: number;
  /** How many names it has. */
  readonly nlink: number;
  /** Content-Type, where the image has one. */
  readonly mime: string | undefined;
  /** Up to 512 bytes for the app's own use, as the build or `setMeta` attached them. */
  readonly meta: Uint8Array<ArrayBuffer> | undefined;

  constructor(stat: FileStat) {
    super(stat.kind);
    this.size = stat.size;
    this.ino = stat.inode;
    this.nlink = stat.links;
    this.mime = stat.mime;
    this.meta = stat.meta;
  }
}

/** What `readdir` answers with `withFileTypes`, in the manner of Node's `fs.Dirent`. */
export class Dirent extends Typed {
  readonly name: string;
  /** The directory that it is in: the path that was read, or one below it. */
  readonly parentPath: string;

  constructor(parentPath: string, entry: DirectoryEntry) {
    super(entry.kind);
    this.name = entry.name;
    this.parentPath = parentPath;
  }
}
