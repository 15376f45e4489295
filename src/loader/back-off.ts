import { jittered } from '../source/jitter.ts';

export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * A delay that doubles with each failure and is forgotten with the first success. Jitter of ±25 % keeps many clients
 * of one server from coming back all at once.
 */
export class BackOff {
  readonly #options: BackOffOptions;
  #failures = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const { firstMs, maxMs, random } = this.#options;
    const delay = Math.min(maxMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    return jittered(delay, random);
  }

  reset(): void {
    this.#failures = 0;
  }
}
