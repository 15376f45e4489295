import type { InspectedPending } from '../../protocol/inspection.ts';
import type { PendingReadInfo } from '../../protocol/state.ts';
import type { EngineParts } from '../engine.ts';
import type { Mount } from '../mount.ts';
import type { PendingRead } from '../pending-reads.ts';

/** What is being done about the reads that wait. `infos` are of the mount's reads; `now` is clock time. */
export function inspectPending(
  { pending, flights, scheduler }: EngineParts,
  mount: Mount,
  infos: readonly PendingReadInfo[],
  now: number,
): InspectedPending[] {
  if (infos.length === 0) return [];
  const fetchOf = new Map<PendingRead, number>();
  for (const flight of flights)
    for (const read of scheduler.readsOf(flight)) fetchOf.set(read, flight.record.serial);
  const waiting = new Set(scheduler.unserved());
  return infos.flatMap((info) => {
    const blob = mount.blob(info.block.blob);
    const read = blob && pending.get(blob.sha256, info.block.index);
    // It was served meanwhile.
    if (!blob || !read) return [];
    const fetch = fetchOf.get(read);
    const { offline, refused, stalled, mismatched } = read.retries;
    const isComing = fetch !== undefined || (!waiting.has(read) && !blob.isPrivate);
    return [
      {
        ...info,
        doing: isComing ? 'fetching' : read.notBefore > now ? 'backing-off' : rest(scheduler.isPaused),
        retries: offline + refused + stalled + mismatched,
        ...(fetch === undefined ? {} : { fetch }),
      },
    ];
  });
}

function rest(isPaused: boolean): 'paused' | 'queued' {
  return isPaused ? 'paused' : 'queued';
}
