import type { StartZstd } from '../codec/zstd-decoder.ts';
import { SluiceError } from '../format/errors.ts';
import { hex } from '../format/sha256.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import { type Clock, passed } from '../protocol/clock.ts';
import { deferred } from '../protocol/deferred.ts';
import type { FsmapPage, FsmapQuery } from '../protocol/fsmap.ts';
import type { Inspection, InspectionCursor } from '../protocol/inspection.ts';
import type { LaunchMetrics } from '../protocol/launch-metrics.ts';
import type {
  ByteRange,
  DirectoryEntry,
  FileStat,
  LoaderApi,
  LoaderOptions,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import { loaderLockName, type ReleaseRecord, type WorkerFacts } from '../protocol/messages.ts';
import type { PendingReadInfo, Progress, ReadLog, SluiceState } from '../protocol/state.ts';
import type { Directory } from '../store/directory.ts';
import type { Room } from './culling.ts';
import type { LoaderLocks } from './image-uses.ts';
import { launchMetrics } from './launch-metrics.ts';
import type { LoaderService, OpenOptions, ServiceEvent } from './loader-service.ts';
import { LocalService } from './local-service.ts';
import type { LocalServiceOptions } from './local-service-options.ts';
import { mediaType } from './media-type.ts';
import { ServiceWorkerPort } from './service-worker-port.ts';
import { Succession } from './succession.ts';
import { zstdOfSite } from './zstd-of-site.ts';

/** For service workers to tell what they are bringing. */
const toldMs = 150;
/** Within so long a service worker tells what it has read. */
const readsToldMs = 1000;

const endReasons = {
  lost: 'the site’s storage was cleared',
  back: 'the local store can be used again',
};

/** The edges to the platform. */
export interface LoaderPlatform {
  /** A name that no other loader has. */
  readonly loader: string;
  readonly fetch: typeof fetch;
  readonly locks: LoaderLocks;
  /** How much of the origin's quota is used; undefined where the platform does not tell. */
  readonly estimate: () => Promise<Room | undefined>;
  /** Cache Storage, for second copies of code files; undefined where the browser gives none. */
  readonly caches?: LocalServiceOptions['caches'];
  readonly newChannel: (name: string) => MessageEndpoint;
  /** The scope's folder; undefined where the browser gives none. Asked when this loader is to lead. */
  readonly openDirectory: (scope: string) => Promise<Directory | undefined>;
  /** Ends this loader at once, with everything that it holds, for people to know why; its page starts another one. */
  readonly end: (why: string) => void;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
}

interface Started {
  readonly succession: Succession;
  /** Resolves when the lock of our name is held. */
  readonly locked: Promise<void>;
  readonly release: Promise<ReleaseRecord>;
  readonly zstd: StartZstd;
}

/** One tab's loader: what its page calls, and the ports to service workers; the work is done by whoever leads. */
export class Loader implements LoaderApi {
  readonly #platform: LoaderPlatform;
  readonly #ports = new Set<ServiceWorkerPort>();
  readonly #complete = deferred();
  #isComplete = false;
  /** Completed in the background, also by the next leader. */
  #background = true;
  #isInspector = false;
  #started: Started | undefined;
  #image: ReleaseRecord | undefined;
  #local: LocalService | undefined;
  #onProgress: ((progress: Progress) => void) | undefined;
  #progress: Progress | undefined;
  #onRelease: ((release: ReleaseRecord, isGone: boolean) => void) | undefined;
  #release: { readonly named: ReleaseRecord; readonly isGone: boolean } | undefined;
  #releaseLock: (() => void) | undefined;
  /** Events that came before start() knew which image is ours. */
  readonly #early: ServiceEvent[] = [];
  readonly #closing = new AbortController();
  /** By ticket: reads that can be withdrawn. */
  readonly #reads = new Map<number, AbortController>();
  /** What this page has set; a new leader has to be told. */
  #readLog: number | undefined;

  constructor(platform: LoaderPlatform) {
    this.#platform = platform;
  }

  async start(options: LoaderOptions): Promise<{ readonly loader: string; readonly image: string }> {
    const { loader } = this.#platform;
    if (this.#started) throw new SluiceError('EINVAL', 'This loader was started before');
    // Held before anybody knows our name: who is granted it takes us for dead.
    const locked = this.#holdLock();
    const zstd = zstdOfSite(options.scope, this.#platform);
    const succession = this.#newSuccession(options, zstd);
    this.#readLog = options.readLog;
    this.#background = options.background ?? true;
    this.#isInspector = options.isInspector ?? false;
    const open = this.#openOptions(options.release);
    const release = locked.then(() => succession.use('start', (service) => service.open(open), 50_000));
    release.catch(() => {}); // Also awaited below.
    this.#started = { succession, locked, release, zstd };
    this.#image = await release;
    this.#tellLateEvents();
    if (options.readLog !== undefined) await this.setReadLog(options.readLog);
    return { loader, image: this.#image.image };
  }

  ping(): void {}

  async connect(endpoint: MessageEndpoint): Promise<void> {
    const { succession, locked, zstd } = this.#running();
    await locked;
    if (this.#closing.signal.aborted) return endpoint.close();
    const port = new ServiceWorkerPort(
      endpoint,
      this.#platform.locks,
      (name, work) => succession.use(name, work),
      this.#platform.clock,
      zstd,
      (closed) => this.#ports.delete(closed),
    );
    this.#ports.add(port);
    port.hello(this.#platform.loader, succession.role);
    if (this.#isComplete) port.post({ type: 'image-complete', image: this.#image!.image });
  }

  async state(): Promise<SluiceState> {
    const { succession, image } = await this.#mounted();
    const state = await succession.use('state', (service) => service.state(image));
    return { ...state, loader: { ...state.loader, id: this.#platform.loader, role: succession.role } };
  }

  async readLog(): Promise<ReadLog> {
    const { succession, image } = await this.#mounted();
    return succession.use('readLog', (service) => service.readLog(image));
  }

  async setReadLog(capacity: number): Promise<void> {
    const { succession, image } = await this.#mounted();
    await succession.use('setReadLog', (service) => service.setReadLog(image, capacity));
    this.#readLog = capacity;
  }

  watch(onProgress: (progress: Progress) => void): void {
    this.#onProgress = onProgress;
    if (this.#progress) onProgress(this.#progress);
  }

  watchRelease(onRelease: (release: ReleaseRecord, isGone: boolean) => void): void {
    this.#onRelease = onRelease;
    if (this.#release) onRelease(this.#release.named, this.#release.isGone);
  }

  whenComplete(): Promise<void> {
    return this.#complete.promise;
  }

  async launched(): Promise<void> {
    const { succession, image } = await this.#mounted();
    await succession.use('launched', (service) => service.launched(image));
  }

  async flush(): Promise<void> {
    const { succession } = await this.#mounted();
    await succession.use('flush', (service) => service.flush());
  }

  async stat(path: string): Promise<FileStat> {
    const { succession, image } = await this.#mounted();
    return succession.use('stat', (service) => service.stat(image, path));
  }

  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    const { succession, image } = await this.#mounted();
    return succession.use('readdir', (service) => service.readdir(image, path));
  }

  async read(
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    ticket?: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const abort = new AbortController();
    if (ticket !== undefined) this.#reads.set(ticket, abort);
    try {
      const { succession, image } = await this.#mounted();
      const work = (service: LoaderService) => service.read(image, path, start, end, timeoutMs, abort.signal);
      return await succession.use('read', work);
    } finally {
      if (ticket !== undefined) this.#reads.delete(ticket);
    }
  }

  cancelRead(ticket: number): void {
    this.#reads.get(ticket)?.abort(new SluiceError('closed', 'The read was withdrawn'));
  }

  async prefetch(paths: readonly string[], priority: PrefetchPriority): Promise<void> {
    const { succession, image } = await this.#mounted();
    const { signal } = this.#closing;
    await succession.use('prefetch', (service) => service.prefetch(image, paths, priority, signal));
  }

  async filledRanges(path: string): Promise<readonly ByteRange[]> {
    const { succession, image } = await this.#mounted();
    return succession.use('filledRanges', (service) => service.filledRanges(image, path));
  }

  async pendingReads(after: number, waitMs: number): Promise<readonly PendingReadInfo[]> {
    const { succession, image } = await this.#mounted();
    const { signal } = this.#closing;
    return succession.use('pendingReads', (service) => service.pendingReads(image, after, waitMs, signal));
  }

  async provideBlocks(blocks: readonly ProvidedBlock[]): Promise<void> {
    const { succession, image } = await this.#mounted();
    await succession.use('provideBlocks', (service) => service.provideBlocks(image, blocks));
  }

  async changeTree(asked: TreeOperation): Promise<void> {
    const { succession, image } = await this.#mounted();
    const operation =
      asked.type === 'create-file' ? { ...asked, mime: asked.mime || mediaType(asked.path) } : asked;
    const request = hex(crypto.getRandomValues(new Uint8Array(32)));
    await succession.use(operation.type, (service) => service.changeTree(image, operation, request));
    await this.#seenHereToo(succession);
  }

  async pin(paths: readonly string[], pinned: boolean): Promise<void> {
    const { succession, image } = await this.#mounted();
    await succession.use('pin', (service) => service.pin(image, paths, pinned));
  }

  async evict(paths: readonly string[]): Promise<void> {
    const { succession, image } = await this.#mounted();
    await succession.use('evict', (service) => service.evict(image, paths));
    await this.#seenHereToo(succession);
  }

  async scrub(): Promise<ScrubReport> {
    const { succession, image } = await this.#mounted();
    const report = await succession.use('scrub', (service) => service.scrub(image, this.#closing.signal));
    await this.#seenHereToo(succession);
    return report;
  }

  async fsmap(query: FsmapQuery): Promise<FsmapPage> {
    const { succession, image } = await this.#mounted();
    return succession.use('fsmap', (service) => service.fsmap(image, query));
  }

  async inspect(cursor: InspectionCursor | undefined): Promise<Inspection> {
    const { succession, image } = await this.#mounted();
    return succession.use('inspect', (service) => service.inspect({ image, cursor }));
  }

  async launchMetrics(start: number, end: number): Promise<Omit<LaunchMetrics, 'wasComplete'>> {
    const state = await this.state();
    await passed(this.#platform.clock, readsToldMs);
    return launchMetrics(state, await this.readLog(), start, end);
  }

  async close(): Promise<void> {
    const closed = new SluiceError('closed', 'The loader was closed');
    this.#closing.abort(closed);
    for (const read of this.#reads.values()) read.abort(closed);
    for (const port of [...this.#ports]) port.close();
    await this.#started?.succession.close();
    this.#releaseLock?.();
  }

  /** The browser says that the network is back. */
  retryNow(): void {
    this.#local?.retryNow();
  }

  /** Our page's main thread says that it runs: of use where we lead. */
  pageBeats(): void {
    this.#local?.pageBeats();
  }

  #newSuccession({ scope, source }: LoaderOptions, zstd: StartZstd): Succession {
    const { loader, locks, newChannel, clock } = this.#platform;
    return new Succession({
      scope,
      loader,
      locks,
      newChannel,
      clock,
      lead: async (onEvent) => {
        const { fetch, random, openDirectory, estimate, caches } = this.#platform;
        const directory = await openDirectory(scope);
        this.#local = await LocalService.start({
          scope,
          loader,
          locks,
          estimate,
          caches,
          fetch,
          source,
          clock,
          random,
          zstd,
          directory,
          told: () => this.#told(),
          seen: () => this.#storeSeen(),
          facts: () => this.#workerFacts(),
          onEvent,
          // All that this leader knows is of the store that is gone, or of one in memory. Whoever leads next is asked all that waits.
          onStore: (what) => this.#platform.end(endReasons[what]),
          end: () => this.#platform.end('an inspector has ended it'),
        });
        return this.#local;
      },
      prepare: async (service) => {
        // The first service hears of it from start().
        if (!this.#image) return;
        await service.open(this.#openOptions(this.#image));
        if (this.#readLog !== undefined) await service.setReadLog(this.#image.image, this.#readLog);
      },
      onRole: (role) => {
        for (const port of this.#ports) port.hello(loader, role);
      },
      onEvent: (event) => this.#onEvent(event),
    });
  }

  #onEvent(event: ServiceEvent): void {
    switch (event.type) {
      case 'sealed':
        for (const port of this.#ports) port.post({ type: 'store-changed', sealed: event.blobs });
        return;
      case 'evicted':
        if (event.image === this.#image?.image) {
          this.#isComplete = false;
          this.#background = false;
        }
        this.#tellStoreChanged();
        return;
      case 'dropped':
        this.#tellStoreChanged(event.blobs);
        return;
      case 'culled':
      case 'changed-tree':
        this.#tellStoreChanged();
        return;
      case 'complete':
        for (const port of this.#ports) port.post({ type: 'image-complete', image: event.image });
        if (!this.#image) this.#early.push(event);
        else if (event.image === this.#image.image) {
          this.#isComplete = true;
          this.#complete.resolve();
        }
        return;
      case 'progress':
        if (!this.#image) this.#early.push(event);
        else if (event.image === this.#image.image) {
          this.#progress = event.progress;
          this.#onProgress?.(event.progress);
        }
        return;
      case 'release': {
        const { release: named, gone } = event;
        if (!this.#image) this.#early.push(event);
        else if (named.image !== this.#image.image) {
          const isGone = gone.includes(this.#image.image) || (this.#release?.isGone ?? false);
          this.#release = { named, isGone };
          this.#onRelease?.(named, isGone);
        }
      }
    }
  }

  #tellStoreChanged(dropped?: readonly string[]): void {
    for (const port of this.#ports)
      port.post({ type: 'store-changed', sealed: [], ...(dropped ? { dropped } : {}) });
  }

  /**
   * Before the first plan: service workers that are connected already have said what they have fetched, and are fetching, of a launch that is under
   * way (that goes out before they answer). They are not waited for long.
   */
  async #told(): Promise<void> {
    if (this.#ports.size === 0) return;
    await Promise.race([this.#storeSeen(), passed(this.#platform.clock, toldMs)]);
  }

  #openOptions(release: ReleaseRecord | undefined): OpenOptions {
    return {
      loader: this.#platform.loader,
      release,
      background: this.#background,
      isInspector: this.#isInspector,
    };
  }

  /** Of the service worker that has come last: while one takes the place of another, both are connected. */
  async #workerFacts(): Promise<WorkerFacts | undefined> {
    return [...this.#ports].at(-1)?.facts();
  }

  /** Resolves when the service workers answer by what is on disk now. */
  async #storeSeen(): Promise<void> {
    await Promise.all([...this.#ports].map((port) => port.storeSeen()));
  }

  /** The leader has waited for the service workers that it is connected with; a tab may be connected where the leader is not. */
  async #seenHereToo({ role }: Succession): Promise<void> {
    if (role !== 'leader') await this.#storeSeen();
  }

  #tellLateEvents(): void {
    for (const event of this.#early.splice(0)) this.#onEvent(event);
  }

  #running(): Started {
    if (!this.#started) throw new SluiceError('EINVAL', 'The loader was not started');
    return this.#started;
  }

  async #mounted(): Promise<{ readonly succession: Succession; readonly image: string }> {
    const { succession, release } = this.#running();
    return { succession, image: (await release).image };
  }

  /** The lock of our name is held until close(), or until the worker ends. Resolves when it is ours. */
  #holdLock(): Promise<void> {
    const { locks, loader } = this.#platform;
    return new Promise((resolve, reject) => {
      locks
        .request(loaderLockName(loader), () => {
          resolve();
          return new Promise<void>((release) => {
            this.#releaseLock = release;
          });
        })
        .catch(reject);
    });
  }
}
