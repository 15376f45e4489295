import type { PendingReadInfo } from '../protocol/state.ts';
import type { Mount } from './mount.ts';
import type { PendingRead } from './pending-reads.ts';

/** What is told of those of the reads that wait for blobs of the image and have serials above `after`. `now` is clock time. */
export function pendingInfos(
  reads: Iterable<PendingRead>,
  mount: Mount,
  after: number,
  now: number,
): PendingReadInfo[] {
  const infos: PendingReadInfo[] = [];
  for (const { serial, blob: sha256, block: index, path, since, deadline, waiters } of reads) {
    const blob = mount.indexOf(sha256);
    if (blob === undefined || serial <= after) continue;
    infos.push({
      serial,
      path,
      block: { blob, index },
      ageMs: now - since,
      deadlineMs: deadline - now,
      waiters,
    });
  }
  return infos;
}
