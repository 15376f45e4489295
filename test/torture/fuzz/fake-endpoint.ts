import type { MessageEndpoint } from '../../../src/protocol/channel.ts';
import type { Clock } from '../../../src/protocol/clock.ts';

/** One end of a port or channel, in the hands of the fuzzer: what it delivers arrives at once, and what it is sent it keeps. */
export class FakeEndpoint implements MessageEndpoint {
  sent: unknown[] = [];
  closed = false;
  readonly #listeners = new Set<(event: MessageEvent) => void>();

  postMessage(message: unknown): void {
    this.sent.push(message);
  }

  addEventListener(type: string, listener: (event: MessageEvent) => void): void {
    if (type === 'message') this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: (event: MessageEvent) => void): void {
    this.#listeners.delete(listener);
  }

  close(): void {
    this.closed = true;
  }

  /** Throws what a listener throws: in a worker, that would be an uncaught error. */
  deliver(data: unknown): void {
    for (const listener of [...this.#listeners]) listener({ data } as MessageEvent);
  }
}

/** Every turn of the event loop takes a tenth of a second, so that whoever waits, waits for nothing real. No wait is longer than a minute. */
export class HastyClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly wake: () => void }>();
  #ticking = false;

  now(): number {
    return this.#now;
  }

  after(ms: number, wake: () => void): () => void {
    const timer = { at: this.#now + Math.min(ms, 60_000), wake };
    this.#timers.add(timer);
    if (!this.#ticking) setImmediate(this.#tick);
    this.#ticking = true;
    return () => this.#timers.delete(timer);
  }

  readonly #tick = (): void => {
    this.#now += 100;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.wake();
    }
    this.#ticking = this.#timers.size > 0;
    if (this.#ticking) setImmediate(this.#tick);
  };
}

export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
