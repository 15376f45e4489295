import type { BlobRecord } from '../format/blob-record.ts';
import type { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { Image } from '../image/image.ts';
import { MountedTree } from '../image/mounted-tree.ts';
import type { BlockSource } from '../protocol/block-source.ts';
import type { Clock } from '../protocol/clock.ts';
import type { PrefetchPriority } from '../protocol/loader-api.ts';
import type { LoaderInfo, PendingReadInfo } from '../protocol/state.ts';
import { Arrivals } from './arrivals.ts';
import { BlobState } from './blob-state.ts';
import { CommitTimer } from './commit-timer.ts';
import { Completion } from './completion.ts';
import { Flights } from './flights.ts';
import { Health, healthOf } from './health.ts';
import { FetchLog } from './inspection/fetch-log.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { Mount } from './mount.ts';
import { pendingInfos } from './pending-infos.ts';
import { type PendingRead, PendingReads } from './pending-reads.ts';
import { ReadFailures } from './read-failures.ts';
import { Scheduler } from './scheduler.ts';
import { asStoredBlock, type StoredBlock } from './stored-block.ts';
import { TableShelf } from './table-shelf.ts';
import { Tasks } from './tasks.ts';

export interface BlockRead {
  readonly blob: number;
  readonly block: number;
  /** What the reader asked for, for the eyes of people. */
  readonly path: string;
  /** 0: only what is here. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineOptions {
  readonly source: BlockSource;
  readonly local: LocalBlocks;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  readonly onEvent?: (event: EngineEvent) => void;
  /** Pending reads are numbered from here on. Default 1. */
  readonly firstSerial?: number;
}

export type EngineEvent =
  | { readonly type: 'changed' }
  | { readonly type: 'sealed'; readonly blobs: readonly string[] }
  /** What was stored of these blobs was found bad, and is not there any more. */
  | { readonly type: 'dropped'; readonly blobs: readonly string[] }
  /** The server has answered for a blob of these images as no static host does that has it. */
  | { readonly type: 'refused'; readonly images: readonly string[] }
  | { readonly type: 'complete'; readonly image: string };

/** What {@link Engine.info} tells of the loader; who it is and which role it has is known elsewhere. */
export type EngineInfo = Omit<LoaderInfo, 'id' | 'role' | 'storage' | 'lastReadError'>;

/** What it works with, for an inspector: to be looked at. */
export interface EngineParts {
  /** Blobs that it has heard of, by SHA-256. */
  readonly blobs: ReadonlyMap<string, BlobState>;
  readonly pending: PendingReads<StoredBlock>;
  readonly flights: Flights;
  readonly fetches: FetchLog;
  readonly completion: Completion;
  readonly scheduler: Scheduler;
  readonly health: Health;
}

/** How long a given block may wait for its blob's table, without which it cannot be verified. */
const tableTimeoutMs = 30_000;

/** How long what was dropped is looked for; after that it waits for its reader. */
const bringAgainMs = 60 * 60 * 1000;

/** What a wait for a table ends with: the table is the blob's by then. */
const tableIsHere: StoredBlock = { codec: 0, logicalLength: 0, bytes: new Uint8Array(0) };

/**
 * Brings the blocks of mounted images: what readers wait for first, then all the rest. It wires up what has one
 * part of that each (who waits, what is asked for and when, what comes, what failed, what is complete), and keeps nothing that could not be made
 * again.
 *
 * Invariants: a block becomes present, and reaches a reader, only after its digest was checked; it is asked for by one flight at
 * a time; every reader ends (pending-reads.ts).
 */
export class Engine {
  readonly #local: LocalBlocks;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #emit: (event: EngineEvent) => void;
  readonly #blobs = new Map<string, BlobState>();
  readonly #mounts = new Map<string, Mount>();
  readonly #pending: PendingReads<StoredBlock>;
  readonly #flights: Flights;
  readonly #fetches: FetchLog;
  readonly #completion: Completion;
  readonly #scheduler: Scheduler;
  readonly #tables = new TableShelf();
  readonly #arrivals: Arrivals;
  readonly #commits: CommitTimer;
  readonly #health: Health;
  readonly #failures: ReadFailures;
  readonly #tasks: Tasks;
  #closed: SluiceError | undefined;

  constructor({ source, local, clock, random, onEvent, firstSerial }: EngineOptions) {
    this.#local = local;
    this.#clock = clock;
    this.#random = random;
    this.#emit = onEvent ?? (() => {});
    this.#pending = new PendingReads(clock, () => this.#scheduler.withdrawn(), firstSerial);
    this.#arrivals = new Arrivals({
      local,
      onTable: (blob, table) => this.#tableCame(blob, table),
      onBlock: (blob, block, stored) => this.#pending.resolve(blob.sha256, block, stored),
      onWritten: (blob, bytes) => this.#wrote(blob, bytes),
    });
    this.#commits = new CommitTimer(
      clock,
      () => this.#commit(),
      (error) => this.report(error),
    );
    this.#health = new Health(clock, random);
    this.#tasks = new Tasks(clock, (error) => this.report(error));
    this.#failures = new ReadFailures({
      clock,
      random,
      health: this.#health,
      reject: (read, reason) => this.#pending.reject(read.blob, read.block, reason),
      unserved: () => this.#scheduler.unserved(),
      onRefused: ({ sha256 }) =>
        this.#emit({ type: 'refused', images: this.#mountsWith(sha256).map(({ image }) => image.id) }),
      isAnswered: () => this.#flights.isAnswered,
      wakeAfter: (ms) => this.#scheduler.pumpAfter(ms),
    });
    this.#completion = new Completion(local);
    this.#fetches = new FetchLog({
      now: () => clock.now(),
      isAwaited: (sha256, block) => this.#pending.get(sha256, block)?.urgency === 'demand',
    });
    this.#flights = new Flights({
      source,
      log: this.#fetches,
      arrivals: this.#arrivals,
      clock,
      tasks: this.#tasks,
      readsOf: (flight) => this.#scheduler.readsOf(flight),
      onBad: (blob, block) => {
        this.#failures.bad(blob, block, this.#pending.get(blob.sha256, block));
        this.#scheduler.pump();
      },
      onGood: () => {
        if (this.#health.recovered()) this.#scheduler.pump();
      },
      onFailed: (flight, error, reads) => {
        if (!this.#closed) this.#failures.flight(flight, error, reads);
      },
      onFree: () => this.#scheduler.pump(),
    });
    this.#scheduler = new Scheduler({
      pending: this.#pending,
      flights: this.#flights,
      completion: this.#completion,
      health: this.#health,
      local,
      wholeFiles: () => source.wholeFiles,
      clock,
      tasks: this.#tasks,
      blobOf: (sha256) => this.#blobs.get(sha256),
      loadTable: async (blob) => {
        if (await blob.openTable()) this.#tables.use(blob);
      },
      serve: (blob, read) => this.#serve(blob, read),
      onPlanned: () => this.#emit({ type: 'changed' }),
    });
  }

  /** Serves the image from now on. Mounting it again answers the same mount. */
  mount(image: Image): Mount {
    const known = this.#mounts.get(image.id);
    if (known) return known;
    const mount = new Mount({
      tree: new MountedTree(image, this.#local.overlay(image.id)),
      blobState: (record) => this.#blobState(record),
      isKnown: (sha256) => this.#blobs.has(sha256) || this.#local.knows(sha256),
    });
    this.#mounts.set(image.id, mount);
    this.#completion.mounted(mount);
    return mount;
  }

  /** Completes the image in the background, before images that were asked for earlier, and after what its launch reads. */
  complete(mount: Mount): void {
    // Where blocks are present, a page has begun to use them; this one goes on.
    this.#scheduler.launches(mount.presentBlocks > 0);
    this.#completion.begin(mount);
    this.#scheduler.pump();
  }

  /** A page begins to read: see LaunchCalm.launches. */
  launched(): void {
    this.#scheduler.launches(true);
  }

  /**
   * One stored block, from here or as soon as it comes. Throws `read-timeout`, `offline`, `bad-origin`, `integrity`,
   * `corrupt-image`, `ERANGE`, `closed`, or the signal's reason.
   */
  async read(mount: Mount, read: BlockRead): Promise<StoredBlock> {
    const blob = this.#blobOf(mount, read);
    const stored = (blob.isReadable(read.block) && (await this.#readLocal(blob, read.block))) || undefined;
    return stored ?? (await this.#wait(mount, blob, read, 'demand'));
  }

  /** Resolves when the block is here, ahead of its readers. Throws as {@link read}. */
  async bring(mount: Mount, read: BlockRead, urgency: PrefetchPriority): Promise<void> {
    const blob = this.#blobOf(mount, read);
    await blob.settled(read.block);
    if (!blob.isReadable(read.block)) await this.#wait(mount, blob, read, urgency);
  }

  /**
   * Takes a table (block -1) or stored block from somebody who has it, see {@link Arrivals}; one that is here is left as it is. A block
   * needs its table, which is fetched where it is not known. Throws `ENOENT` (no such blob), `ERANGE` (no such block), `E2BIG`, `EINVAL`
   * (too short), `integrity`, and what fetching the table throws.
   */
  async provide(mount: Mount, index: number, block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#closed) throw this.#closed;
    const blob = mount.blob(index);
    if (!blob) throw new SluiceError('ENOENT', `The image has no blob ${index}`);
    if (block === -1 && !blob.isPrivate) return this.#arrivals.giveTable(blob, bytes);
    if (!(Number.isInteger(block) && block >= 0 && block < blob.blockCount))
      throw new SluiceError('ERANGE', `Blob ${index} has no block ${block}`);
    if (blob.isReadable(block)) return;
    await this.#arrivals.giveBlock(blob, await this.#tableOf(blob), block, bytes);
  }

  /** Resolves when blocks of a run-time file that were provided are durable. Throws `unreadable` for those that were lost when they should have become so. */
  async keep(mount: Mount, index: number, blocks: readonly number[]): Promise<void> {
    await this.flush();
    const blob = mount.blob(index);
    if (blob) this.#local.requireKept(blob.sha256, blocks);
  }

  /** Somebody else is bringing blocks `[first, end)` of a blob, see {@link ExpectedBlocks}. Throws `ERANGE`. */
  expect(mount: Mount, index: number, first: number, end: number): void {
    const blob = this.#blobOf(mount, { blob: index, block: end - 1, path: `blob ${index}` });
    if (first < end && !blob.isPrivate) this.#scheduler.expect(blob, first, end);
  }

  /** The images that are served. */
  mounted(): Iterable<string> {
    return this.#mounts.keys();
  }

  mountOf(image: string): Mount | undefined {
    return this.#mounts.get(image);
  }

  /** The image is not completed in the background any more. */
  leaveIncomplete(mount: Mount): void {
    this.#completion.end(mount);
    // Whose request it is cannot be told where images share a blob; the others' are asked for again.
    this.#flights.abortUnawaited(new SluiceError('closed', 'The image is not completed any more'));
    this.#scheduler.pump();
  }

  /**
   * Gives back the room of published blobs, see {@link LocalBlocks.evict}. Nothing of them is here any more: who reads them next waits for the
   * network, and what is on its way arrives in files begun anew.
   */
  async evict(blobs: readonly string[]): Promise<void> {
    const evicted = this.#local.evict(blobs);
    // In the same tick, so that nothing is written, or believed, in between.
    for (const sha256 of blobs) this.#blobs.get(sha256)?.evicted();
    this.#completion.lost(this.#mounts.values());
    this.#scheduler.pump();
    await evicted;
  }

  /** Run-time files were removed: whoever still reads them hears so. */
  dropRemoved(mount: Mount): void {
    for (const { sha256 } of mount.dropRemoved()) {
      this.#blobs.delete(sha256);
      for (const read of [...this.#pending.all()]) {
        if (read.blob !== sha256) continue;
        const { path } = read;
        this.#pending.reject(sha256, read.block, new SluiceError('ENOENT', `${path} was removed`, { path }));
      }
    }
  }

  /** There is something to commit that was not counted as written. */
  commitSoon(): void {
    this.#commits.wrote(0);
  }

  /** The store takes blocks again. */
  resume(): void {
    this.commitSoon();
    this.#scheduler.pump();
  }

  /** Somebody waits for the network: what can wait should. */
  get isDemanded(): boolean {
    return this.#scheduler.isDemanded;
  }

  /** Nobody reads, and no page is being launched. */
  get isQuiet(): boolean {
    return this.#scheduler.isQuiet;
  }

  /** Stores a blob's table again, which was found bad there, where it is in memory: then nothing else of the blob is lost. Answers it. */
  async restoreTable(sha256: string): Promise<BlockTable | undefined> {
    const blob = this.#blobs.get(sha256);
    const table = blob?.isPrivate ? undefined : blob?.table;
    if (!blob || !table) return undefined;
    await this.#local.drop(sha256, [-1]);
    this.#emit({ type: 'dropped', blobs: [sha256] });
    await this.#arrivals.table(blob, table, table.bytes);
    return table;
  }

  /**
   * Blocks (-1: the table) of a blob were found bad and are not in the store any more. They come again in the background's turn, or before, when
   * somebody reads them; those of run-time files when somebody provides them.
   */
  dropped(sha256: string, blocks: readonly number[]): void {
    const blob = this.#blobs.get(sha256);
    if (blob && blocks.includes(-1)) blob.forgetTable();
    const mounts = this.#mountsWith(sha256);
    for (const block of blocks) if (block >= 0) blob?.spoilt(block);
    this.#completion.lost(mounts);
    this.#emit({ type: 'dropped', blobs: [sha256] });
    const [first] = mounts;
    const comesAnyway = mounts.some((mount) => this.#completion.isUnderWay(mount));
    if (first && !comesAnyway && !blob?.isPrivate) this.#bringAgain(first, first.indexOf(sha256)!, blocks);
    this.#scheduler.pump();
  }

  /** A page's main thread says that it runs, see LaunchCalm. */
  pageBeats(): void {
    this.#scheduler.pageBeats();
  }

  /** See {@link Scheduler.pageReads}. */
  pageReads(): void {
    this.#scheduler.pageReads();
  }

  /** The network may be back: tries now what was waiting for it. */
  retryNow(): void {
    this.#health.endPause();
    this.#scheduler.pump();
  }

  /** Everything written so far is durable when this resolves (as far as the store can). */
  flush(): Promise<void> {
    return this.#commits.flush();
  }

  get fetchedBytes(): number {
    return this.#flights.fetchedBytes;
  }

  /** The highest serial of a pending read so far, of whichever image. */
  get lastSerial(): number {
    return this.#pending.lastSerial;
  }

  /** The reads of the image that wait and have serials above `after`, oldest first. */
  pendingReads(mount: Mount, after = 0): PendingReadInfo[] {
    return pendingInfos(this.#pending.readers(), mount, after, this.#clock.now());
  }

  info(): EngineInfo {
    return {
      activity: this.#scheduler.activity,
      rate: Math.round(this.#flights.link.rate),
      requests: this.#flights.requests,
      health: healthOf(this.#oldestWaitMs()),
      ...this.#health.counts(),
    };
  }

  get parts(): EngineParts {
    return {
      blobs: this.#blobs,
      pending: this.#pending,
      flights: this.#flights,
      fetches: this.#fetches,
      completion: this.#completion,
      scheduler: this.#scheduler,
      health: this.#health,
    };
  }

  /** Nothing new is asked for, or again. */
  pause(paused: boolean): void {
    this.#scheduler.isPaused = paused;
  }

  /** Requests that are under way end so. */
  cutOff(reason: SluiceError): void {
    this.#flights.abort(reason);
  }

  /** Something went wrong that a person may want to know of. */
  report(error: unknown): void {
    this.#health.report(error);
  }

  /** Ends everything: readers get `closed`; what has arrived is committed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = new SluiceError('closed', 'The loader was closed');
    this.#scheduler.close();
    this.#flights.abort(this.#closed);
    this.#pending.rejectAll(this.#closed);
    await this.#tasks.end();
    await this.#commits.flush();
  }

  /** Those whose images have the blob. */
  #mountsWith(sha256: string): Mount[] {
    return [...this.#mounts.values()].filter((mount) => mount.indexOf(sha256) !== undefined);
  }

  #bringAgain(mount: Mount, blob: number, blocks: readonly number[]): void {
    const path = `${mount.image.blob(blob).sha256}.bin`;
    for (const block of blocks) {
      if (block === -1) continue;
      this.#tasks.run(() =>
        this.bring(mount, { blob, block, path, timeoutMs: bringAgainMs }, 'background').catch((error) => {
          if (!this.#closed) throw error;
        }),
      );
    }
  }

  // ——— reading ———

  async #readLocal(blob: BlobState, block: number): Promise<StoredBlock | undefined> {
    const table = await blob.openTable();
    if (!table) return undefined;
    this.#tables.use(blob);
    const { start, end } = table.stored(block);
    const bytes = await this.#local.readBlock(blob.sha256, block, start, end - start);
    return bytes && asStoredBlock(table, block, bytes);
  }

  #blobOf(mount: Mount, { blob, block, path }: Pick<BlockRead, 'blob' | 'block' | 'path'>): BlobState {
    if (this.#closed) throw this.#closed;
    const found = mount.blob(blob);
    if (found && block < found.blockCount) return found;
    throw new SluiceError('ERANGE', `${path}: the image has no block ${block} in blob ${blob}`);
  }

  #wait(mount: Mount, blob: BlobState, read: BlockRead, urgency: PrefetchPriority): Promise<StoredBlock> {
    const { block, path, timeoutMs, signal } = read;
    const waiting = this.#pending.wait({
      blob: blob.sha256,
      block,
      path,
      timeoutMs,
      signal,
      // Only data loaders can bring a run-time file's block, and what they see are readers.
      urgency: blob.isPrivate ? 'demand' : urgency,
    });
    const pending = this.#pending.get(blob.sha256, block);
    const toFetch = !blob.table && !blob.tableLoading && !blob.isStored(block);
    if (pending && toFetch) this.#scheduler.hint(pending, () => mount.hint(path, read.blob, block));
    if (urgency === 'demand') this.#scheduler.missed(mount, path, read.blob, block);
    this.#scheduler.pump();
    return waiting;
  }

  async #tableOf(blob: BlobState): Promise<BlockTable> {
    const known = await blob.openTable();
    if (known) return known;
    const path = `${blob.sha256}.bin`;
    const waiting = this.#pending.wait({ blob: blob.sha256, block: -1, path, timeoutMs: tableTimeoutMs });
    this.#scheduler.pump();
    await waiting;
    const table = await blob.openTable();
    if (!table) throw new SluiceError('unreadable', `The block table of ${path} was lost again`);
    return table;
  }

  #oldestWaitMs(): number {
    for (const { since } of this.#pending.readers()) return this.#clock.now() - since;
    return 0;
  }

  /** The block landed between the reader's look at the store and its wait. */
  #serve(blob: BlobState, read: PendingRead): void {
    if (read.block === -1) this.#pending.resolve(blob.sha256, -1, tableIsHere);
    else
      this.#tasks.run(async () => {
        const stored = await this.#readLocal(blob, read.block);
        if (stored) this.#pending.resolve(blob.sha256, read.block, stored);
        else this.#scheduler.pump();
      });
  }

  // ——— what has come ———

  #tableCame(blob: BlobState, table: BlockTable | undefined): void {
    if (table) {
      blob.setTable(table);
      this.#tables.use(blob);
    }
    this.#flights.tableCame(blob, table);
    this.#scheduler.pump();
  }

  #wrote(blob: BlobState, bytes: number): void {
    // The last block of a blob is worth a commit: it can be sealed, and perhaps an image is complete.
    if (blob.complete) this.#tasks.run(() => this.#commits.flush());
    else this.#commits.wrote(bytes);
    this.#emit({ type: 'changed' });
  }

  async #commit(): Promise<void> {
    const blobs = await this.#local.commit();
    if (blobs.length > 0) this.#emit({ type: 'sealed', blobs });
    for (const { image } of await this.#completion.news(this.#mounts.values()))
      this.#emit({ type: 'complete', image: image.id });
  }

  #blobState(record: BlobRecord): BlobState {
    const known = this.#blobs.get(record.sha256);
    if (known) return known;
    const blob = new BlobState({ record, local: this.#local, clock: this.#clock, random: this.#random });
    this.#blobs.set(record.sha256, blob);
    return blob;
  }
}
