import type { Clock } from '../../protocol/clock.ts';

/** An answer that is good for a while: however many ask, the question is put at most once in that time. */
export class RecentAnswer<T> {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #goodMs: number;
  readonly #ask: () => Promise<T>;
  #last: { readonly at: number; readonly value: Promise<T> } | undefined;

  constructor(clock: Pick<Clock, 'now'>, goodMs: number, ask: () => Promise<T>) {
    this.#clock = clock;
    this.#goodMs = goodMs;
    this.#ask = ask;
  }

  get(): Promise<T> {
    const now = this.#clock.now();
    if (!this.#last || now - this.#last.at >= this.#goodMs) this.#last = { at: now, value: this.#ask() };
    return this.#last.value;
  }
}
