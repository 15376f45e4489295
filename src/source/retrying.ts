import { type Clock, passed } from '../protocol/clock.ts';
import { noRetries, retryDelay } from './retry-policy.ts';

export interface RetryingOptions {
  /** How long somebody is ready to wait for all of it. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/**
 * Does `work`, and does it again after a failure that the retry policy takes for a passing one, as long as the time lasts. Throws the last
 * failure, or the signal's reason. `attempt` counts from 0.
 */
export async function retrying<T>(
  work: (attempt: number) => Promise<T>,
  options: RetryingOptions,
): Promise<T> {
  const { timeoutMs, clock, random, signal } = options;
  const deadline = clock.now() + timeoutMs;
  const counts = noRetries();
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      const leftMs = deadline - clock.now();
      const delay = retryDelay(error, counts, leftMs, random);
      if (delay === undefined || delay > leftMs || signal.aborted) throw error;
      await passed(clock, delay, signal);
    }
  }
}
