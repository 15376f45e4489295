import type { Clock } from '../protocol/clock.ts';

/**
 * Calls `run` at most once in `ms`: at once when it was quiet, else when the time is up. The last request is never lost.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #run: () => void;
  #last = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | undefined;

  constructor(clock: Clock, ms: number, run: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#run = run;
  }

  request(): void {
    if (this.#stop) return;
    const wait = this.#last + this.#ms - this.#clock.now();
    if (wait <= 0) this.now();
    else this.#stop = this.#clock.after(wait, () => this.now());
  }

  /** Runs at once, whatever was run before. */
  now(): void {
    this.cancel();
    this.#last = this.#clock.now();
    this.#run();
  }

  cancel(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
