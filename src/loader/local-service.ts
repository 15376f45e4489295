import type { StartZstd } from '../codec/zstd-decoder.ts';
import { SluiceError } from '../format/errors.ts';
import { superblockLayout } from '../format/superblock.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import type { FsmapPage, FsmapQuery } from '../protocol/fsmap.ts';
import type {
  ByteRange,
  DirectoryEntry,
  FileStat,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import type { BlockRun, BlocksQuery, ReleaseRecord, ServedRead } from '../protocol/messages.ts';
import type { PendingReadInfo, Progress, ReadLog } from '../protocol/state.ts';
import { fetchRelease } from '../source/fetch-release.ts';
import { HttpSource } from '../source/http-source.ts';
import { PortSource } from '../source/port-source.ts';
import { BlockStore } from '../store/block-store.ts';
import type { Directory } from '../store/directory.ts';
import { MemoryDirectory } from '../store/memory-directory.ts';
import { Bootstraps } from './bootstraps.ts';
import { CodeCopies, type CodeCopiesOptions } from './code-copies.ts';
import type { Room } from './culling.ts';
import { Engine, type EngineEvent } from './engine.ts';
import { FileReader } from './file-reader.ts';

import type { LoaderLocks } from './image-uses.ts';
import type { LoaderService, OpenOptions, ServiceEvent, ServiceState } from './loader-service.ts';
import { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import { Polls } from './polls.ts';
import { provideBlocks } from './provide-blocks.ts';
import { withRanges } from './read-ranges.ts';
import { Scrubs } from './scrubs.ts';
import { StorageCare } from './storage-care.ts';
import type { StoredBlock } from './stored-block.ts';
import { Throttle } from './throttle.ts';
import { TreeChanges } from './tree-changes.ts';

export interface LocalServiceOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly scope: string;
  readonly fetch: typeof fetch;
  readonly zstd: StartZstd;
  /** Where blocks and bootstraps come from instead of HTTP: a page's source, see source-port.ts. */
  readonly source?: MessageEndpoint | undefined;
  /** The leader's own name. */
  readonly loader: string;
  readonly locks: LoaderLocks;
  /** How much of the quota is used; undefined where the platform does not tell. */
  readonly estimate: () => Promise<Room | undefined>;
  /** Cache Storage; undefined where the browser gives none. */
  readonly caches?: CodeCopiesOptions['caches'] | undefined;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  /** The scope's folder; undefined, with the reason, where the browser gives none. */
  readonly directory: Directory | undefined;
  /** Settles when service workers have said what they are bringing, before the first plan. Default: there are none. */
  readonly told?: () => Promise<void>;
  readonly onEvent: (event: ServiceEvent) => void;
  /** See HttpSource and PortSource. */
  readonly stallMs?: number;
}

/** A progress event at most so often. */
const progressMs = 250;
/** Blocks that are kept in memory where there is no OPFS; what is more than that falls out again. */
const memoryBytes = 512 * 1024 * 1024;
/** Reads that one leader can have had wait in a millisecond of its life, generously. */
const serialsPerMs = 1024;
/** A ring of this many records has 96 MiB. */
const maxReadLog = 4 * 1024 * 1024;
/** A prefetch may take as long as the link needs. */
const prefetchTimeoutMs = 60 * 60 * 1000;

/** The leader's service: it owns the store and the network. */
export class LocalService implements LoaderService {
  readonly #options: LocalServiceOptions;
  readonly #local: LocalBlocks;
  readonly #engine: Engine;
  readonly #bootstraps: Bootstraps;
  readonly #persistent: boolean;
  readonly #abort = new AbortController();
  readonly #progress = new Map<string, Throttle>();
  readonly #polls: Polls;
  readonly #trees: TreeChanges;
  readonly #care: StorageCare;
  readonly #scrubs: Scrubs;
  /** What comes for an image that is being opened waits for that. */
  #opened: Promise<unknown> = Promise.resolve();
  readonly #zstd: StartZstd;
  /** Undefined where nothing is kept beyond this session. */
  readonly #copies: CodeCopies | undefined;

  private constructor(options: LocalServiceOptions, store: BlockStore, persistent: boolean) {
    this.#options = options;
    const { clock, random, scope, loader, locks, estimate } = options;
    this.#zstd = options.zstd;
    const source = openSource(options);
    if (source instanceof PortSource) this.#abort.signal.addEventListener('abort', () => source.close());
    this.#persistent = persistent;
    this.#local = new LocalBlocks(store, {
      onFull: (reason) => {
        this.#engine.report(reason);
        this.#care.stopped();
      },
      makeRoom: async () => {
        // Second copies go before anything that has no other.
        await this.#copies?.clear();
        await this.#care.makeRoom();
      },
      onCommitted: (bytes) => this.#care.wrote(bytes),
      ...(persistent ? {} : { capacityBytes: memoryBytes }),
    });
    this.#engine = new Engine({
      source,
      local: this.#local,
      clock,
      random,
      onEvent: (event) => this.#onEvent(event),
      // Above those of every leader before: whoever polls on after its last serial is told anew of all that pends.
      firstSerial: Date.now() * serialsPerMs,
    });
    this.#polls = new Polls(clock);
    this.#trees = new TreeChanges(this.#engine, this.#local);
    this.#care = new StorageCare({
      engine: this.#engine,
      local: this.#local,
      clock,
      scope,
      loader,
      locks,
      estimate: persistent ? estimate : async () => ({ usage: this.#local.writtenBytes, quota: memoryBytes }),
      onCulled: () => {
        void this.#copies?.clear();
        options.onEvent({ type: 'culled' });
      },
    });
    this.#bootstraps = new Bootstraps({
      source,
      local: this.#local,
      clock,
      random,
      signal: this.#abort.signal,
    });
    this.#scrubs = new Scrubs({
      store,
      local: this.#local,
      engine: this.#engine,
      bootstraps: this.#bootstraps,
      clock,
      polls: this.#polls,
    });
    const engine = this.#engine;
    if (persistent && options.caches) {
      this.#copies = new CodeCopies({
        scope,
        caches: options.caches,
        fetch: options.fetch,
        clock,
        isQuiet: () => engine.isQuiet && !this.#local.full,
        mounts: () => Array.from(engine.mounted(), (id) => engine.mountOf(id)!),
        estimate,
        report: (error) => engine.report(error),
      });
    }
    if (store.damage) this.#engine.report(store.damage);
  }

  /** Opens the store, or goes on in memory where that is not to be had. */
  static async start(options: LocalServiceOptions): Promise<LocalService> {
    const { directory } = options;
    if (directory) {
      try {
        return new LocalService(options, await BlockStore.open(directory), true);
      } catch (error) {
        const service = new LocalService(options, await BlockStore.open(new MemoryDirectory()), false);
        service.#engine.report(error);
        return service;
      }
    }
    return new LocalService(options, await BlockStore.open(new MemoryDirectory()), false);
  }

  async open({ loader, release, background }: OpenOptions): Promise<ReleaseRecord> {
    const named = release ?? (await this.#currentRelease());
    this.#care.use(named.image, loader);
    const mounting = this.#mount(named.image, named.bytes);
    this.#opened = mounting.catch(() => {}); // Told to who opens.
    const mount = await mounting;
    if (background) {
      await this.#options.told?.();
      this.#engine.complete(mount);
    }
    // What sluice.json has just told need not be asked again.
    if (release) void this.#lookForUpdate(release.image);
    this.#tellProgress(mount);
    this.#scrubs.checkRecent();
    this.#copies?.look();
    return { image: mount.image.id, bytes: superblockLayout.size + mount.image.superblock.bodyStoredLength };
  }

  async readBlocks(
    query: BlocksQuery,
    onBlock: (block: number, stored: StoredBlock) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { image, path, blob, first, count, timeoutMs } = query;
    const mount = await this.#mount(image);
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const block = first + i;
        onBlock(block, await this.#engine.read(mount, { blob, block, path, timeoutMs, signal }));
      }),
    );
  }

  readBootstrap(image: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bootstraps.read(image);
  }

  async provideBlocks(image: string, blocks: readonly ProvidedBlock[]): Promise<void> {
    await this.#opened;
    await provideBlocks(this.#engine, await this.#mount(image), blocks);
  }

  async expectBlocks(image: string, { blob, first, count }: BlockRun): Promise<void> {
    await this.#opened;
    this.#engine.expect(await this.#mount(image), blob, first, first + count);
  }

  async pendingReads(
    image: string,
    after: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<readonly PendingReadInfo[]> {
    const mount = await this.#mount(image);
    const take = () => (this.#engine.lastSerial > after ? this.#engine.pendingReads(mount, after) : []);
    return this.#polls.poll(take, waitMs, signal);
  }

  async state(image: string): Promise<ServiceState> {
    const mount = await this.#mount(image);
    return {
      image,
      complete: mount.complete,
      blocks: { total: mount.totalBlocks, present: mount.presentBlocks },
      bytes: {
        total: mount.image.superblock.storedBytes,
        present: mount.presentBytes,
        fetched: this.#engine.fetchedBytes,
      },
      pendingReads: this.#engine.pendingReads(mount),
      loader: {
        ...this.#engine.info(),
        storage: this.#persistent && !this.#local.full ? 'opfs' : 'memory',
        lastReadError: mount.lastReadError,
      },
      sequence: mount.tree.overlay.sequence,
      copies: this.#copies?.info ?? { files: 0, bytes: 0 },
    };
  }

  async logReads(image: string, life: string, reads: readonly ServedRead[]): Promise<void> {
    (await this.#mount(image)).served(life, reads);
    this.#copies?.served(reads);
  }

  async readLog(image: string): Promise<ReadLog> {
    const mount = await this.#mount(image);
    // What a service worker has read is told a little later.
    const reads = mount.log.entries().toSorted((a, b) => a.atMs - b.atMs);
    return { sluice: 1, image, since: mount.since, reads: withRanges(mount.tree, reads) };
  }

  async setReadLog(image: string, capacity: number): Promise<void> {
    if (!(Number.isSafeInteger(capacity) && capacity >= 0 && capacity <= maxReadLog))
      throw new SluiceError('EINVAL', `A read log has from 0 to ${maxReadLog} records, not ${capacity}`);
    (await this.#mount(image)).log.resize(capacity);
  }

  async launched(image: string): Promise<void> {
    await this.#mount(image);
    this.#engine.launched();
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  async stat(image: string, path: string): Promise<FileStat> {
    return (await this.#files(image)).stat(path);
  }

  async readdir(image: string, path: string): Promise<readonly DirectoryEntry[]> {
    return (await this.#files(image)).readdir(path);
  }

  async read(
    image: string,
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#files(image)).read(path, start, end, timeoutMs, signal);
  }

  async prefetch(
    image: string,
    paths: readonly string[],
    priority: PrefetchPriority,
    signal: AbortSignal,
  ): Promise<void> {
    await (await this.#files(image)).prefetch(paths, priority, prefetchTimeoutMs, signal);
  }

  async filledRanges(image: string, path: string): Promise<readonly ByteRange[]> {
    return (await this.#files(image)).filledRanges(path);
  }

  async changeTree(image: string, operation: TreeOperation, request: string): Promise<void> {
    const mount = await this.#mount(image);
    const before = mount.tree.overlay.sequence;
    try {
      await this.#trees.change(mount, operation, request);
    } finally {
      const { sequence } = mount.tree.overlay;
      if (sequence !== before) {
        this.#options.onEvent({ type: 'changed-tree', image, sequence });
        this.#copies?.look();
      }
    }
  }

  async pin(image: string, paths: readonly string[], pinned: boolean): Promise<void> {
    await this.#care.pin(await this.#mount(image), paths, pinned);
  }

  async evict(image: string, paths: readonly string[]): Promise<void> {
    const mount = await this.#mount(image);
    await this.#care.evict(mount, paths);
    await this.#copies?.drop();
    this.#options.onEvent({ type: 'evicted', image });
  }

  async fsmap(image: string, query: FsmapQuery): Promise<FsmapPage> {
    await this.#mount(image);
    return this.#care.fsmap(query);
  }

  async scrub(image: string, signal: AbortSignal): Promise<ScrubReport> {
    const report = await this.#scrubs.scrub(await this.#mount(image), signal);
    if (report.bad.length > 0) await this.#copies?.drop();
    return report;
  }

  /** The main thread of the leader's page says that it runs. */
  pageBeats(): void {
    this.#engine.pageBeats();
  }

  /** The browser says that it is online: a hint to try now. */
  retryNow(): void {
    this.#engine.retryNow();
  }

  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const closed = new SluiceError('closed', 'The loader was closed');
    this.#abort.abort(closed);
    this.#polls.close(closed);
    this.#care.close();
    await this.#copies?.close();
    for (const throttle of this.#progress.values()) throttle.cancel();
    await this.#scrubs.close(closed);
    await this.#engine.close();
    await this.#local.close();
  }

  async #mount(image: string, bytes?: number): Promise<Mount> {
    return this.#engine.mount(await this.#bootstraps.open(image, bytes));
  }

  async #files(image: string): Promise<FileReader> {
    return new FileReader(this.#engine, await this.#mount(image), this.#zstd);
  }

  /** What the server names now; where it cannot be asked, what was stored last: that is how an offline launch begins. */
  async #currentRelease(): Promise<{ readonly image: string; readonly bytes?: number }> {
    try {
      return await this.#fetchRelease();
    } catch (error) {
      const stored = this.#local.images().at(-1);
      if (stored === undefined) throw error;
      this.#engine.report(error);
      return { image: stored };
    }
  }

  /** A newer release is fetched and told, and used by the next navigation. This one goes on. */
  async #lookForUpdate(current: string): Promise<void> {
    try {
      const release = await this.#fetchRelease();
      if (release.image === current) return;
      await this.#bootstraps.open(release.image, release.bytes);
      // It is what the next tab uses.
      this.#local.used(release.image, Date.now());
      await this.#engine.flush();
      this.#options.onEvent({ type: 'release', release });
    } catch (error) {
      // Offline, or a server that is being deployed to: the next start looks again.
      if (!this.#abort.signal.aborted) this.#engine.report(error);
    }
  }

  async #fetchRelease(): Promise<ReleaseRecord> {
    const { scope: base, fetch } = this.#options;
    return fetchRelease({ base, fetch, signal: this.#abort.signal });
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === 'changed') {
      this.#polls.check();
      for (const throttle of this.#progress.values()) throttle.request();
      return;
    }
    // A copy may have been made of what was found bad.
    if (event.type === 'dropped') void this.#copies?.clear();
    else this.#copies?.look();
    this.#options.onEvent(event);
    // The last progress event of an image is not left to the throttle.
    if (event.type === 'complete') this.#progress.get(event.image)?.now();
  }

  #tellProgress(mount: Mount): void {
    const image = mount.image.id;
    const tell = (): void =>
      this.#options.onEvent({ type: 'progress', image, progress: this.#progressOf(mount) });
    const known = this.#progress.get(image);
    if (known) known.now();
    else
      this.#progress
        .set(image, new Throttle(this.#options.clock, progressMs, tell))
        .get(image)
        ?.now();
    // A page that comes later waits for this as well.
    if (mount.complete) this.#options.onEvent({ type: 'complete', image });
  }

  #progressOf(mount: Mount): Progress {
    return {
      present: mount.presentBytes,
      total: mount.image.superblock.storedBytes,
      rate: this.#engine.info().rate,
      complete: mount.complete,
      waitingFor: this.#engine.pendingReads(mount)[0]?.path,
    };
  }
}

function openSource({
  scope: base,
  fetch,
  source: port,
  clock,
  stallMs,
}: LocalServiceOptions): HttpSource | PortSource {
  const patience = stallMs === undefined ? {} : { stallMs };
  return port ? new PortSource({ port, clock, ...patience }) : new HttpSource({ base, fetch, ...patience });
}
