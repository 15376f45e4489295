import { isCode } from '../format/errors.ts';
import { type Clock, passed } from '../protocol/clock.ts';
import { BlockStore } from '../store/block-store.ts';
import type { Directory } from '../store/directory.ts';
import { journalSlots } from '../store/store-paths.ts';

/** For a leader before this one to let go of the files: a worker that hangs is ended after 2 s in Chromium, later where the machine is busy. */
const busyMs = 10_000;
/** Between two tries; the platform's own directory waits some seconds in each. */
const pauseMs = 250;

/**
 * The store, for a leader: whoever still holds its files has lost the writer's lock, so he is on his way out. Where there is something to wait for, a store with a
 * journal, that is waited for: a leader in memory would call missing what is there. Where the journal is empty and busy (Chromium keeps files that
 * were cleared locked until it ends) there is not. Throws as {@link BlockStore.open}.
 */
export async function openStore(directory: Directory, clock: Clock): Promise<BlockStore> {
  const deadline = clock.now() + busyMs;
  for (;;) {
    try {
      return await BlockStore.open(directory);
    } catch (error) {
      if (!isCode(error, 'EBUSY') || clock.now() >= deadline || !(await hasJournal(directory))) throw error;
    }
    await passed(clock, pauseMs);
  }
}

async function hasJournal(directory: Directory): Promise<boolean> {
  const slots = await Promise.all(journalSlots.map((slot) => directory.snapshot(slot)));
  return slots.some((slot) => slot !== undefined && slot.size > 0);
}
