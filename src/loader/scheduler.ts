import type { Clock } from '../protocol/clock.ts';
import type { PrefetchPriority } from '../protocol/loader-api.ts';
import type { LoaderInfo } from '../protocol/state.ts';
import type { BlobState } from './blob-state.ts';
import type { BlobHead, Demand, RunHint } from './blob-view.ts';
import type { Completion } from './completion.ts';
import { ExpectedBlocks, expectMs } from './expected-blocks.ts';
import { planFetch } from './fetch-plan.ts';
import type { Flight } from './flight.ts';
import { type FlightView, isBlockInFlight } from './flight-view.ts';
import type { Flights } from './flights.ts';
import type { Health } from './health.ts';
import { LaunchCalm } from './launch-calm.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import type { PendingRead, PendingReads } from './pending-reads.ts';
import { Readahead } from './readahead.ts';
import type { StoredBlock } from './stored-block.ts';
import type { Tasks } from './tasks.ts';

export interface SchedulerOptions {
  readonly pending: PendingReads<StoredBlock>;
  readonly flights: Flights;
  readonly completion: Completion;
  readonly health: Health;
  readonly local: Pick<LocalBlocks, 'full'>;
  readonly wholeFiles: () => boolean;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly blobOf: (sha256: string) => BlobState | undefined;
  /** Opens the blob's table from the store. */
  readonly loadTable: (blob: BlobState) => Promise<void>;
  /** Answers a read for whose block nothing has to be fetched. */
  readonly serve: (blob: BlobState, read: PendingRead) => void;
  readonly onPlanned: () => void;
}

/**
 * When to ask for what: brings together who waits, what is in the air and what is missing, lets fetch-plan.ts decide, and sends its requests out.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #hints = new WeakMap<PendingRead, RunHint>();
  readonly #readahead = new Readahead();
  readonly #calm = new LaunchCalm();
  #calmAwaited = false;
  readonly #expected = new ExpectedBlocks();
  #expectedAwaited = false;
  /** Flights may be going on that nobody waits for. */
  #lingering = false;
  #pumping = false;
  #paused = false;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Soon, once: reads that are asked for in one go shall be planned together. */
  pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (!this.#closed) this.#plan();
    });
  }

  /** Plans again after so long. */
  pumpAfter(ms: number): void {
    const { clock, tasks } = this.#options;
    const at = clock.now() + ms;
    // A timer may come early, by a fraction of a millisecond or, in a busy process, by some; planning too early would be planning nothing.
    const wake = (): void => {
      const left = at - clock.now();
      if (left > 0) tasks.after(left + 1, wake);
      else this.pump();
    };
    tasks.after(ms + 1, wake);
  }

  close(): void {
    this.#closed = true;
  }

  /** Nothing new is asked for while it is; what is under way goes on, and readers wait. */
  get isPaused(): boolean {
    return this.#paused;
  }

  set isPaused(paused: boolean) {
    this.#paused = paused;
    this.pump();
  }

  /** The requests under way, and what others are known to be bringing. */
  inTheAir(): FlightView<BlobState>[] {
    return [...this.#options.flights, ...this.#expected.underWay(this.#options.clock.now())];
  }

  /** An image is being launched; see {@link LaunchCalm.launches}. */
  launches(reads: boolean): void {
    this.#calm.launches(this.#options.clock.now(), reads);
  }

  /** Somebody else is bringing blocks `[first, end)` of the blob. */
  expect(blob: BlobState, first: number, end: number): void {
    this.#expected.add(blob, first, end, this.#options.clock.now());
    this.pump();
  }

  /** A page was answered from what is here: while it launches it is not done, though nobody waits for the network. */
  pageReads(): void {
    this.#calm.reads(this.#options.clock.now());
  }

  /** See {@link LaunchCalm.pageBeats}. */
  pageBeats(): void {
    this.#calm.pageBeats(this.#options.clock.now());
  }

  /** Where the read's block and its neighbours lie, as far as that can be told without the block table. */
  hint(read: PendingRead, find: () => RunHint | undefined): void {
    if (this.#hints.has(read)) return;
    const hint = find();
    if (hint) this.#hints.set(read, hint);
  }

  /** Somebody waits for a block of the file. Of an image that is not completed, only what is read is fetched. */
  missed(mount: Mount, path: string, blob: number, block: number): void {
    if (this.#options.completion.isUnderWay(mount)) this.#readahead.missed(mount, path, blob, block);
  }

  /** Somebody waits for the network: what can wait should. */
  get isDemanded(): boolean {
    return this.#someoneReads() || this.#options.flights.kind === 'demand';
  }

  /** Nobody reads, and no page is being launched. */
  get isQuiet(): boolean {
    return !this.isDemanded && this.#calm.waitMs(this.#options.clock.now()) === 0;
  }

  get activity(): LoaderInfo['activity'] {
    const { flights, health, completion, clock } = this.#options;
    const { kind } = flights;
    if (kind) return kind;
    if (health.offline) return 'offline';
    if (health.paused) return 'backing-off';
    if (this.#someoneReads()) return 'demand';
    const holdsBack = this.#calm.waitMs(clock.now()) > 0 && completion.missing().next().done !== true;
    return holdsBack ? 'launching' : 'idle';
  }

  /**
   * Somebody has withdrawn a read. What was asked for it goes on where the background wants it anyway and nobody else waits for the link: a page or a
   * service worker that dies is back in a moment, and what has been under way would be thrown away.
   */
  withdrawn(): void {
    const { flights, completion } = this.#options;
    this.#lingering = !this.#isSomebodyUnserved();
    flights.endUnread((blob) => this.#lingering && completion.wants(blob));
    this.pump();
  }

  /** The pending reads that count on the flight. */
  readsOf(flight: Flight): PendingRead[] {
    return [...this.#options.pending.all()].filter(
      (read) =>
        read.blob === flight.blob.sha256 &&
        (flight.bringsTable || isBlockInFlight([flight], this.#demand(flight.blob, read))),
    );
  }

  /** Those that nobody serves now, and that the network could. */
  *unserved(): Generator<PendingRead> {
    const { pending, blobOf } = this.#options;
    const inTheAir = this.inTheAir();
    for (const read of pending.all()) {
      const blob = blobOf(read.blob);
      // Those of run-time files wait for whoever made the file.
      if (blob?.isPrivate) continue;
      if (blob && (blob.isHere(read.block) || isBlockInFlight(inTheAir, this.#demand(blob, read)))) continue;
      yield read;
    }
  }

  #plan(): void {
    const { flights, health, local, completion, wholeFiles, clock, onPlanned } = this.#options;
    const demands = this.#readyDemands();
    if (this.#lingering && this.#isSomebodyUnserved()) {
      this.#lingering = false;
      flights.endUnread(() => false);
    }
    if (this.#someoneReads()) this.#calm.reads(clock.now());
    const expected = this.#underWayElsewhere();
    const mayStream = !health.paused && !local.full;
    const mayComplete = mayStream && this.#isCalm();
    while (!this.#paused) {
      const { link } = flights;
      const request = planFetch({
        demands: demands.demand,
        ahead: mayStream ? [...this.#readahead.wanted(link)] : [],
        early: demands.launch,
        late: mayComplete ? demands.background : [],
        launch: mayStream ? this.#withTables(completion.missingForLaunch(link)) : [],
        background: mayComplete ? this.#withTables(completion.missing()) : [],
        flights: [...flights, ...expected],
        link,
        wholeFiles: wholeFiles(),
      });
      if (!request) break;
      flights.start(request);
    }
    onPlanned();
  }

  /** Plans again when it does not come. */
  #underWayElsewhere(): FlightView<BlobState>[] {
    const { clock, tasks } = this.#options;
    const views = this.#expected.underWay(clock.now());
    if (views.length > 0 && !this.#expectedAwaited) {
      this.#expectedAwaited = true;
      tasks.after(expectMs + 1, () => {
        this.#expectedAwaited = false;
        this.pump();
      });
    }
    return views;
  }

  /** Plans again when it has become calm. */
  #isCalm(): boolean {
    const { clock, tasks } = this.#options;
    const ms = this.#calm.waitMs(clock.now());
    if (ms > 0 && !this.#calmAwaited) {
      this.#calmAwaited = true;
      tasks.after(ms + 1, () => {
        this.#calmAwaited = false;
        this.pump();
      });
    }
    return ms === 0;
  }

  #someoneReads(): boolean {
    return this.#options.pending.readers().next().done !== true;
  }

  #isSomebodyUnserved(): boolean {
    return this.unserved().next().done !== true;
  }

  /** The reads for which something has to be fetched; the others are on their way to be answered. */
  #readyDemands(): Record<PrefetchPriority, Demand<BlobState>[]> {
    const { pending, clock, blobOf, serve } = this.#options;
    const now = clock.now();
    const demands: Record<PrefetchPriority, Demand<BlobState>[]> = { demand: [], launch: [], background: [] };
    for (const read of pending.all()) {
      const blob = blobOf(read.blob);
      if (!blob || read.notBefore > now) continue;
      if (blob.tableLoading) this.#loadTable(blob);
      else if (read.block === -1 ? blob.table : blob.isReadable(read.block)) serve(blob, read);
      else if (!blob.isPrivate) demands[read.urgency].push(this.#demand(blob, read));
    }
    return demands;
  }

  *#withTables(heads: Iterable<BlobHead<BlobState>>): Generator<BlobHead<BlobState>> {
    for (const head of heads) {
      if (head.blob.tableLoading) {
        this.#loadTable(head.blob);
        return;
      }
      yield head;
    }
  }

  #loadTable(blob: BlobState): void {
    const { tasks, loadTable } = this.#options;
    tasks.run(async () => {
      await loadTable(blob);
      this.pump();
    });
  }

  #demand(blob: BlobState, read: PendingRead): Demand<BlobState> {
    return { blob, block: read.block, hint: this.#hints.get(read) };
  }
}
