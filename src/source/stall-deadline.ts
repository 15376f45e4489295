import { type Clock, systemClock } from '../protocol/clock.ts';

/**
 * Bounds the waits of one request: each piece of work may take `ms`. One listener and one timer serve all of them, since a body comes in
 * thousands of chunks (measured: with one of each a chunk, a tenth of a loader's processor time).
 *
 * When the time is up, `abort` is fired with `stalled()`, so that the platform lets the connection go.
 */
export class StallDeadline {
  readonly #abort: AbortController;
  readonly #ms: number;
  readonly #stalled: () => Error;
  readonly #clock: Clock;
  #stopTimer: (() => void) | undefined;
  /** Of the work that is waited for: when that began, and how to give it up. */
  #since = 0;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(abort: AbortController, ms: number, stalled: () => Error, clock: Clock = systemClock) {
    this.#abort = abort;
    this.#ms = ms;
    this.#stalled = stalled;
    this.#clock = clock;
    abort.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Waits for `work`, and no longer than until the deadline or until `abort` fires. Rejects with the abort's reason then, even if the platform's own
   * promise never settles. One wait at a time.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    return new Promise<T>((resolve, reject) => {
      const settled = (): void => {
        this.#giveUp = undefined;
      };
      work.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error) => {
          settled();
          reject(error);
        },
      );
      if (signal.aborted) return reject(signal.reason);
      this.#giveUp = reject;
      this.#since = this.#clock.now();
      this.#stopTimer ??= this.#clock.after(this.#ms, this.#check);
    });
  }

  /** No more waits. */
  end(): void {
    this.#stopTimer?.();
    this.#abort.signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #check = (): void => {
    this.#stopTimer = undefined;
    // Nobody waits: whoever reads is busy with what has come.
    if (!this.#giveUp) return;
    const left = this.#since + this.#ms - this.#clock.now();
    if (left <= 0) this.#abort.abort(this.#stalled());
    else this.#stopTimer = this.#clock.after(left, this.#check);
  };

  readonly #onAbort = (): void => {
    this.#stopTimer?.();
    this.#giveUp?.(this.#abort.signal.reason);
  };
}
