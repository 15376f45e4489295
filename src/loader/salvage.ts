import { isCode } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { BlobPresence } from '../store/presence.ts';
import type { Engine } from './engine.ts';
import type { Mount } from './mount.ts';

/** So many files are looked into, those that were begun last, and no longer than this: a launch may wait for it. */
const maxBlobs = 16;
const maxMs = 100;
/** What begins with so many zeros is a hole: nothing was written there. */
const holeBytes = 64;
/** As a block: the table. */
const tableBlock = -1;

export interface SalvageOptions {
  readonly store: Pick<BlockStore, 'recent' | 'blobs' | 'strays' | 'removeStrays' | 'probe'>;
  readonly engine: Pick<Engine, 'provide' | 'report'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What a leader that was killed had written and not journaled is still in its files, since only a crash of the machine takes it from there. No one
 * believes it; but a block that matches its digest need not be fetched again. It is given to the engine like one from anybody else, so it is
 * verified, flushed and journaled in this order. So is a table: of a blob that was begun just before, the journal knows not even that.
 */
export class Salvage {
  readonly #options: SalvageOptions;
  /** By SHA-256: what was begun and not journaled, and what the session without an end may have written to, the last first. */
  readonly #blobs: readonly string[];
  readonly #done = new Map<Mount, Promise<void>>();

  /** Before anything is written. */
  constructor(options: SalvageOptions) {
    const { store } = options;
    this.#options = options;
    const recent = store.recent();
    const begun = store
      .blobs()
      .filter(({ description, presence }) => recent.has(description.sha256) || hasTableAlone(presence))
      .map(({ description }) => description.sha256);
    this.#blobs = [...store.strays(), ...begun.reverse()].slice(0, maxBlobs);
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
    const { store, clock } = this.#options;
    const end = clock.now() + maxMs;
    for (const sha256 of this.#blobs) {
      const index = mount.indexOf(sha256);
      if (index !== undefined && clock.now() < end) await this.#lookInto(mount, index, end);
    }
    await store.removeStrays();
  }

  async #lookInto(mount: Mount, index: number, end: number): Promise<void> {
    const { store, clock } = this.#options;
    const blob = mount.blob(index);
    if (!blob || blob.isPrivate || blob.complete) return;
    const { sha256, tableLength } = blob;
    if (!(await blob.openTable())) {
      const bytes = await store.probe(sha256, 0, tableLength);
      if (bytes) await this.#give(mount, index, tableBlock, bytes);
    }
    const table = await blob.openTable();
    if (!table) return;
    for (let block = 0; block < blob.blockCount && clock.now() < end; block++) {
      if (blob.isStored(block)) continue;
      const stored = table.stored(block);
      const bytes = await store.probe(sha256, stored.start, stored.end);
      if (!bytes) return; // The file ends before.
      if (!bytes.subarray(0, holeBytes).every((byte) => byte === 0))
        await this.#give(mount, index, block, bytes);
    }
  }

  async #give(mount: Mount, index: number, block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#options.engine.provide(mount, index, block, bytes);
    } catch (error) {
      // It was being written when the leader went.
      if (!isCode(error, 'integrity')) throw error;
    }
  }
}

/** A table comes ahead of its blob's blocks, so it may be journaled when none of them is. */
function hasTableAlone({ hasTable, count }: BlobPresence): boolean {
  return hasTable && count === 0;
}
