import type { Clock } from '../protocol/clock.ts';

/** Long polls: callers who wait until there is something for them, each by a measure of its own. */
export class Polls {
  readonly #clock: Clock;
  readonly #waiting = new Set<{ check(): void; fail(reason: unknown): void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `take` answers as soon as that is not empty, or nothing after `waitMs`. Rejects with the signal's reason. */
  poll<T>(take: () => readonly T[], waitMs: number, signal?: AbortSignal): Promise<readonly T[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const now = take();
    if (now.length > 0 || waitMs <= 0) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(waiter);
        stopTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const finish = (items: readonly T[]): void => {
        end();
        resolve(items);
      };
      const waiter = {
        check: (): void => {
          const items = take();
          if (items.length > 0) finish(items);
        },
        fail: (reason: unknown): void => {
          end();
          reject(reason);
        },
      };
      const onAbort = (): void => waiter.fail(signal?.reason);
      const stopTimer = this.#clock.after(waitMs, () => finish([]));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** There may be something for somebody. */
  check(): void {
    for (const waiter of [...this.#waiting]) waiter.check();
  }

  close(reason: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.fail(reason);
  }
}
