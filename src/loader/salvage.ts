import { isCode } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { Engine } from './engine.ts';
import type { Mount } from './mount.ts';

/** So many files are looked into, those that were begun last, and no longer than this: a launch may wait for it. */
const maxBlobs = 16;
const maxMs = 100;
/** What begins with so many zeros is a hole: nothing was written there. */
const holeBytes = 64;

export interface SalvageOptions {
  readonly store: Pick<BlockStore, 'recent' | 'probe'>;
  readonly engine: Pick<Engine, 'provide' | 'report'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What a leader that was killed had written and not journaled is still in its files, since only a crash of the machine takes it from there. No one
 * believes it; but a block that matches its digest need not be fetched again. It is given to the engine like one from anybody else, so it is
 * verified, flushed and journaled in this order.
 */
export class Salvage {
  readonly #options: SalvageOptions;
  /** By SHA-256: what the session without an end wrote to, the last first. */
  readonly #blobs: readonly string[];
  readonly #done = new Map<Mount, Promise<void>>();

  /** Before anything is written. */
  constructor(options: SalvageOptions) {
    this.#options = options;
    this.#blobs = [...options.store.recent().keys()].reverse().slice(0, maxBlobs);
  }

  /** Settles when it was looked for what is missing of the image, once. Never rejects. */
  of(mount: Mount): Promise<void> {
    const known = this.#done.get(mount);
    if (known) return known;
    const done = this.#look(mount).catch((error: unknown) => this.#options.engine.report(error));
    this.#done.set(mount, done);
    return done;
  }

  async #look(mount: Mount): Promise<void> {
    const { store, engine, clock } = this.#options;
    const end = clock.now() + maxMs;
    for (const sha256 of this.#blobs) {
      const index = mount.indexOf(sha256);
      const blob = index === undefined ? undefined : mount.blob(index);
      const table = blob?.isPrivate || blob?.complete ? undefined : await blob?.openTable();
      if (!blob || !table) continue;
      for (let block = 0; block < blob.blockCount && clock.now() < end; block++) {
        if (blob.isStored(block)) continue;
        const stored = table.stored(block);
        const bytes = await store.probe(sha256, stored.start, stored.end);
        if (!bytes) break; // The file ends before.
        if (bytes.subarray(0, holeBytes).every((byte) => byte === 0)) continue;
        await engine.provide(mount, index!, block, bytes).catch((error: unknown) => {
          if (!isCode(error, 'integrity')) throw error; // It was being written when the leader went.
        });
      }
    }
  }
}
