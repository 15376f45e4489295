/**
 * How long to wait before life `attempt` (counted from 0) of something that keeps dying: 250 ms, doubled up to 30 s, and
 * spread over its upper half so that the tabs of one origin do not all come back in the same moment.
 */
export function backOffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(30_000, 250 * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}
