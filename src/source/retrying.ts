import { SluiceError } from '../format/errors.ts';
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

export interface RetryingInTimeOptions extends Omit<RetryingOptions, 'signal'> {
  /** What is wrong when the time is over. */
  readonly late: string;
}

/** As {@link retrying}, and a try that is under way when the time is over is given up by its signal, with `read-timeout`. */
export async function retryingInTime<T>(
  work: (attempt: number, signal: AbortSignal) => Promise<T>,
  { late, ...options }: RetryingInTimeOptions,
): Promise<T> {
  const { clock, timeoutMs } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const stopTimer = clock.after(timeoutMs, () => abort.abort(new SluiceError('read-timeout', late)));
  try {
    return await retrying((attempt) => work(attempt, signal), { ...options, signal });
  } finally {
    stopTimer();
  }
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
