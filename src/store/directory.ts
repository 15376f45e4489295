/**
 * An exclusive open file with synchronous positioned I/O, in the manner of FileSystemSyncAccessHandle. Errors of the
 * platform are thrown as SluiceError (`ENOSPC` for an exhausted quota, `unreadable`, `closed` after close).
 */
export interface BlockFile {
  /** Fills `into` from `at`; returns how many bytes there were (fewer only at the end of the file). */
  read(into: Uint8Array, at: number): number;
  /**
   * Writes all of `bytes` at `at`, growing the file as needed (a gap reads as zeros). When it throws, any part of the bytes
   * may have been written.
   */
  write(bytes: Uint8Array, at: number): void;
  size(): number;
  /** Cuts the file, or fills it up with zeros, to `length` bytes. */
  truncate(length: number): void;
  /** Everything written so far is durable when this returns. Nothing else promises that: `close` does not. */
  flush(): void;
  /** Lets others open the file. Closing twice is not an error. */
  close(): void;
}

/** What a reader without handles (the service worker) needs of a {@link Directory}. */
export interface Snapshots {
  /**
   * The file's bytes as they are now; undefined where there is no such file. Works while the file is open. A snapshot may
   * fail to read after a later write: take a new one then. In Firefox it is no copy: it shows what the file of that name
   * holds when it is read, were it another file.
   */
  snapshot(path: string): Promise<Blob | undefined>;
}

/**
 * The platform's edge of the local store: a flat set of files below one root. Paths have at most one folder
 * (`journal-a`, `blobs/<sha256>-7.bin`, `images/<sha256>.bin`); folders are made as needed.
 * Implementations: OPFS, memory, and Node files in the tests. One contract suite runs over all of them.
 */
export interface Directory extends Snapshots {
  /** Opens for reading and writing. Without `create`, a missing file is `ENOENT`. A file that stays open elsewhere is `EBUSY`. */
  open(path: string, options?: { create?: boolean }): Promise<BlockFile>;
  /** The names of the files in a folder, in any order; none where there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Removes a file; a missing one is not an error, an open one is `EBUSY`. */
  remove(path: string): Promise<void>;
}
