import type { WireError } from '../format/errors.ts';
import type { MappingCounts } from './state.ts';

/**
 * What travels between the service worker and a loader over a brokered MessagePort, and between loaders of several
 * tabs over a BroadcastChannel. Everything is a discriminated union on `type`; unknown types are ignored and counted.
 */

/** A page that carries it in a request wants what a navigation would get: a boot page, to put the app in its own place. */
export const launchHeader = 'Sluice-Launch';

/** On the script that the service worker puts into a page: nothing of the image is missing here, so its loader need not hurry. */
export const wholeAttribute = 'data-whole';

/** On the same script: the {@link ReleaseRecord} that the page is answered from as long as it lives, as `<image> <bytes>`. */
export const releaseAttribute = 'data-release';

/** Both ends of a port say this first; a mismatch closes the port, and each side goes on without the other. */
export const protocolVersion = 1;

/** Loader → service worker, first on every port and again whenever its role changes. */
export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  /** Unique to one loader worker. It holds the Web Lock `loaderLockName(loader)` as long as it lives. */
  readonly loader: string;
  /** A leader owns the store and answers reads; a standby passes them on to the leader. */
  readonly role: 'leader' | 'standby';
}

/** Service worker → loader, first on every port: it holds this Web Lock as long as it runs. Browsers stop service workers without a word. */
export interface Alive {
  readonly type: 'alive';
  readonly lock: string;
}

/** Consecutive blocks `[first, first + count)` of one blob. */
export interface BlockRun {
  readonly blob: number;
  readonly first: number;
  readonly count: number;
}

/** Blocks that somebody wants. */
export interface BlocksQuery extends BlockRun {
  /** SHA-256 of the bootstrap, hex. */
  readonly image: string;
  /** What the reader asked for, for the eyes of people: state(), the inspector, the read log. */
  readonly path: string;
  /** Milliseconds that the reader is ready to wait; 0 = only what is here. */
  readonly timeoutMs: number;
}

/** Service worker → loader: blocks are wanted, oldest first. Answered by one `block` each, or `failed`. */
export interface ReadBlocks extends BlocksQuery {
  readonly type: 'read-blocks';
  readonly id: number;
  /** Wanted as the app reads them, as raw blocks: the loader's thread has the time to decode, the service worker's is busy writing answers. */
  readonly decoded?: boolean;
}

/** Loader → service worker: one verified stored block; `bytes` is transferred. */
export interface BlockReply {
  readonly type: 'block';
  readonly id: number;
  readonly block: number;
  readonly codec: number;
  readonly logicalLength: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Loader → service worker: the rest of request `id` will not come. */
export interface ReadFailed {
  readonly type: 'failed';
  readonly id: number;
  readonly error: WireError;
}

/** Service worker → loader: nobody waits for request `id` any more. */
export interface CancelRead {
  readonly type: 'cancel';
  readonly id: number;
}

/** Service worker → loader: the bootstrap as published is wanted. Answered by `bootstrap` or `failed`. */
export interface ReadBootstrap {
  readonly type: 'read-bootstrap';
  readonly id: number;
  readonly image: string;
}

export interface BootstrapReply {
  readonly type: 'bootstrap';
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Service worker → loader: stored ranges that the service worker fetched by itself while no loader was there, so that
 * nothing is fetched twice. Verified again by the loader; idempotent. `block` -1 is the blob's block table.
 */
export interface ProvideBlocks {
  readonly type: 'provide-blocks';
  readonly image: string;
  readonly blocks: readonly {
    readonly blob: number;
    readonly block: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
}

/**
 * Service worker → loader: it had begun to fetch these blocks when the loader came, and will provide each as it arrives. Never answered;
 * what does not come is fetched.
 */
export interface BringingBlocks extends BlockRun {
  readonly type: 'bringing-blocks';
  readonly image: string;
}

/** Service worker → loader: blocks that it has read, oldest first, from wherever they came. For the read log; never answered. */
export interface ReadsServed {
  readonly type: 'reads-served';
  readonly image: string;
  /** Changes with each start of the service worker. */
  readonly life: string;
  readonly reads: readonly ServedRead[];
}

/** Blocks `[first, first + count)` of a blob, read for `path` from `at` on (by Date.now()), each after at most `waitedMs`. */
export interface ServedRead {
  /** Grows within a life: what is told twice, to a loader and to the one that has taken its place, is known by it. */
  readonly serial: number;
  readonly path: string;
  readonly blob: number;
  readonly first: number;
  readonly count: number;
  readonly at: number;
  readonly waitedMs: number;
  /** How long it took to decode them, together; 0: they were decoded before, elsewhere, or need it not. */
  readonly decodedMs?: number;
  /** The code of the error that the read ended with, if it did. */
  readonly failed?: string;
  /** The URL that was asked for, where the file is read to be compiled (`count` may be 0: its blocks are told by themselves). */
  readonly code?: string;
}

/** Loader → service worker: what changed on disk, so that it can read by itself. */
export interface StoreChanged {
  readonly type: 'store-changed';
  /** Blobs that became sealed, by SHA-256. */
  readonly sealed: readonly string[];
  /** Blobs that have lost blocks which were found bad: what was read of them before is not to be believed. */
  readonly dropped?: readonly string[];
  /** Given where somebody waits until it was seen: to be answered by `store-seen` with the same number. */
  readonly id?: number;
}

/** Service worker → loader: what was on disk when `store-changed` `id` came is what it answers by. */
export interface StoreSeen {
  readonly type: 'store-seen';
  readonly id: number;
}

/** Loader → service worker: an inspector wants to know what only that one knows. Answered by `facts` with the same number. */
export interface FactsWanted {
  readonly type: 'facts-wanted';
  readonly id: number;
}

/** What a service worker knows, and nobody else. */
export interface WorkerFacts {
  readonly mappings: MappingCounts;
  /** The pages whose loaders are connected with it. */
  readonly pages: readonly ServedPage[];
}

export interface ServedPage {
  readonly loader: string;
  /** Of its URL, without query and fragment. */
  readonly path: string;
  readonly isVisible: boolean;
}

/** Service worker → loader. */
export interface Facts extends WorkerFacts {
  readonly type: 'facts';
  readonly id: number;
}

/** Loader → service worker: this image is wholly present. */
export interface ImageComplete {
  readonly type: 'image-complete';
  readonly image: string;
}

export type ToLoader =
  | Alive
  | ReadBlocks
  | CancelRead
  | ReadBootstrap
  | ProvideBlocks
  | BringingBlocks
  | ReadsServed
  | StoreSeen
  | Facts;
export type FromLoader =
  | Hello
  | BlockReply
  | ReadFailed
  | BootstrapReply
  | StoreChanged
  | FactsWanted
  | ImageComplete;

/** Page → service worker (`postMessage` on the registration's worker). */
export type PageToServiceWorker =
  /** Here is a port to this page's loader (transferred as ports[0]). */
  | { readonly type: 'sluice:loader-port'; readonly version: number }
  /** Which image should this page's next navigation be bound to? Sent once its bootstrap is in the store or reachable. */
  | { readonly type: 'sluice:release'; readonly release: ReleaseRecord }
  /** Is this URL's path in the image? Asked by a boot page that finds itself controlled. Answered on ports[0] by a boolean. */
  | { readonly type: 'sluice:has-path'; readonly url: string }
  /** How long this page's reads may wait. Sent when it is set, and again with each port: a restarted service worker has forgotten. */
  | { readonly type: 'sluice:settings'; readonly readTimeoutMs: number }
  /** How often it knew where bytes are? For state(). Answered on ports[0] by MappingCounts. */
  | { readonly type: 'sluice:mappings' }
  /** An event for an answer that is still coming; as it was asked for. */
  | { readonly type: 'sluice:stay-awake' };

/** Service worker → page. */
export type ServiceWorkerToPage =
  /**
   * The service worker has no live port (it was restarted, or the loader died): broker a new one. `waiting`: something is missing, so that a page whose loader
   * has not begun begins it.
   */
  | { readonly type: 'sluice:need-loader-port'; readonly waiting: boolean }
  /** An answer outlasts its event: say so to me, which is another one. */
  | { readonly type: 'sluice:stay-awake' };

/** The small setting kept in IndexedDB per scope, so that a restarted service worker knows what it serves. */
export interface ReleaseRecord {
  readonly image: string;
  /** Length of the published bootstrap in bytes. */
  readonly bytes: number;
}

/** The Web Lock whose release tells that a loader worker is gone. */
export function loaderLockName(loader: string): string {
  return `sluice:loader:${loader}`;
}

/** The Web Lock whose release tells that a service worker was stopped. */
export function serviceWorkerLockName(run: string): string {
  return `sluice:sw:${run}`;
}

/** The Web Lock that makes one loader of a scope the only writer of its store. */
export function writerLockName(scope: string): string {
  return `sluice:writer:${scope}`;
}

/** The BroadcastChannel on which the loaders of one scope find their leader. */
export function channelName(scope: string): string {
  return `sluice:loaders:${scope}`;
}

/** The Cache Storage name under which a service worker keeps the files of its build. A space ends the scope: another one of the origin may begin alike. */
export function runtimeCacheName(scope: string, build: string): string {
  return `sluice:${scope} ${build}`;
}

/** The scope of a {@link runtimeCacheName}; undefined for any other name. */
export function scopeOfRuntimeCache(name: string): string | undefined {
  return /^sluice:(https?:\/\/\S+\/) \S+$/.exec(name)?.[1];
}

/** The idb-keyval key under which a scope's current {@link ReleaseRecord} is kept. The service worker writes it. */
export function releaseSettingName(scope: string): string {
  return `sluice:${scope}`;
}
