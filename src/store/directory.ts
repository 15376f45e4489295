/**
 * An exclusive open file with synchronous positioned I/O, in the manner of FileSystemSyncAccessHandle. Errors of the
 * platform are thrown as {@link SluiceError} (`ENOSPC` for an exhausted quota, `unreadable`, `EBUSY`).
 */
export interface BlockFile {
  /** Fills `into` from `at`; returns how many bytes there were (fewer only at the end of the file). */
  read(into: Uint8Array, at: number): number;
  /** Writes all of `bytes` at `at`, growing the file as needed. */
  write(bytes: Uint8Array, at: number): void;
  size(): number;
  truncate(length: number): void;
  /** Everything written so far is durable when this returns. */
  flush(): void;
  close(): void;
}

/**
 * The platform's edge of the local store: a flat set of files below one root. Paths have at most one folder
 * (`journal-a`, `blobs/<sha256>.bin`, `images/<sha256>.bin`).
 * Implementations: OPFS, Node files, memory. One contract suite runs over all of them.
 */
export interface Directory {
  /** Opens for reading and writing. Without `create`, a missing file is `ENOENT`. A file that is open is `EBUSY`. */
  open(path: string, options?: { create?: boolean }): Promise<BlockFile>;
  /**
   * The file's bytes as they are now, for readers that hold no handle (the service worker); undefined where there is no
   * such file. A snapshot may fail to read after a later write: take a new one then.
   */
  snapshot(path: string): Promise<Blob | undefined>;
  list(folder: string): Promise<string[]>;
  /** Removes a file; a missing one is not an error. */
  remove(path: string): Promise<void>;
}
