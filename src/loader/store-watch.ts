import type { Clock } from '../protocol/clock.ts';
import type { Snapshots } from '../store/directory.ts';
import { journalSlots } from '../store/store-paths.ts';
import { Throttle } from './throttle.ts';

export interface StoreWatchOptions {
  readonly directory: Snapshots;
  readonly clock: Clock;
  /** The store is not there any more. Told once. */
  readonly onLost: () => void;
  /** It could not be looked at. */
  readonly report: (error: unknown) => void;
}

/** A look is two messages to the browser's process. */
const lookEveryMs = 2000;

/**
 * Whether the leader's store is still there. A visitor may clear the site's data under a running app: then the open files go on working, for nobody,
 * and no write fails that would tell. The journal has a file as long as there is a store, so its absence does.
 */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  readonly #throttle: Throttle;
  #lost = false;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.clock, lookEveryMs, () => void this.#look());
  }

  /** Somebody uses the store: it is worth a look, now or in a moment. */
  look(): void {
    if (!this.#lost) this.#throttle.request();
  }

  close(): void {
    this.#lost = true;
    this.#throttle.cancel();
  }

  async #look(): Promise<void> {
    const { directory, onLost, report } = this.#options;
    try {
      if ((await directory.snapshot(journalSlots[0])) !== undefined || this.#lost) return;
      this.close();
      onLost();
    } catch (error) {
      report(error); // Not known: the next use looks again.
    }
  }
}
