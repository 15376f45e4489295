import { type Clock, passed } from './clock.ts';

/** Waits that can be ended before their time, all that are on at once. */
export class WakeableWait {
  readonly #clock: Pick<Clock, 'after'>;
  #woken = new AbortController();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Resolves when `ms` have passed, {@link wake} is called, or one of the signals fires; whoever waits looks which. */
  wait(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
    return passed(this.#clock, ms, this.#woken.signal, ...signals);
  }

  /** Ends the waits that are on. It is not remembered: who begins to wait after that waits. */
  wake(): void {
    const woken = this.#woken;
    this.#woken = new AbortController();
    woken.abort();
  }
}
