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
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the work that is waited for: when that began, and how to give it up. */
  #since = 0;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(abort: AbortController, ms: number, stalled: () => Error) {
    this.#abort = abort;
    this.#ms = ms;
    this.#stalled = stalled;
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
      this.#since = performance.now();
      this.#timer ??= setTimeout(this.#check, this.#ms);
    });
  }

  /** No more waits. */
  end(): void {
    clearTimeout(this.#timer);
    this.#abort.signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    // Nobody waits: whoever reads is busy with what has come.
    if (!this.#giveUp) return;
    const left = this.#since + this.#ms - performance.now();
    if (left <= 0) this.#abort.abort(this.#stalled());
    else this.#timer = setTimeout(this.#check, left);
  };

  readonly #onAbort = (): void => {
    clearTimeout(this.#timer);
    this.#giveUp?.(this.#abort.signal.reason);
  };
}
