import { SluiceError } from '../format/errors.ts';
import { jittered } from './jitter.ts';
import { OriginError } from './origin-error.ts';

/** How often which kind of failure has met one thing that is wanted (a pending block, a bootstrap). */
export interface RetryCounts {
  offline: number;
  refused: number;
  stalled: number;
  mismatched: number;
}

export function noRetries(): RetryCounts {
  return { offline: 0, refused: 0, stalled: 0, mismatched: 0 };
}

const retryLimits = {
  /** A TypeError may be a connection that was just closed under us: one try more, then the network counts as away. */
  offline: 1,
  offlineMs: 150,
  refused: 3,
  refusedMs: 300,
  stalledMs: 250,
  mismatched: 1,
} as const;

/**
 * How long to wait before the same thing is tried again, in milliseconds; undefined = do not, the failure stands. Counts
 * the failure in `counts`. `leftMs`: how long somebody is still ready to wait; a server that asks for more patience than
 * that (Retry-After) is not waited for.
 */
export function retryDelay(
  error: unknown,
  counts: RetryCounts,
  leftMs: number,
  random: () => number,
): number | undefined {
  if (!(error instanceof SluiceError)) return undefined;
  if (error.code === 'offline') {
    counts.offline += 1;
    return counts.offline <= retryLimits.offline ? jittered(retryLimits.offlineMs, random) : undefined;
  }
  if (error.code === 'read-timeout') {
    // A stalled connection: another one may do better, as long as the reader's own deadline lasts.
    counts.stalled += 1;
    return jittered(retryLimits.stalledMs * counts.stalled, random);
  }
  if (error.code === 'integrity') {
    counts.mismatched += 1;
    return counts.mismatched <= retryLimits.mismatched ? 0 : undefined;
  }
  if (!(error instanceof OriginError) || !error.retryable) return undefined;
  counts.refused += 1;
  if (counts.refused > retryLimits.refused) return undefined;
  const delay = Math.max(
    error.retryAfterMs ?? 0,
    jittered(retryLimits.refusedMs * 2 ** (counts.refused - 1), random),
  );
  return delay < leftMs ? delay : undefined;
}
