import { isCode } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import { BlockStore } from '../store/block-store.ts';
import type { Directory } from '../store/directory.ts';
import { BackOff } from './back-off.ts';

export interface StoreReturnOptions {
  readonly directory: Directory;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  /** Whether this leader has in memory what nobody else has. */
  readonly holdsOwn: () => boolean;
  /** The store can be opened, and is closed. Told once. */
  readonly onReturn: () => void;
  /** It still could not be opened. */
  readonly report: (error: unknown) => void;
}

const firstMs = 2000;
const maxMs = 60_000;

/**
 * Whether a store comes back that could not be opened when its leader began, for a reason that may pass: somebody still held its files, the disk did not answer,
 * or was full. Then this leader should end, since the next one opens it: that is the way of a leader that dies, on which everything is built (calls and reads
 * are asked again, nothing is half in memory and half on disk). What this one has fetched meanwhile comes once more. A leader that has made files at run
 * time stays: they are nowhere else.
 */
export class StoreReturn {
  readonly #options: StoreReturnOptions;
  readonly #backOff: BackOff;
  #stopTimer: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StoreReturnOptions) {
    this.#options = options;
    this.#backOff = new BackOff({ firstMs, maxMs, random: options.random });
    this.#lookLater();
  }

  /** Resolves when the store's files are free. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer?.();
    await this.#looking;
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#stopTimer = this.#options.clock.after(this.#backOff.next(), () => {
      this.#looking = this.#look();
    });
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { directory, holdsOwn, onReturn, report } = this.#options;
    if (holdsOwn()) return;
    try {
      // All that the next leader will do: whatever of it may fail.
      const store = await BlockStore.open(directory);
      await store.close();
    } catch (error) {
      report(error);
      if (!isCode(error, 'store-too-new')) this.#lookLater();
      return;
    }
    if (!this.#closed && !holdsOwn()) onReturn();
  }
}
