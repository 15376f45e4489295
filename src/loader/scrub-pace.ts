import type { Clock } from '../protocol/clock.ts';
import type { Engine } from './engine.ts';
import { launchMs } from './launch-calm.ts';
import type { Polls } from './polls.ts';

/** A demand is stepped back for so long at most before each block: readers that wait for hours must not stop a scrub. */
const demandMs = 1000;
/** A launch is over by then. */
const launchOverMs = launchMs + 5000;
/** That nobody reads any more is no event, and nobody tells of it. */
const quietLookMs = 1000;
/** After so many bytes it rests as long as they took. */
const restBytes = 1024 * 1024;
const maxRestMs = 1000;

export interface ScrubPaceOptions {
  readonly engine: Pick<Engine, 'isDemanded' | 'isQuiet'>;
  readonly clock: Clock;
  /** Looked at whenever the engine's state changed. */
  readonly polls: Polls;
  /** Nobody wants the scrub any more. */
  readonly signals: readonly AbortSignal[];
}

/** When a scrub may go on: behind readers, and with half of the time left to everybody else. Its waits end with a signal's reason. */
export class ScrubPace {
  readonly #options: ScrubPaceOptions;
  #bytes = 0;
  #since: number;

  constructor(options: ScrubPaceOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /** Resolves when no page is being launched, or soon after. */
  async quiet(): Promise<void> {
    const { engine, clock } = this.#options;
    const end = clock.now() + launchOverMs;
    do await this.#until(() => engine.isQuiet, quietLookMs);
    while (!engine.isQuiet && clock.now() < end);
  }

  /** Before each step. */
  async turn(): Promise<void> {
    const { engine, clock } = this.#options;
    if (this.#bytes >= restBytes) {
      this.#bytes = 0;
      await this.#until(() => false, Math.min(Math.max(1, clock.now() - this.#since), maxRestMs));
      this.#since = clock.now();
    }
    await this.#until(() => !engine.isDemanded, demandMs);
  }

  /** So much was read. */
  spend(bytes: number): void {
    this.#bytes += bytes;
  }

  async #until(isSo: () => boolean, ms: number): Promise<void> {
    const { polls, signals } = this.#options;
    for (const signal of signals) signal.throwIfAborted();
    // The last signal is the caller's; the first, the loader's own, closes the polls.
    await polls.poll(() => (isSo() ? [true] : []), ms, signals.at(-1));
    for (const signal of signals) signal.throwIfAborted();
  }
}
