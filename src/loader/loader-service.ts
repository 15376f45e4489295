import type { TreeOperation } from '../format/tree-operation.ts';
import type { FsmapPage, FsmapQuery } from '../protocol/fsmap.ts';
import type {
  Inspection,
  InspectionCursor,
  InspectorSwitches,
  SiteOverview,
} from '../protocol/inspection.ts';
import type {
  ByteRange,
  DirectoryEntry,
  FileStat,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import type { BlockRun, BlocksQuery, ReleaseRecord, ServedRead } from '../protocol/messages.ts';
import type { PendingReadInfo, Progress, ReadLog, SluiceState } from '../protocol/state.ts';
import type { StoredBlock } from './stored-block.ts';

/** {@link SluiceState} without what only the asking loader knows: its own name and role. */
export type ServiceState = Omit<SluiceState, 'loader'> & {
  readonly loader: Omit<SluiceState['loader'], 'id' | 'role'>;
};

export interface InspectQuery {
  /** undefined: the image that was mounted last. */
  readonly image: string | undefined;
  /** Of the answer before, to the same question. */
  readonly cursor: InspectionCursor | undefined;
}

export interface OpenOptions {
  /** Who opens it, and uses it as long as its Web Lock is held. */
  readonly loader: string;
  readonly release: ReleaseRecord | undefined;
  /** Complete the image in the background. */
  readonly background: boolean;
  /** See LoaderOptions. */
  readonly isInspector?: boolean;
}

/**
 * What a loader does, whoever asks: a page, a service worker, another tab's loader. The leader does it by itself
 * (local-service.ts), a standby passes it on to the leader (remote-service.ts). Everything may be asked again. The methods are those of the
 * LoaderApi, for a named image; where they wait for more than the disk, a signal says that nobody waits any more.
 */
export interface LoaderService {
  /** Mounts the image of the release (without one: what `sluice.json` names, or, offline, what is stored). Answers which it is. */
  open(options: OpenOptions): Promise<ReleaseRecord>;
  /** Hands over every block of the query, in any order. The blocks may be shared: copy before transferring. */
  readBlocks(
    query: BlocksQuery,
    onBlock: (block: number, stored: StoredBlock) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** The bootstrap as published. */
  readBootstrap(image: string): Promise<Uint8Array<ArrayBuffer>>;
  provideBlocks(image: string, blocks: readonly ProvidedBlock[]): Promise<void>;
  /** A service worker is bringing these blocks and will provide each as it comes: they need not be fetched. */
  expectBlocks(image: string, blocks: BlockRun): Promise<void>;
  pendingReads(
    image: string,
    after: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<readonly PendingReadInfo[]>;
  state(image: string): Promise<ServiceState>;
  /** Takes into the read log what a service worker has read: {@link readBlocks} logs nothing. */
  logReads(image: string, life: string, reads: readonly ServedRead[]): Promise<void>;
  readLog(image: string): Promise<ReadLog>;
  setReadLog(image: string, capacity: number): Promise<void>;
  /** See LoaderApi.launched. */
  launched(image: string): Promise<void>;
  flush(): Promise<void>;
  stat(image: string, path: string): Promise<FileStat>;
  readdir(image: string, path: string): Promise<readonly DirectoryEntry[]>;
  read(
    image: string,
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  prefetch(
    image: string,
    paths: readonly string[],
    priority: PrefetchPriority,
    signal: AbortSignal,
  ): Promise<void>;
  filledRanges(image: string, path: string): Promise<readonly ByteRange[]>;
  /** `request`: 64 random hex digits, the same when it is repeated: it is done once. It also names what may be made. */
  changeTree(image: string, operation: TreeOperation, request: string): Promise<void>;
  pin(image: string, paths: readonly string[], pinned: boolean): Promise<void>;
  evict(image: string, paths: readonly string[]): Promise<void>;
  scrub(image: string, signal: AbortSignal): Promise<ScrubReport>;
  fsmap(image: string, query: FsmapQuery): Promise<FsmapPage>;
  /** What an inspector sees, now. It may be asked often. */
  inspect(query: InspectQuery): Promise<Inspection>;
  /** What an inspector sees of all images of the site. */
  overview(): Promise<SiteOverview>;
  /** The block table of a blob as published, where it is here. */
  blockTable(image: string, blob: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** See InspectorSwitches. */
  setSwitches(switches: InspectorSwitches): Promise<void>;
  /**
   * The leader's loader ends a moment later, with all that it holds, as if it had been killed: its page starts another one, and the next leader goes on from the
   * store. To see that it does; not to be repeated where the answer did not come.
   */
  endLeader(): Promise<void>;
  close(): Promise<void>;
}

/** The methods that a standby passes on. */
export type RemoteMethod = Exclude<keyof LoaderService, 'close'>;

/** What a leader tells everybody. */
export type ServiceEvent =
  | { readonly type: 'progress'; readonly image: string; readonly progress: Progress }
  | { readonly type: 'sealed'; readonly blobs: readonly string[] }
  /** What was stored of these blobs was found bad, and is not there any more. */
  | { readonly type: 'dropped'; readonly blobs: readonly string[] }
  | { readonly type: 'complete'; readonly image: string }
  /** Blobs of the image were given back on request, and it is no longer completed in the background. */
  | { readonly type: 'evicted'; readonly image: string }
  /** Blobs of images that nobody uses were given back. */
  | { readonly type: 'culled' }
  /** Durably: files and directories were added, removed or renamed at run time. */
  | { readonly type: 'changed-tree'; readonly image: string; readonly sequence: number }
  /** `sluice.json` names this release, and its bootstrap is in the store. `gone`: images that run, and that it does not have any more. */
  | { readonly type: 'release'; readonly release: ReleaseRecord; readonly gone: readonly string[] };
