/** Time as a dependency, so that waits are testable and no module reaches for the platform by itself. */
export interface Clock {
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  now(): number;
  /** Calls `wake` once, after `ms`. Returns a function that calls it off. */
  after(ms: number, wake: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  },
};
