import type { BlobRecord } from '../format/blob-record.ts';
import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { superblockLayout } from '../format/superblock.ts';
import { compareBytes } from '../format/utf8.ts';
import { privateBlob } from '../overlay/private-blob.ts';
import type { Clock } from '../protocol/clock.ts';
import type { BadBlock, ScrubReport } from '../protocol/loader-api.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { BlobPresence } from '../store/presence.ts';
import type { BlockRun } from '../store/recent-writes.ts';
import { BlockOwners } from './block-owners.ts';
import type { Bootstraps } from './bootstraps.ts';
import type { Engine } from './engine.ts';
import { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import type { ScrubPace } from './scrub-pace.ts';

export interface ScrubOptions {
  readonly store: BlockStore;
  readonly local: LocalBlocks;
  readonly engine: Engine;
  readonly bootstraps: Pick<Bootstraps, 'restore'>;
  readonly clock: Clock;
  readonly pace: ScrubPace;
}

/** Each drop writes the journal anew, so bad neighbours are dropped together; but who reads meanwhile gets their bytes. */
const dropMs = 100;
/** A block may be dropped and brought again, by somebody else, while it is looked at: nothing is bad that was not seen so twice. */
const looks = 2;

/**
 * One pass over what is stored: every byte is read from the disk and compared with its digest, as XFS's scrub and ZFS's do, one block at a time. What does
 * not match is dropped, durably, before it can come again, and is missing from then on, never zeros: the engine fetches it, or, for a
 * file made at run time, waits for whoever provides it. Memory: a block, or the table of one blob.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  readonly #owners: BlockOwners;
  readonly #bad: BadBlock[] = [];
  #blocks = 0;
  #bytes = 0;
  /** Something could not be compared with anything. */
  #unchecked = false;

  constructor(options: ScrubOptions) {
    this.#options = options;
    const { engine, local } = options;
    this.#owners = new BlockOwners(new KnownImages(engine, local), local);
  }

  /** Everything that is stored of an image: bootstrap, published blobs, blocks of run-time files. Throws `closed`, or its signal's reason. */
  async image(mount: Mount): Promise<ScrubReport> {
    // Bringing it may take as long as a link needs to come back; the rest does not wait for that.
    const bootstrap = this.#bootstrap(mount);
    bootstrap.catch(() => {}); // Awaited below.
    for (const record of mount.image.blobs()) await this.#blob(record);
    for (const [, node] of [...mount.tree.overlay.files()]) await this.#blob(privateBlob(node));
    await bootstrap;
    return { blocks: this.#blocks, bytes: this.#bytes, bad: this.#bad };
  }

  /** What sessions without an end have written, see BlockStore.recent: after this, only what could not be compared is still unchecked. */
  async recent(): Promise<ScrubReport> {
    const { store } = this.#options;
    for (const [name, runs] of store.recent()) {
      const record = await this.#owners.record(name);
      if (record) await this.#blob(record, runs);
      else if (this.#owners.incomplete) this.#unchecked = true;
      // No image has it: nobody would ever know what it should be.
      else await this.#drop(name, [...blocksOf(runs)], false);
    }
    // Only behind the drops: store.scrubbed() makes them durable first, or fails.
    if (!this.#unchecked) await store.scrubbed();
    return { blocks: this.#blocks, bytes: this.#bytes, bad: this.#bad };
  }

  /**
   * A spoilt bootstrap stays until the right one is here: this session has it open, and where no network is, removing it would give the next one nothing
   * that it has not already.
   */
  async #bootstrap({ image: { id, superblock } }: Mount): Promise<void> {
    const { store, bootstraps, engine, pace } = this.#options;
    if (!store.hasImage(id)) return;
    await pace.turn();
    const bytes = await unlessUnreadable(store.probeImage(id));
    this.#spend(bytes?.length ?? 0);
    if (bytes && hex(await sha256(bytes)) === id) return;
    let lost = false;
    try {
      await bootstraps.restore({ image: id, bytes: superblockLayout.size + superblock.bodyStoredLength });
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'closed') throw error;
      engine.report(error);
      lost = true;
    }
    this.#bad.push({ blob: id, block: -1, paths: ['/'], lost });
  }

  async #blob(record: BlobRecord, runs: Iterable<BlockRun> = [{ first: 0, count: record.blockCount }]) {
    const { store, clock } = this.#options;
    const presence = store.presence(record.sha256);
    if (!presence) return;
    const table = await this.#table(record, presence);
    if (!table) return;
    const bad: number[] = [];
    let foundAt = 0;
    try {
      for (const block of blocksOf(runs)) {
        if (presence.has(block) && !(await this.#isGood(record, table, presence, block))) {
          if (bad.length === 0) foundAt = clock.now();
          bad.push(block);
        }
        if (bad.length > 0 && clock.now() - foundAt >= dropMs)
          await this.#drop(record.sha256, bad.splice(0), isPrivate(record));
      }
    } finally {
      await this.#drop(record.sha256, bad, isPrivate(record));
    }
  }

  /** The table that the blocks are compared with; undefined where there are none to compare (any more). */
  async #table(record: BlobRecord, presence: BlobPresence): Promise<BlockTable | undefined> {
    const { store, engine, local, pace } = this.#options;
    if (isPrivate(record)) return BlockTable.fixed(record);
    if (!presence.hasTable && presence.count === 0) return undefined;
    const name = record.sha256;
    await pace.turn();
    for (let look = 0; look < looks; look++) {
      const bytes = await unlessUnreadable(store.probe(name, 0, record.tableLength));
      this.#spend(bytes?.length ?? 0);
      try {
        if (bytes) return await BlockTable.open(bytes, record);
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'integrity') continue;
        // As it was published, and of no use: that will not be better another time.
        engine.report(error);
        return undefined;
      }
    }
    if (store.presence(name) !== presence) return undefined;
    const restored = await engine.restoreTable(name);
    if (!restored) {
      // Nothing says what the blocks should be.
      const blocks = [-1, ...blocksOf([{ first: 0, count: record.blockCount }])];
      const present = blocks.filter((block) => block === -1 || presence.has(block));
      await local.drop(name, present);
      engine.dropped(name, present);
    }
    await this.#found(name, -1, false);
    return restored;
  }

  /** Whether the block is not to be dropped: it is as it should be, or not there any more. */
  async #isGood(
    record: BlobRecord,
    table: BlockTable,
    presence: BlobPresence,
    block: number,
  ): Promise<boolean> {
    const { store, engine, pace } = this.#options;
    const { start, end } = table.stored(block);
    await pace.turn();
    let isCounted = false;
    for (let look = 0; look < looks; look++) {
      const digest = isPrivate(record) ? store.localDigest(record.sha256, block) : table.digest(block);
      if (!digest || !presence.has(block)) return true;
      if (!isCounted) this.#blocks += 1;
      isCounted = true;
      let bytes: Uint8Array<ArrayBuffer> | undefined;
      try {
        bytes = await store.probe(record.sha256, start, end);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        if (!isPrivate(record)) continue;
        // A platform that fails for a moment must not cost what nobody else has.
        this.#unchecked = true;
        engine.report(error);
        return true;
      }
      this.#spend(bytes?.length ?? 0);
      if (bytes && compareBytes(await sha256(bytes), digest) === 0) return true;
    }
    return !presence.has(block);
  }

  async #drop(name: string, blocks: readonly number[], lost: boolean): Promise<void> {
    const { local, engine } = this.#options;
    if (blocks.length === 0) return;
    await local.drop(name, blocks);
    engine.dropped(name, blocks);
    // Asked last: it may take a while, and until then readers would get what is bad.
    for (const block of blocks) await this.#found(name, block, lost);
  }

  async #found(blob: string, block: number, lost: boolean): Promise<void> {
    const [first, end] = block === -1 ? [0, Number.POSITIVE_INFINITY] : [block, block + 1];
    this.#bad.push({ blob, block, paths: await this.#owners.hurtPaths(blob, first, end), lost });
  }

  #spend(bytes: number): void {
    this.#bytes += bytes;
    this.#options.pace.spend(bytes);
  }
}

function* blocksOf(runs: Iterable<BlockRun>): Generator<number> {
  for (const { first, count } of runs) for (let block = first; block < first + count; block++) yield block;
}

function isPrivate({ blockSize }: BlobRecord): boolean {
  return blockSize !== undefined;
}

/** What the platform cannot read is as good as missing, where it can be had again. */
async function unlessUnreadable<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'unreadable';
}
