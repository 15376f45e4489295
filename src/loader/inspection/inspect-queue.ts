import type { Image } from '../../image/image.ts';
import { blockState, pinnedFlag } from '../../protocol/block-states.ts';
import type { InspectedQueue } from '../../protocol/inspection.ts';
import { isEager } from '../eagerness.ts';
import type { EngineParts } from '../engine.ts';
import type { Mount } from '../mount.ts';

/** What waits for its turn. `runs` are the states of the mount's blocks. */
export function inspectQueue(parts: EngineParts, mount: Mount, runs: Uint32Array): InspectedQueue[] {
  const { scheduler, completion, flights } = parts;
  let demand = 0;
  for (const read of scheduler.unserved())
    if (read.urgency === 'demand' && mount.indexOf(read.blob) !== undefined) demand += 1;
  const { superblock, launchSet } = mount.image;
  let launch = 0;
  let background = 0;
  if (completion.isUnderWay(mount)) {
    const launchEnd = isEager(superblock.storedBytes, launchSet?.bytes, flights.link)
      ? Number.POSITIVE_INFINITY
      : launchBlocks(mount.image);
    ({ launch, background } = countMissing(runs, launchEnd));
  }
  return [
    { kind: 'demand', blocks: demand },
    { kind: 'launch', blocks: launch },
    { kind: 'background', blocks: background },
  ];
}

/** How many blocks at the image's front a launch reads. */
function launchBlocks(image: Image): number {
  const { launchSet } = image;
  if (!launchSet) return 0;
  let blocks = launchSet.block;
  for (let index = 0; index < launchSet.blob; index++) blocks += image.blob(index).blockCount;
  return blocks;
}

function countMissing(
  runs: Uint32Array,
  launchEnd: number,
): { readonly launch: number; readonly background: number } {
  let launch = 0;
  let all = 0;
  let first = 0;
  for (const run of runs) {
    const state = run & (pinnedFlag - 1);
    const count = run >>> 4;
    if (state === blockState.missing || state === blockState.damaged) {
      all += count;
      launch += Math.max(0, Math.min(first + count, launchEnd) - first);
    }
    first += count;
  }
  return { launch, background: all - launch };
}
