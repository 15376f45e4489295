import type { ErrorCode } from '../format/errors.ts';

/** How long after which death the next life begins: at once where the life before was a healthy one, else ever later. */
const ladderMs = [100, 1_000, 10_000, 100_000] as const;

/**
 * How long to wait before the next life of something that has died `failures` times without having been healthy: the ladder of
 * Incremental FS's data loaders, 1 s, 10 s, 100 s, each spread by a quarter to both sides, so that the tabs of one origin do not all
 * come back in the same moment.
 */
export function backOffMs(failures: number, random: () => number = Math.random): number {
  const step = ladderMs[Math.min(failures, ladderMs.length - 1)]!;
  return step * (0.75 + random() / 2);
}

/** What the network, or the server, does wrong passes by itself: who waits for that is not kept waiting for 100 s after it. */
const passing: readonly ErrorCode[] = ['offline', 'read-timeout', 'bad-origin', 'integrity'];
const mostPassing = 2;

/** The same for a life that ended for a reason: one that could not start for what may pass is tried again within about 10 s. */
export function relaunchMs(failures: number, reason: ErrorCode, random?: () => number): number {
  return backOffMs(passing.includes(reason) ? Math.min(failures, mostPassing) : failures, random);
}
