import type { Clock } from '../../../src/protocol/clock.ts';

interface Event {
  readonly at: number;
  readonly wake: () => void;
  /** What wakes is the model's own: nobody else has anything to do then. */
  readonly quiet: boolean;
}

/**
 * Time that jumps from one event to the next as soon as everybody has done what there was to do. Real work (promises, digests) takes no time, so
 * a simulated minute takes milliseconds, and the same minute each time.
 */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #events = new Set<Event>();
  /** Digests that the platform is computing: the only work of the loader that ends later than a promise. */
  #digests = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, wake: () => void, quiet = false): () => void {
    const event = { at: this.#now + ms, wake, quiet };
    this.#events.add(event);
    return () => this.#events.delete(event);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets time pass until the work is done; fails where it is not done by `limitMs`, or nothing is left to happen. */
  async run<T>(work: Promise<T>, limitMs = 600_000): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    work.then(end, end);
    await this.#settle();
    while (!over) {
      const next = this.#next();
      if (!next) throw new Error(`Nothing happens any more after ${this.#now} ms`);
      if (next.at > limitMs) throw new Error(`Not done within ${limitMs} ms`);
      this.#events.delete(next);
      this.#now = next.at;
      next.wake();
      if (!next.quiet) await this.#settle();
    }
    return work;
  }

  /** The platform's digests are counted while `use` runs. */
  async countingDigests(use: () => Promise<void>): Promise<void> {
    const { subtle } = crypto;
    const digest = subtle.digest.bind(subtle);
    subtle.digest = async (...args) => {
      this.#digests += 1;
      try {
        return await digest(...args);
      } finally {
        this.#digests -= 1;
      }
    };
    try {
      await use();
    } finally {
      Reflect.deleteProperty(subtle, 'digest');
    }
  }

  /** Until everybody waits for time to pass. */
  async #settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#digests > 0);
  }

  #next(): Event | undefined {
    let first: Event | undefined;
    for (const event of this.#events) if (!first || event.at < first.at) first = event;
    return first;
  }
}
