import { SluiceError } from '../format/errors.ts';
import type { PendingReadInfo } from '../protocol/state.ts';
import type { LoaderProcess } from './loader-process.ts';
import { untilAborted } from './until-aborted.ts';

export interface PendingReadsOptions {
  /** Only reads with serials above this one. Default 0: everything that waits. */
  readonly after?: number;
  /** Ends the iteration, with its reason. */
  readonly signal?: AbortSignal;
}

/** The loader answers at once where it has something to tell; so often it is asked again where it has not. */
const waitMs = 10_000;
const graceMs = 10_000;

/**
 * The reads that wait for blocks: a snapshot whenever there are new ones, oldest first, each read told once, and told anew after the
 * loader that knew of them is gone. Every iteration has a last serial of its own, so that any number of data loaders can feed one mount. Ends
 * when the mount is closed. (Incremental FS's `.pending_reads`.)
 */
export async function* pendingSnapshots(
  loader: LoaderProcess,
  { after = 0, signal }: PendingReadsOptions = {},
): AsyncGenerator<readonly PendingReadInfo[], void, void> {
  let last = after;
  for (;;) {
    signal?.throwIfAborted();
    const since = last;
    let reads: readonly PendingReadInfo[];
    try {
      const asked = loader.call('pendingReads', (api) => api.pendingReads(since, waitMs), waitMs + graceMs);
      reads = await (signal === undefined ? asked : untilAborted(asked, signal));
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'closed') return;
      throw error;
    }
    if (reads.length === 0) continue;
    // Of a leader whose clock was set back they are lower than the last one of the leader before.
    last = Math.max(...reads.map(({ serial }) => serial));
    yield reads;
  }
}
