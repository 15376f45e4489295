import type { StartZstd } from '../codec/zstd-decoder.ts';
import { isCode, SluiceError } from '../format/errors.ts';
import { superblockLayout } from '../format/superblock.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import type { FsmapPage, FsmapQuery } from '../protocol/fsmap.ts';
import type { Inspection, InspectorSwitches, SiteOverview } from '../protocol/inspection.ts';
import type {
  ByteRange,
  DirectoryEntry,
  FileStat,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import type { BlockRun, BlocksQuery, ReleaseRecord, ServedRead } from '../protocol/messages.ts';
import type { PendingReadInfo, ReadLog } from '../protocol/state.ts';
import { PortSource } from '../source/port-source.ts';
import { cutOff, SwitchedSource } from '../source/switched-source.ts';
import { BlockStore } from '../store/block-store.ts';
import type { Directory } from '../store/directory.ts';
import { MemoryDirectory } from '../store/memory-directory.ts';
import { Bootstraps } from './bootstraps.ts';
import { CodeCopies } from './code-copies.ts';
import { Engine, type EngineEvent } from './engine.ts';
import { FileReader } from './file-reader.ts';
import { Inspector } from './inspection/inspector.ts';
import type { InspectQuery, LoaderService, OpenOptions, ServiceState } from './loader-service.ts';
import { LocalBlocks } from './local-blocks.ts';
import { type LocalServiceOptions, openSource } from './local-service-options.ts';
import type { Mount } from './mount.ts';
import { openStore } from './open-store.ts';
import { Polls } from './polls.ts';
import { ProgressNews } from './progress-news.ts';
import { provideBlocks } from './provide-blocks.ts';
import { withRanges } from './read-ranges.ts';
import { Releases } from './releases.ts';
import { Salvage } from './salvage.ts';
import { Scrubs } from './scrubs.ts';
import { StorageCare } from './storage-care.ts';
import { StoreReturn } from './store-return.ts';
import { StoreWatch } from './store-watch.ts';
import type { StoredBlock } from './stored-block.ts';
import { TreeChanges } from './tree-changes.ts';

/** Blocks that are kept in memory where there is no OPFS; what is more than that falls out again. */
const memoryBytes = 512 * 1024 * 1024;
/** Reads that one leader can have had wait in a millisecond of its life, generously. */
const serialsPerMs = 1024;
/** A ring of this many records has 112 MiB. */
const maxReadLog = 4 * 1024 * 1024;
/** Before it ends on request, a leader has so long to say that it will. */
const lastWordMs = 50;
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
  readonly #progress: ProgressNews;
  readonly #polls: Polls;
  readonly #trees: TreeChanges;
  readonly #care: StorageCare;
  readonly #scrubs: Scrubs;
  readonly #salvage: Salvage;
  /** What comes for an image that is being opened waits for that. */
  #opened: Promise<unknown> = Promise.resolve();
  readonly #zstd: StartZstd;
  /** Undefined where nothing is kept beyond this session. */
  readonly #copies: CodeCopies | undefined;
  /** Undefined where there is none to lose. */
  readonly #watch: StoreWatch | undefined;
  /** Undefined where there is none to come. */
  #return: StoreReturn | undefined;
  readonly #releases: Releases;
  readonly #source: SwitchedSource;
  readonly #inspector: Inspector;
  /** The image that was opened last. */
  #latest: string | undefined;

  private constructor(options: LocalServiceOptions, store: BlockStore, persistent: boolean) {
    this.#options = options;
    const { clock, random, scope, loader, locks, estimate } = options;
    this.#zstd = options.zstd;
    const origin = openSource(options);
    if (origin instanceof PortSource) this.#abort.signal.addEventListener('abort', () => origin.close());
    const source = new SwitchedSource(origin, clock);
    this.#source = source;
    this.#persistent = persistent;
    this.#local = new LocalBlocks(store, {
      clock,
      onFull: (reason) => {
        this.#engine.report(reason);
        this.#care.stopped();
        this.#watch?.look();
      },
      onUnreadable: (reason) => {
        this.#engine.report(reason);
        this.#watch?.look();
      },
      onLost: (sha256, blocks) => this.#engine.dropped(sha256, blocks),
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
    this.#progress = new ProgressNews(this.#engine, clock, options.onEvent);
    this.#polls = new Polls(clock);
    this.#trees = new TreeChanges(this.#engine, this.#local);
    const room = persistent
      ? estimate
      : async () => ({ usage: this.#local.writtenBytes, quota: memoryBytes });
    this.#care = new StorageCare({
      engine: this.#engine,
      local: this.#local,
      clock,
      random,
      scope,
      loader,
      locks,
      estimate: room,
      isOpen: (image) => this.#bootstraps.isOpen(image),
      onCulled: () => {
        void this.#copies?.clear();
        options.onEvent({ type: 'culled' });
      },
    });
    this.#bootstraps = new Bootstraps({
      source,
      images: this.#local.images,
      clock,
      random,
      signal: this.#abort.signal,
    });
    this.#releases = new Releases({
      scope,
      fetch: options.fetch,
      checkOnline: () => source.checkOnline(),
      clock,
      images: this.#local.images,
      bootstraps: this.#bootstraps,
      engine: this.#engine,
      onRelease: (release, gone) => options.onEvent({ type: 'release', release, gone }),
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
    this.#salvage = new Salvage({ store, engine: this.#engine, clock });
    const engine = this.#engine;
    const { directory, onStore } = options;
    if (persistent && directory) {
      const report = (error: unknown): void => engine.report(error);
      this.#watch = new StoreWatch({ directory, clock, onLost: () => onStore('lost'), report });
    }
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
    this.#inspector = new Inspector({
      loader,
      engine,
      local: this.#local,
      care: this.#care,
      clock,
      estimate: room,
      stateOf: (mount) => this.#stateOf(mount),
      switches: () => source.switches,
      facts: options.facts,
    });
    if (store.damage) this.#engine.report(store.damage);
  }

  /** Opens the store, or begins in memory where that is not to be had (yet). */
  static async start(options: LocalServiceOptions): Promise<LocalService> {
    const { directory, clock } = options;
    let failure: unknown;
    if (directory) {
      try {
        return new LocalService(options, await openStore(directory, clock), true);
      } catch (error) {
        failure = error;
      }
    }
    const service = new LocalService(options, await BlockStore.open(new MemoryDirectory()), false);
    if (directory) service.#awaitStore(directory, failure);
    return service;
  }

  #awaitStore(directory: Directory, failure: unknown): void {
    const { clock, random, onStore } = this.#options;
    const report = (error: unknown): void => this.#engine.report(error);
    report(failure);
    // That is for a newer release of ours, not for time, to mend.
    if (isCode(failure, 'store-too-new')) return;
    const holdsOwn = (): boolean =>
      Array.from(this.#engine.mounted(), (id) => this.#local.overlay(id)).some(
        ({ sequence }) => sequence > 0,
      );
    const onReturn = (): void => onStore('back');
    this.#return = new StoreReturn({ directory, clock, random, holdsOwn, onReturn, report });
  }

  async open({ loader, release, background, isInspector = false }: OpenOptions): Promise<ReleaseRecord> {
    const named = release ?? (await this.#releases.current());
    this.#care.use({ loader, image: named.image, isInspector });
    const mounting = this.#mount(named.image, named.bytes);
    this.#opened = mounting.catch(() => {}); // Told to who opens.
    const mount = await mounting;
    this.#latest = mount.image.id;
    if (background) {
      await this.#options.told?.();
      this.#engine.complete(mount);
    }
    this.#releases.opened(release?.image);
    this.#progress.opened(mount);
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
    this.#watch?.look();
    const mount = await this.#mount(image);
    const { blockCount } = mount.blob(blob) ?? { blockCount: 0 };
    if (first + count > blockCount)
      throw new SluiceError('ERANGE', `Blob ${blob} has ${blockCount} blocks, none up to ${first + count}`);
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
    // Above all that was ever given here: by a leader whose clock was ahead. What pends is new to who heard that one.
    const last = after > this.#engine.lastSerial ? 0 : after;
    const take = () => (this.#engine.lastSerial > last ? this.#engine.pendingReads(mount, last) : []);
    return this.#polls.poll(take, waitMs, signal);
  }

  async state(image: string): Promise<ServiceState> {
    this.#watch?.look();
    return this.#stateOf(await this.#mount(image));
  }

  #stateOf(mount: Mount): ServiceState {
    return {
      image: mount.image.id,
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
        storage: this.#storageKind,
        lastReadError: mount.lastReadError,
      },
      sequence: mount.tree.overlay.sequence,
      copies: this.#copies?.info ?? { files: 0, bytes: 0 },
    };
  }

  async logReads(image: string, life: string, reads: readonly ServedRead[]): Promise<void> {
    this.#watch?.look();
    (await this.#mount(image)).served(life, reads);
    this.#engine.pageReads();
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
    this.#watch?.look();
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
        await this.#options.seen?.();
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
    await this.#options.seen?.();
  }

  async fsmap(image: string, query: FsmapQuery): Promise<FsmapPage> {
    await this.#mount(image);
    return this.#care.fsmap(query);
  }

  async inspect({ image, cursor }: InspectQuery): Promise<Inspection> {
    return this.#inspector.inspect(await this.#inspected(image), cursor);
  }

  overview(): Promise<SiteOverview> {
    return this.#inspector.overview(() => this.#storageKind);
  }

  async blockTable(image: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const mount = await this.#inspected(image);
    if (index >= mount.image.blobCount) throw new SluiceError('ENOENT', `The image has no blob ${index}`);
    return this.#inspector.blockTable(mount.image.blob(index));
  }

  async setSwitches(switches: InspectorSwitches): Promise<void> {
    this.#source.switch(switches);
    if (switches.isOffline) this.#engine.cutOff(cutOff());
    this.#engine.pause(switches.isPaused);
    this.#engine.retryNow();
  }

  async endLeader(): Promise<void> {
    this.#options.clock.after(lastWordMs, () => this.#options.end());
  }

  async scrub(image: string, signal: AbortSignal): Promise<ScrubReport> {
    const report = await this.#scrubs.scrub(await this.#mount(image), signal);
    if (report.bad.length > 0) await this.#copies?.drop();
    await this.#options.seen?.();
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
    this.#watch?.close();
    await this.#return?.close();
    this.#releases.close();
    this.#care.close();
    await this.#copies?.close();
    this.#progress.close();
    await this.#scrubs.close(closed);
    await this.#engine.close();
    await this.#local.close();
  }

  get #storageKind(): 'opfs' | 'memory' {
    return this.#persistent && !this.#local.full ? 'opfs' : 'memory';
  }

  async #mount(image: string, bytes?: number): Promise<Mount> {
    const mount = this.#engine.mount(await this.#bootstraps.open(image, bytes));
    await this.#salvage.of(mount);
    return mount;
  }

  /** One that is mounted, or stored; to look at an image fetches nothing. Throws `ENOENT`. */
  async #inspected(asked: string | undefined): Promise<Mount> {
    const image = asked ?? this.#latest;
    if (image === undefined)
      throw new SluiceError('ENOENT', 'No image is mounted yet: ask again when one is');
    const mount = this.#engine.mountOf(image);
    if (mount) return mount;
    if (!this.#local.images.stored().includes(image))
      throw new SluiceError('ENOENT', `Image ${image} is neither mounted nor stored here`);
    return this.#mount(image);
  }

  async #files(image: string): Promise<FileReader> {
    return new FileReader(this.#engine, await this.#mount(image), this.#zstd);
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === 'changed') {
      this.#polls.check();
      this.#progress.changed();
      return;
    }
    if (event.type === 'refused') {
      this.#releases.refused(event.images);
      return;
    }
    // A copy may have been made of what was found bad.
    if (event.type === 'dropped') void this.#copies?.clear();
    else this.#copies?.look();
    this.#options.onEvent(event);
    if (event.type === 'complete') this.#progress.now(event.image);
  }
}
