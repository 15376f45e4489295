import { setImmediate } from 'node:timers/promises';

/** Longest time without a turn of the event loop, so that signals, workers and progress are heard. */
const holdMs = 20;

/**
 * Packing does its file work synchronously, which is several times faster for tens of thousands of small files. `take()` between two pieces of it
 * lets the event loop turn when it is time, and throws the signal's reason once that is aborted.
 */
export class Breath {
  readonly #signal: AbortSignal | undefined;
  #last = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async take(): Promise<void> {
    if (performance.now() - this.#last >= holdMs) {
      await setImmediate();
      this.#last = performance.now();
    }
    this.#signal?.throwIfAborted();
  }
}
