import type { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import type { BlockSource } from '../protocol/block-source.ts';
import type { Clock } from '../protocol/clock.ts';
import type { Arrivals } from './arrivals.ts';
import type { BlobState } from './blob-state.ts';
import type { FetchRequest } from './fetch-plan.ts';
import { Flight, type FlightEvents } from './flight.ts';
import type { FetchLog } from './inspection/fetch-log.ts';
import { hasRoom, type LinkView } from './link-view.ts';
import type { PendingRead } from './pending-reads.ts';
import { RateMeter } from './rate-meter.ts';
import { TableWaits } from './table-waits.ts';
import type { Tasks } from './tasks.ts';

export interface FlightsOptions {
  readonly source: BlockSource;
  readonly arrivals: Pick<Arrivals, 'table' | 'block'>;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly log: FetchLog;
  /** The pending reads that count on the flight. */
  readonly readsOf: (flight: Flight) => PendingRead[];
  /** A block has come that does not match its digest. */
  readonly onBad: (blob: BlobState, block: number) => void;
  /** A good block has come: the origin answers. */
  readonly onGood: () => void;
  /** A flight has failed, and with it the reads that counted on it. */
  readonly onFailed: (flight: Flight, error: unknown, reads: readonly PendingRead[]) => void;
  /** There may be something new to ask for. */
  readonly onFree: () => void;
}

/** A flight that nobody waits for any more is ended when it has still this much to bring. */
const worthAborting = 64 * 1024;

/** The requests under way, from the source to the arrivals, and what they tell of the link. */
export class Flights implements Iterable<Flight> {
  readonly #options: FlightsOptions;
  readonly #flights = new Set<Flight>();
  readonly #tableWaits = new TableWaits();
  readonly #meter = new RateMeter();
  #requests = 0;
  #fetched = 0;

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Flight> {
    return this.#flights.values();
  }

  /** Flights so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Bytes so far. */
  get fetchedBytes(): number {
    return this.#fetched;
  }

  get link(): LinkView {
    return { rate: this.#meter.rate(), latencyMs: this.#meter.latencyMs };
  }

  get isAnswered(): boolean {
    return this.#some(({ answered }) => answered);
  }

  /** What is in the air: for somebody who waits, for later, or nothing. */
  get kind(): 'demand' | 'background' | undefined {
    if (this.#flights.size === 0) return undefined;
    return this.#some(({ kind }) => kind === 'demand') ? 'demand' : 'background';
  }

  start(request: FetchRequest<BlobState>): void {
    const { source, clock, tasks, log, readsOf, onFailed, onFree } = this.#options;
    const flight = new Flight(request, this.#events, clock.now(), log);
    this.#flights.add(flight);
    this.#requests += 1;
    tasks.run(async () => {
      let failure: unknown;
      try {
        await flight.run(source);
      } catch (error) {
        failure = error;
      }
      // Reads are looked up while the flight still counts, so that its range is theirs.
      const reads = failure === undefined ? [] : readsOf(flight);
      const { blob } = flight;
      this.#flights.delete(flight);
      flight.record.ended(failure);
      if (flight.answered && !flight.cached) this.#meter.end(clock.now());
      // Whoever waits for the table must not wait for ever, whichever way it came or did not.
      if (!this.#bringsTable(blob)) this.#tableWaits.settle(blob, blob.table);
      if (failure !== undefined) onFailed(flight, failure, reads);
      onFree();
    });
  }

  /** The blob's table is known; undefined: it cannot be what it should. */
  tableCame(blob: BlobState, table: BlockTable | undefined): void {
    this.#tableWaits.settle(blob, table);
  }

  /** Flights that nobody waits for any more give their slots back, but for those of blobs that are to go on. */
  endUnread(goesOn: (blob: BlobState) => boolean): void {
    const { source, readsOf } = this.#options;
    // From a host without ranges, the next flight would begin at the first byte again.
    if (source.wholeFiles) return;
    for (const flight of this.#flights) {
      if (flight.kind !== 'demand' || flight.remaining < worthAborting || goesOn(flight.blob)) continue;
      if (!readsOf(flight).length) flight.abort(new SluiceError('closed', 'Nobody waits for these blocks'));
    }
  }

  /** Ends all of them. */
  abort(reason: SluiceError): void {
    for (const flight of this.#flights) flight.abort(reason);
  }

  /** Ends those that are for nobody who waits. */
  abortUnawaited(reason: SluiceError): void {
    for (const flight of this.#flights) if (flight.kind !== 'demand') flight.abort(reason);
  }

  readonly #events: FlightEvents = {
    onBytes: (flight, count) => {
      const now = this.#options.clock.now();
      this.#fetched += count;
      flight.record.bytes(count, flight);
      if (!flight.cached) {
        if (flight.answered) this.#meter.add(count, now);
        else this.#meter.begin(now, now - flight.since);
      }
      // The next request may start before this one is in.
      if (hasRoom([...this.#flights], this.link)) this.#options.onFree();
    },
    onTable: async (flight, table, bytes) => {
      await this.#options.arrivals.table(flight.blob, table, bytes);
    },
    onArrived: (flight, block) => flight.record.arrived(block),
    onBlock: async (flight, table, block, bytes) => {
      flight.record.verified(block, true);
      this.#options.onGood();
      await this.#options.arrivals.block(flight.blob, table, block, bytes);
    },
    onBad: (flight, block) => {
      flight.record.verified(block, false);
      this.#options.onBad(flight.blob, block);
    },
    onWholeFile: (flight) =>
      !this.#some(
        (other) =>
          other !== flight && other.whole && other.blob === flight.blob && other.position <= flight.start,
      ),
    tableOf: (flight) => {
      const { blob } = flight;
      if (blob.table) return Promise.resolve(blob.table);
      return this.#bringsTable(blob) ? this.#tableWaits.wait(blob) : Promise.resolve(undefined);
    },
  };

  #bringsTable(blob: BlobState): boolean {
    return this.#some((flight) => flight.blob === blob && flight.bringsTable);
  }

  #some(test: (flight: Flight) => boolean): boolean {
    for (const flight of this.#flights) if (test(flight)) return true;
    return false;
  }
}
