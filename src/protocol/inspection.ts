import type { PendingReadInfo, ReadLogEntry, SluiceState } from './state.ts';

/**
 * What an inspector sees. It asks the leader again and again (LoaderService.inspect), with the cursor of the answer before; each answer has the state of the
 * moment whole, and of what happens one after the other (reads, fetches, errors) what is new. A leader that nobody asks does nothing for it but keep its
 * rings of the last events.
 *
 * All times are milliseconds since 1970, of the leader's clock, with fractions: one axis for pages, workers and service workers of a machine.
 */
export interface Inspection {
  /** For the next query. */
  readonly cursor: InspectionCursor;
  /** When it was taken. */
  readonly at: number;
  readonly state: Omit<SluiceState, 'loader'> & {
    readonly loader: Omit<SluiceState['loader'], 'id' | 'role'>;
  };
  /**
   * The state of each published block, blob after blob in the image's order: runs, see block-states.ts. The tables of the blobs are not in it.
   */
  readonly blocks: Uint32Array<ArrayBuffer>;
  readonly pending: readonly InspectedPending[];
  /** Files that were made at run time, as they were made: {@link mostMadeFiles} at most. Their blocks are not in `blocks`. */
  readonly made: readonly InspectedMadeFile[];
  /** As the read log has them, of all tabs; those that began before the mount too. */
  readonly reads: readonly InspectedRead[];
  /** Those that have changed since the cursor: under way, or ended. */
  readonly fetches: readonly InspectedFetch[];
  readonly errors: readonly InspectedError[];
  readonly queue: readonly InspectedQueue[];
  readonly link: { readonly bytesPerSecond: number; readonly latencyMs: number };
  /** Loaders that live: of tabs, of whoever else has mounted an image of this site, and of inspectors. */
  readonly tabs: readonly InspectedTab[];
  /** Images that are stored or mounted, the one that was used last first. */
  readonly versions: readonly InspectedVersion[];
  readonly storage: InspectedStorage;
  readonly switches: InspectorSwitches;
}

/** Says what an inspector has seen already. */
export interface InspectionCursor {
  /** Names the leader and the image that was looked at. Another one than that of the answer before: all that it has is new, and serials begin anew. */
  readonly leader: string;
  /** The last read, and the last error, that was told. */
  readonly read: number;
  readonly error: number;
  /** The last change of a fetch that was told: not a serial. */
  readonly fetch: number;
}

/** More files that were made at run time are not told. */
export const mostMadeFiles = 1000;

/** A file that was made at run time. */
export interface InspectedMadeFile {
  /** Without a leading slash; of several names the first. */
  readonly path: string;
  readonly size: number;
  /** How many blocks it has, and how many of them are here. */
  readonly blocks: number;
  readonly present: number;
}

/** A read that waits. */
export interface InspectedPending extends PendingReadInfo {
  /** What is being done about it: `queued`: its turn comes; `fetching`: a request brings it; `backing-off`: it is asked for again later; `paused`: the inspector holds it. */
  readonly doing: 'queued' | 'fetching' | 'backing-off' | 'paused';
  /** The fetch that brings it, where one does. */
  readonly fetch?: number;
  readonly retries: number;
}

/** One read of one block (-1: a blob's table), by whomever. */
export interface InspectedRead extends ReadLogEntry {
  /** Grows with each. */
  readonly serial: number;
  /** Begin, on the axis of the inspection. */
  readonly at: number;
  /** Present where the loader brought the block for a reader who waited: when which step was done. */
  readonly steps?: {
    /** The request that brought it was sent. */
    readonly sent: number;
    /** Its first byte came. */
    readonly answered: number;
    /** All bytes of the block had come. */
    readonly arrived: number;
    /** Its digest was checked, and its reader has it. */
    readonly verified: number;
  };
  /** How long it took to decode the block, where the service worker has told (of a run of blocks that were here, each one's share). */
  readonly decodeMs?: number;
}

/** One request of the loader to its source. */
export interface InspectedFetch {
  /** Grows with each. */
  readonly serial: number;
  readonly blob: number;
  /** Half-open, in bytes of the blob. */
  readonly start: number;
  readonly end: number;
  readonly kind: 'demand' | 'launch' | 'background';
  readonly sent: number;
  /** undefined: not yet. */
  readonly answered: number | undefined;
  readonly ended: number | undefined;
  readonly bytes: number;
  readonly blocks: number;
  /** How long blocks of it were under verification: they are verified side by side. */
  readonly verifyMs: number;
  /** The code of the error that it ended with; `closed`: nobody wanted the rest. */
  readonly failed?: string;
}

/** Something that went wrong, and was met. */
export interface InspectedError {
  readonly serial: number;
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

/** What waits for its turn, by class. */
export interface InspectedQueue {
  readonly kind: 'demand' | 'launch' | 'background';
  /** That are missing and not in flight. */
  readonly blocks: number;
}

export interface InspectedTab {
  readonly loader: string;
  readonly image: string;
  readonly isLeader: boolean;
  /** No tab of the app, but an inspector that looks into the store. */
  readonly isInspector: boolean;
  /** Where the leader's service worker knows it. */
  readonly page?: InspectedPage;
}

export interface InspectedPage {
  /** Of its URL, without query and fragment. */
  readonly path: string;
  readonly isVisible: boolean;
}

export interface InspectedVersion {
  readonly image: string;
  /** Some tab uses it. */
  readonly inUse: boolean;
  /** In the store, or only mounted. */
  readonly isStored: boolean;
  /** In Unix ms. */
  readonly lastUsed: number | undefined;
  /** Of local files, those that it shares with others counted whole. */
  readonly bytes: number;
  /** Stored bytes of its blobs: how many there are, and how many are here. undefined where its bootstrap cannot be read. */
  readonly stored: { readonly total: number; readonly present: number } | undefined;
}

/** A site at one glance: less than an {@link Inspection}, of all of its images. */
export type SiteOverview = Pick<Inspection, 'tabs' | 'versions'> & Pick<InspectedStorage, 'kind'>;

export interface InspectedStorage {
  readonly kind: 'opfs' | 'memory';
  /** Of the origin; undefined where the browser does not tell. */
  readonly room:
    | { readonly usage: number; readonly quota: number; readonly persisted?: boolean | undefined }
    | undefined;
  readonly journalBytes: number;
  /** Fractions of the quota, see culling.ts. */
  readonly limits: { readonly run: number; readonly cull: number; readonly stop: number };
  /** What culling would give back next, were it due now: blobs, by SHA-256, first first; at most 20. */
  readonly next: readonly { readonly sha256: string; readonly bytes: number }[];
}

/** What an inspector can change of how the leader works, to see what then happens. All of it ends with the leader. */
export interface InspectorSwitches {
  /** Nothing new is asked for; readers wait, and their deadlines go on. */
  readonly isPaused: boolean;
  /** Requests fail as they do without a network. */
  readonly isOffline: boolean;
  /** What comes is slowed down to so many bytes a second, with so much delay before each answer; 0 = not at all. */
  readonly bytesPerSecond: number;
  readonly delayMs: number;
  /** So many of the next requests fail. */
  readonly failNext: number;
}

/** All works as it would without an inspector. */
export const noSwitches: InspectorSwitches = {
  isPaused: false,
  isOffline: false,
  bytesPerSecond: 0,
  delayMs: 0,
  failNext: 0,
};
