import { SluiceError } from '../../format/errors.ts';
import type { InspectedFetch } from '../../protocol/inspection.ts';
import type { Flight } from '../flight.ts';
import { WaitLog } from './wait-steps.ts';

const capacity = 2048;

export interface FetchLogOptions {
  /** By the clock that {@link Flight.since} is of. */
  readonly now: () => number;
  /** Whether a reader waits for the block. */
  readonly isAwaited: (sha256: string, block: number) => boolean;
}

/** One request, from its begin on. Times are of the loader's clock. */
interface FetchRecord {
  readonly serial: number;
  readonly sha256: string;
  readonly kind: InspectedFetch['kind'];
  readonly sent: number;
  start: number;
  end: number;
  /** Of its last change. */
  revision: number;
  answered: number | undefined;
  ended: number | undefined;
  bytes: number;
  blocks: number;
  verifyMs: number;
  failed: string | undefined;
  /** Blocks under verification, and when each had come. */
  readonly arrived: Map<number, number>;
  /** Since when there are some. */
  verifyingSince: number;
}

/**
 * What the last requests were for and what became of them: a few counters each, kept whether or not somebody looks. What each block that a reader waited
 * for went through is in {@link waits}.
 */
export class FetchLog {
  readonly waits = new WaitLog();
  readonly #options: FetchLogOptions;
  /** Oldest first. */
  readonly #records: FetchRecord[] = [];
  readonly #underWay = new Map<Flight, FetchRecord>();
  #serial = 0;
  #revision = 0;

  constructor(options: FetchLogOptions) {
    this.#options = options;
  }

  /** Grows with every change of a record. */
  get revision(): number {
    return this.#revision;
  }

  /** The flight's number; undefined where it has ended. */
  serialOf(flight: Flight): number | undefined {
    return this.#underWay.get(flight)?.serial;
  }

  sent(flight: Flight): void {
    const record: FetchRecord = {
      serial: ++this.#serial,
      sha256: flight.blob.sha256,
      kind: flight.kind,
      sent: flight.since,
      start: flight.start,
      end: flight.end,
      revision: ++this.#revision,
      answered: undefined,
      ended: undefined,
      bytes: 0,
      blocks: 0,
      verifyMs: 0,
      failed: undefined,
      arrived: new Map(),
      verifyingSince: 0,
    };
    this.#underWay.set(flight, record);
    this.#records.push(record);
    if (this.#records.length > capacity) this.#records.shift();
  }

  /** So many bytes more came. */
  bytes(flight: Flight, count: number): void {
    const record = this.#change(flight);
    record.answered ??= this.#options.now();
    record.bytes += count;
    // Some servers answer with more than they were asked for.
    record.start = flight.whole ? 0 : flight.start;
    record.end = flight.end;
  }

  /** All bytes of the block are there. */
  arrived(flight: Flight, block: number): void {
    const record = this.#change(flight);
    const now = this.#options.now();
    if (record.arrived.size === 0) record.verifyingSince = now;
    record.arrived.set(block, now);
  }

  /** Its digest was checked. Before its readers hear of it. */
  verified(flight: Flight, block: number, good: boolean): void {
    const record = this.#change(flight);
    const now = this.#options.now();
    const arrived = record.arrived.get(block) ?? now;
    record.arrived.delete(block);
    // Blocks are verified side by side: what counts is how long there were any.
    if (record.arrived.size === 0) record.verifyMs += now - record.verifyingSince;
    if (!good) return;
    record.blocks += 1;
    const { sha256 } = flight.blob;
    if (!this.#options.isAwaited(sha256, block)) return;
    const answered = record.answered ?? arrived;
    this.waits.add(sha256, block, { sent: flight.since, answered, arrived, verified: now });
  }

  ended(flight: Flight, failure: unknown): void {
    const record = this.#change(flight);
    record.ended = this.#options.now();
    if (failure !== undefined) record.failed = failure instanceof SluiceError ? failure.code : 'unreadable';
    this.#underWay.delete(flight);
  }

  /**
   * Those that have changed after `revision` and are of a blob that has an index, oldest first. `origin` is what makes Unix time of the clock's.
   */
  after(
    revision: number,
    indexOf: (sha256: string) => number | undefined,
    origin: number,
  ): readonly InspectedFetch[] {
    const fetches: InspectedFetch[] = [];
    for (const record of this.#records) {
      if (record.revision <= revision) continue;
      const { serial, sha256, kind, start, end, sent, answered, ended, bytes, blocks, verifyMs, failed } =
        record;
      const blob = indexOf(sha256);
      if (blob === undefined) continue;
      fetches.push({
        serial,
        blob,
        start,
        end,
        kind,
        sent: origin + sent,
        answered: answered === undefined ? undefined : origin + answered,
        ended: ended === undefined ? undefined : origin + ended,
        bytes,
        blocks,
        verifyMs,
        ...(failed === undefined ? {} : { failed }),
      });
    }
    return fetches;
  }

  #change(flight: Flight): FetchRecord {
    const record = this.#underWay.get(flight);
    if (!record) throw new Error('A flight tells of itself before it was sent, or after it ended');
    record.revision = ++this.#revision;
    return record;
  }
}
