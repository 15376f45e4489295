/** Blocks that a loader waits for at once for one reader: enough to keep the link busy, little enough to hold in memory. */
export const readAhead = 8;

/** Bytes of the smallest block that a file is made of, but for its ends. */
const leastBlock = 4096;

/**
 * How long a read of so many bytes may take where each missing block is waited for `timeoutMs`: they are waited for some at a time, and each wait
 * begins with its block's turn. A link that is slow, and alive, is no reason to give up.
 */
export function readDeadlineMs(bytes: number, timeoutMs: number): number {
  return timeoutMs * Math.max(1, Math.ceil((bytes / leastBlock + 1) / readAhead));
}
