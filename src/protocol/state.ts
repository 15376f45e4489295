/** What `window.sluice.state()` answers: plain data, the same for pages, the inspector and tests. */
export interface SluiceState {
  /** SHA-256 of the bootstrap, hex. */
  readonly image: string;
  readonly complete: boolean;
  readonly blocks: { readonly total: number; readonly present: number };
  /** Stored bytes. `fetched` counts what came over the network in this loader's life. */
  readonly bytes: { readonly total: number; readonly present: number; readonly fetched: number };
  readonly pendingReads: readonly PendingReadInfo[];
  readonly loader: LoaderInfo;
  /** Counts changes of the tree, of this image. */
  readonly sequence: number;
  /** Code files that are kept a second time, in Cache Storage; their bytes count towards the origin's quota beside those of the store. */
  readonly copies: { readonly files: number; readonly bytes: number };
  /** Of the service worker; undefined where none answers for this page. */
  readonly mappings?: MappingCounts;
  /** Whether the browser has promised not to clear the origin's storage by itself; undefined where it does not tell, and for mounts by a page. */
  readonly persisted?: boolean;
}

export interface PendingReadInfo {
  /** Increases with each read that has to wait; never used twice by one leader. */
  readonly serial: number;
  /** Of the first who waits. */
  readonly path: string;
  readonly block: { readonly blob: number; readonly index: number };
  readonly ageMs: number;
  /** Until the last who waits gives up. */
  readonly deadlineMs: number;
  readonly waiters: number;
}

export interface LoaderInfo {
  readonly id: string;
  readonly role: 'leader' | 'standby';
  /** `memory` where the browser gives no OPFS, or storing has stopped for lack of room: what comes then does not outlive the tab. */
  readonly storage: 'opfs' | 'memory';
  /** `launching`: nobody waits, and the rest of the image is not asked for yet, so as not to disturb the page that is being launched. */
  readonly activity: 'starting' | 'demand' | 'background' | 'launching' | 'idle' | 'offline' | 'backing-off';
  /** Measured, bytes per second; 0 = not known yet. */
  readonly rate: number;
  readonly requests: number;
  readonly retries: number;
  readonly errors: number;
  readonly lastError: { readonly code: string; readonly message: string; readonly at: number } | undefined;
  /** By the age of the oldest pending read, as Incremental FS tells it: over 2 s blocked, over 7 s unhealthy. */
  readonly health: 'ok' | 'blocked' | 'unhealthy';
  /** The last read that ended without its bytes. */
  readonly lastReadError: ReadErrorInfo | undefined;
}

export interface ReadErrorInfo {
  readonly path: string;
  readonly block: { readonly blob: number; readonly index: number };
  readonly code: string;
  /** By Date.now(). */
  readonly at: number;
}

/** What the service worker remembers of where bytes are; see mapping-cache.ts. */
export interface MappingCounts {
  readonly hits: number;
  readonly misses: number;
  /** Mappings that were taken before a change, and looked up again. */
  readonly revalidations: number;
}

/** A progress event's detail; at most four a second, and one at the end. */
export interface Progress {
  readonly present: number;
  readonly total: number;
  readonly rate: number;
  readonly complete: boolean;
  /** The path that somebody waits for now, if any. */
  readonly waitingFor: string | undefined;
}

/** A `release` event's detail: the next navigation gets `image`. */
export interface NewRelease {
  readonly image: string;
  /** The server does not have the image that is running any more: what is missing of it will not come. */
  readonly isGone: boolean;
}

/** One entry of the read log, oldest first: what a build takes as its launch trace. */
export interface ReadLogEntry {
  readonly path: string;
  readonly blob: number;
  /** -1 is the blob's table. */
  readonly block: number;
  /** The bytes `[start, end)` of the file that lie in the block, and how many the file has; not there where that cannot be told any more. */
  readonly start?: number;
  readonly end?: number;
  readonly size?: number;
  /** Milliseconds since {@link ReadLog.since}; negative for what was read before. */
  readonly atMs: number;
  readonly waitedMs: number;
  /** The code of the error that the read ended with, if it did. */
  readonly failed?: string;
}

export interface ReadLog {
  readonly sluice: 1;
  readonly image: string;
  /** When the mount began that logs, in milliseconds of the epoch. A service worker may have read before it for the launch that the mount is a part of. */
  readonly since: number;
  readonly reads: readonly ReadLogEntry[];
}
