import { codeOf } from '../../format/errors.ts';
import type { InspectedFetch } from '../../protocol/inspection.ts';
import type { FlightKind } from '../flight-view.ts';
import type { WaitLog } from './wait-steps.ts';

/** The bytes of the blob that come: from some servers more than were asked for. */
export interface FetchRange {
  /** All of the blob comes, from its first byte. */
  readonly whole: boolean;
  readonly start: number;
  readonly end: number;
}

/** What is told of a request at its begin. */
export interface FetchBegin extends FetchRange {
  readonly blob: { readonly sha256: string };
  readonly kind: FlightKind;
  /** Clock time. */
  readonly since: number;
}

/** What a record needs of its log. */
export interface FetchRecordOptions {
  readonly now: () => number;
  /** Whether a reader waits for the block. */
  readonly isAwaited: (sha256: string, block: number) => boolean;
  readonly waits: WaitLog;
  /** The number of a change, above those of all before. */
  readonly nextRevision: () => number;
}

/**
 * What became of one request: a few counters, kept by whoever does it, from its begin on. It only counts: nothing that it is told, in whatever order, can fail,
 * since a fetch must not for being watched.
 */
export class FetchRecord {
  readonly serial: number;
  readonly sha256: string;
  readonly #kind: FlightKind;
  readonly #sent: number;
  readonly #options: FetchRecordOptions;
  #revision: number;
  #start: number;
  #end: number;
  #answered: number | undefined;
  #ended: number | undefined;
  #bytes = 0;
  #blocks = 0;
  #verifyMs = 0;
  #failed: string | undefined;
  /** Blocks under verification, and when each had come. */
  readonly #arrived = new Map<number, number>();
  /** Since when there are some. */
  #verifyingSince = 0;

  constructor(serial: number, { blob, kind, since, start, end }: FetchBegin, options: FetchRecordOptions) {
    this.serial = serial;
    this.sha256 = blob.sha256;
    this.#kind = kind;
    this.#sent = since;
    this.#start = start;
    this.#end = end;
    this.#options = options;
    this.#revision = options.nextRevision();
  }

  /** Of its last change. */
  get revision(): number {
    return this.#revision;
  }

  /** So many bytes more came. */
  bytes(count: number, { whole, start, end }: FetchRange): void {
    const now = this.#change();
    this.#answered ??= now;
    this.#bytes += count;
    this.#start = whole ? 0 : start;
    this.#end = end;
  }

  /** All bytes of the block are there. */
  arrived(block: number): void {
    const now = this.#change();
    if (this.#arrived.size === 0) this.#verifyingSince = now;
    this.#arrived.set(block, now);
  }

  /** Its digest was checked. Before its readers hear of it. */
  verified(block: number, good: boolean): void {
    const now = this.#change();
    const arrived = this.#arrived.get(block) ?? now;
    // Blocks are verified side by side: what counts is how long there were any.
    if (this.#arrived.delete(block) && this.#arrived.size === 0) this.#verifyMs += now - this.#verifyingSince;
    if (!good) return;
    this.#blocks += 1;
    const { isAwaited, waits } = this.#options;
    if (!isAwaited(this.sha256, block)) return;
    const answered = this.#answered ?? arrived;
    waits.add(this.sha256, block, { sent: this.#sent, answered, arrived, verified: now });
  }

  ended(failure: unknown): void {
    this.#ended = this.#change();
    if (failure !== undefined) this.#failed = codeOf(failure);
  }

  /** `blob` is its index; `origin` is what makes Unix time of the clock's. */
  told(blob: number, origin: number): InspectedFetch {
    const unix = (at: number | undefined): number | undefined => (at === undefined ? undefined : origin + at);
    return {
      serial: this.serial,
      blob,
      start: this.#start,
      end: this.#end,
      kind: this.#kind,
      sent: origin + this.#sent,
      answered: unix(this.#answered),
      ended: unix(this.#ended),
      bytes: this.#bytes,
      blocks: this.#blocks,
      verifyMs: this.#verifyMs,
      ...(this.#failed === undefined ? {} : { failed: this.#failed }),
    };
  }

  /** Answers the time. */
  #change(): number {
    this.#revision = this.#options.nextRevision();
    return this.#options.now();
  }
}
