import type { BlobRecord } from '../format/blob-record.ts';
import type { DirectoryEntry } from './directory.ts';
import type { Inode, LaunchSet } from './image.ts';
import type { BlockSpan, ExtentSpan } from './map-range.ts';

/**
 * A tree of files as everything that reads sees it: a published image, or one with what was added and removed at run time. The methods
 * are {@link Image}'s.
 */
export interface FileTree {
  /** SHA-256 of the image's bootstrap, hex. */
  readonly id: string;
  readonly crossOriginIsolate: boolean;
  readonly fallback: number | undefined;
  readonly launchSet: LaunchSet | undefined;
  lookup(path: string): number | undefined;
  inode(n: number): Inode;
  readdir(n: number): Iterable<DirectoryEntry>;
  pathOf(n: number): string;
  files(): Iterable<{ readonly inode: number; readonly path: string }>;
  /** Published blobs, and behind them the private ones of files made at run time. */
  readonly blobCount: number;
  /** False for the private blob of a file that was removed. */
  hasBlob(i: number): boolean;
  blob(i: number): BlobRecord;
  mapRange(inode: number, start: number, end: number): Iterable<BlockSpan>;
  mapExtents(inode: number, start: number, end: number): Iterable<ExtentSpan>;
}
