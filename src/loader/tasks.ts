import type { Clock } from '../protocol/clock.ts';

/** Work and timers that nobody awaits: failures are told, and everything can be waited for or called off at the end. */
export class Tasks {
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<() => void>();

  constructor(clock: Clock, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  run(work: () => Promise<void>): void {
    const running = work()
      .catch(this.#onFailure)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  after(ms: number, wake: () => void): void {
    const stop = this.#clock.after(ms, () => {
      this.#timers.delete(stop);
      wake();
    });
    this.#timers.add(stop);
  }

  /** Calls the timers off, and resolves when all work has ended. */
  async end(): Promise<void> {
    for (const stop of this.#timers) stop();
    this.#timers.clear();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
