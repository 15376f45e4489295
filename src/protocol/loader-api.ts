import type { TreeOperation } from '../format/tree-operation.ts';
import type { FsmapPage, FsmapQuery } from './fsmap.ts';
import type { Inspection, InspectionCursor } from './inspection.ts';
import type { LaunchMetrics } from './launch-metrics.ts';
import type { ReleaseRecord } from './messages.ts';
import type { PendingReadInfo, Progress, ReadLog, SluiceState } from './state.ts';

/**
 * What a page may call on its loader worker (through comlink). Every method ends: a value, a SluiceError (as a
 * WireError), or, on the page's side, a deadline or the loader's death.
 */
export interface LoaderApi {
  /** First call. Starts loading at once. Resolves when the image is mounted (bootstrap verified). */
  start(options: LoaderOptions): Promise<{ readonly loader: string; readonly image: string }>;
  /** A port to a service worker; the loader says `hello` on it. */
  connect(port: MessagePort): void | Promise<void>;
  /** Answers at once, by itself: whether this worker still hears. One that does not is replaced by its page. */
  ping(): void;
  state(): Promise<SluiceState>;
  readLog(): Promise<ReadLog>;
  /** `onProgress` is a comlink proxy; replaces the one before. */
  watch(onProgress: (progress: Progress) => void): void;
  /**
   * `onRelease` is a comlink proxy, called when `sluice.json` names another image than the one that this loader is
   * bound to, once its bootstrap is in the store: it answers the next navigation. Replaces the one before; called at once
   * if such a release is known already. `isGone`: the server does not have the image of this loader any more; what is missing of it will not come.
   */
  watchRelease(onRelease: (release: ReleaseRecord, isGone: boolean) => void): void;
  whenComplete(): Promise<void>;
  /** The app's page has taken the place of the boot page: somebody reads now whom background work would disturb. */
  launched(): Promise<void>;
  /** Everything that is written is durable and journaled when this resolves. */
  flush(): Promise<void>;
  /** Reading for pages that mount an image themselves. Paths as in the image, without a leading slash or with one. */
  stat(path: string): Promise<FileStat>;
  readdir(path: string): Promise<readonly DirectoryEntry[]>;
  /**
   * Half-open range of the file; `end` is clamped to its size. `timeoutMs`: how long each missing block is waited for; 0 = not at all.
   * `ticket`: a number of the caller's choice by which {@link cancelRead} can withdraw it.
   */
  read(
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    ticket?: number,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Nobody waits any more for the read with this ticket: it rejects, and so do its pending reads without other waiters. Not known: nothing. */
  cancelRead(ticket: number): void;
  /** Resolves when all of these files are here. */
  prefetch(paths: readonly string[], priority: PrefetchPriority): Promise<void>;
  /** The parts of a file that can be read without waiting: half-open, in order, apart. */
  filledRanges(path: string): Promise<readonly ByteRange[]>;
  /** Makes a change of the tree. Resolves when it is durable and the service worker answers by it. */
  changeTree(operation: TreeOperation): Promise<void>;
  /**
   * The reads that wait, with serials above `after`, oldest first; answers at once where there are some, else as soon as one comes, else
   * nothing after `waitMs`. Holds only reads that had begun when it was made.
   * The serials of a leader are above those of every leader before it: whoever goes on after its last serial is told anew of all that
   * pends when the leader has changed.
   */
  pendingReads(after: number, waitMs: number): Promise<readonly PendingReadInfo[]>;
  /**
   * Blocks from a data loader, in any order, verified like fetched ones; one that is present is ignored. Resolves when they can be read.
   * Rejects with `ENOENT` (no such file or blob), `ERANGE` (no such block), `E2BIG`, `EINVAL` (too long, too short) or `integrity`; the blocks
   * before the wrong one are taken.
   */
  provideBlocks(blocks: readonly ProvidedBlock[]): Promise<void>;
  /** How many reads are remembered; 0 = none. Applies to what comes; the latest that fit are kept. */
  setReadLog(capacity: number): Promise<void>;
  /**
   * Keeps the blobs that hold these files from being culled and evicted (`pinned` true), also those that are still to come, or no longer; no paths = the
   * whole image. Blobs are pinned: files that share one share its pin. Durable when it resolves. Rejects with `ENOENT`, `EISDIR`, `ENOSPC`.
   */
  pin(paths: readonly string[], pinned: boolean): Promise<void>;
  /**
   * Gives back the local space of these files (no paths = of the whole image): of each blob of which nothing else is needed, be it by another file, another
   * stored image, or a pin. Files made at run time stay: their blobs have no other copy. The image is no longer completed in the background,
   * until somebody mounts it anew; what is read comes again. Resolves when service workers answer by it; a request for one of the files that is being
   * answered meanwhile may fail. Rejects with `ENOENT`, `EISDIR`.
   */
  evict(paths: readonly string[]): Promise<void>;
  /**
   * Reads everything that is stored of this image and compares it with its digests, behind all who read; what is bad is dropped, and is fetched again in
   * the background, or before that when somebody reads it. Takes as long as the disk needs for twice as much.
   */
  scrub(): Promise<ScrubReport>;
  /** One page of the local store's map, in physical order: every file of the scope's store, with owners in all images that it has. */
  fsmap(query: FsmapQuery): Promise<FsmapPage>;
  /** What an inspector sees of this image, see inspection.ts; `cursor` is that of the answer before. */
  inspect(cursor: InspectionCursor | undefined): Promise<Inspection>;
  /** Of a launch that began at `start` and is ready now, at `end`; in Unix ms. Answers when the service worker must have told what it has read. */
  launchMetrics(start: number, end: number): Promise<Omit<LaunchMetrics, 'wasComplete'>>;
  close(): Promise<void>;
}

/** `demand`: as if somebody waited for it. `launch`: before the rest. `background`: in its turn. */
export type PrefetchPriority = 'demand' | 'launch' | 'background';

/** Half-open, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type ProvidedBlock =
  /** A block of a file that was made at run time: `block` counts from the file's begin, `bytes` are its content. */
  | { readonly path: string; readonly block: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** A stored block of a published blob, as published; -1 is its block table. */
  | { readonly blob: number; readonly block: number; readonly bytes: Uint8Array<ArrayBuffer> };

export interface ScrubReport {
  /** Blocks that were compared with their digests. */
  readonly blocks: number;
  /** That were read: blocks, block tables, the bootstrap. */
  readonly bytes: number;
  readonly bad: readonly BadBlock[];
}

/** Something stored that did not match its digest. */
export interface BadBlock {
  /** SHA-256 of the blob, or the name of the private blob of a file made at run time; of the bootstrap, where that is bad. */
  readonly blob: string;
  /** -1: the blob's table, and with it all of the blob, unless the table was at hand; or the bootstrap. */
  readonly block: number;
  /** Every path that it hurts, without a leading slash, of all images that are stored; '/' for a bootstrap, which is all of its image. */
  readonly paths: readonly string[];
  /**
   * It cannot be fetched again: the block is one of a file made at run time, whose reads wait now until somebody provides it; or the source did not give
   * the bootstrap, which then stays as it is, for the next scrub or launch to try again.
   */
  readonly lost: boolean;
}

export interface LoaderOptions {
  /** Absolute URL of the site directory, with a trailing slash. */
  readonly scope: string;
  /** What the boot page carries; without it the loader fetches `sluice.json`. */
  readonly release?: ReleaseRecord;
  /** false: fetch only what is read. Default true. */
  readonly background?: boolean;
  /** Started by an inspector to look into the store, and no tab. Default false. */
  readonly isInspector?: boolean;
  /** Where blocks come from instead of HTTP, while this loader leads: the other end speaks source-port.ts. */
  readonly source?: MessagePort;
  /** See {@link LoaderApi.setReadLog}. */
  readonly readLog?: number;
}

export interface FileStat {
  readonly kind: 'file' | 'directory';
  readonly size: number;
  readonly mime: string | undefined;
  readonly meta: Uint8Array<ArrayBuffer> | undefined;
  readonly inode: number;
  /** How many names it has. */
  readonly links: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}
