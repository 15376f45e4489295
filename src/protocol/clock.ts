/** Time as a dependency, so that waits are testable and no module reaches for the platform by itself. */
export interface Clock {
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  now(): number;
  /** Calls `wake` once, after `ms` (or 24 days, whichever is sooner). Returns a function that calls it off. */
  after(ms: number, wake: () => void): () => void;
}

/** Platforms take a longer time, Infinity included, for none at all. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, Math.min(ms, maxTimerMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves when `ms` have passed or one of the signals fires, at once where one has; whoever waits looks which. Leaves nothing behind. */
export function passed(
  clock: Pick<Clock, 'after'>,
  ms: number,
  ...signals: readonly AbortSignal[]
): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer();
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    };
    const stopTimer = clock.after(ms, end);
    for (const signal of signals) signal.addEventListener('abort', end);
  });
}
