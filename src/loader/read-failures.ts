import { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import { OriginError } from '../source/origin-error.ts';
import { retryDelay } from '../source/retry-policy.ts';
import type { BlobState } from './blob-state.ts';
import type { Flight } from './flight.ts';
import type { Health } from './health.ts';
import type { PendingRead } from './pending-reads.ts';

export interface ReadFailuresOptions {
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  readonly health: Health;
  /** Tells everybody who waits for it. */
  readonly reject: (read: PendingRead, reason: unknown) => void;
  /** The reads that nobody serves now. */
  readonly unserved: () => Iterable<PendingRead>;
  /** The server will not give it, however often it is asked. */
  readonly onRefused: (blob: BlobState) => void;
  /** Some request is bringing bytes: the network is there. */
  readonly isAnswered: () => boolean;
  /** Plan again after so long. */
  readonly wakeAfter: (ms: number) => void;
}

/** What becomes of reads and requests that failed: tried again, told to whoever waits, left alone for a while. */
export class ReadFailures {
  readonly #options: ReadFailuresOptions;

  constructor(options: ReadFailuresOptions) {
    this.#options = options;
  }

  /** A block that somebody waits for (or nobody: `read` undefined) does not match its digest. */
  bad(blob: BlobState, block: number, read: PendingRead | undefined): void {
    const { health, clock } = this.#options;
    blob.landed(block, false);
    blob.spoilt(block);
    blob.distrusted = true;
    const error = new SluiceError(
      'integrity',
      `Block ${block} of ${blob.sha256}.bin does not match its digest`,
    );
    health.report(error);
    if (!read) this.#hold(blob, block);
    else this.#fail(blob, read, error, { jitter: 0, now: clock.now() });
  }

  /** A request has failed, and with it those `reads` that counted on it. */
  flight(flight: Flight, error: unknown, reads: readonly PendingRead[]): void {
    const { health, clock, random, wakeAfter } = this.#options;
    const { blob, kind } = flight;
    const code = error instanceof SluiceError ? error.code : undefined;
    // Our own abort of a flight that nobody waits for.
    if (code === 'closed') return;
    blob.distrusted = true;
    health.report(error);
    if (code === 'bad-origin' && !isRetryable(error)) this.#options.onRefused(blob);
    // A connection that was cut: the rest is asked for at once, from where it ended.
    if (flight.progressed && (code === 'offline' || code === 'read-timeout' || isRetryable(error))) {
      health.retrying();
      return;
    }
    let lost = false;
    // The same jitter and the same now for all, so that they are asked for together again.
    const moment = { jitter: random(), now: clock.now() };
    for (const read of reads) lost = this.#fail(blob, read, error, moment) || lost;
    if (code === 'offline' && (lost || reads.length === 0)) health.wentOffline();
    if (lost && code === 'offline') this.#rejectUnserved(error);
    if (kind !== 'demand' && reads.length === 0) {
      if (code === 'bad-origin' || code === 'integrity' || code === 'corrupt-image') this.#hold(blob, -1);
      wakeAfter(health.pause(error instanceof OriginError ? error.retryAfterMs : undefined));
    }
  }

  /** One failure of what somebody waits for: to be tried again, or told. Answers true when the readers were told. */
  #fail(
    blob: BlobState,
    read: PendingRead,
    error: unknown,
    { jitter, now }: { readonly jitter: number; readonly now: number },
  ): boolean {
    const { health, reject, wakeAfter } = this.#options;
    const delay = retryDelay(error, read.retries, read.deadline - now, () => jitter);
    if (delay === undefined) {
      reject(read, withPath(error, read.path));
      if (error instanceof SluiceError && error.code === 'integrity')
        this.#hold(blob, blob.table ? read.block : -1);
      return true;
    }
    health.retrying();
    read.notBefore = now + delay;
    wakeAfter(delay);
    return false;
  }

  /** The network is away: those that wait for their turn to find that out are told now. */
  #rejectUnserved(error: unknown): void {
    const { isAnswered, unserved, reject } = this.#options;
    if (isAnswered()) return; // It was one connection, or one file.
    for (const read of [...unserved()]) reject(read, withPath(error, read.path));
  }

  #hold(blob: BlobState, block: number): void {
    this.#options.wakeAfter(blob.hold(block));
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof OriginError && error.retryable;
}

function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof SluiceError) || error.path !== undefined) return error;
  return new SluiceError(error.code, `${path}: ${error.message}`, { path, cause: error });
}
