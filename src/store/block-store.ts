import { type ErrorCode, SluiceError } from '../format/errors.ts';
import { isSha256Hex } from '../format/sha256.ts';
import type { Directory } from './directory.ts';
import { FilePool } from './file-pool.ts';
import type { BlobDescription, JournalRecord } from './journal.ts';
import { JournalWriter } from './journal-writer.ts';
import type { BlobPresence, Presence } from './presence.ts';
import { blobFolder, blobPath, digestOfName, imageFolder, imagePath } from './store-paths.ts';
import type { Keep, StoredBlob, StoreState } from './store-state.ts';

/** What bounds a store's use of the platform. */
export interface StoreLimits {
  /** Open files besides the journal's two. */
  readonly maxOpenFiles: number;
  /** A journal of fewer bytes is not worth compacting. */
  readonly minCompaction: number;
}

const defaultLimits: StoreLimits = { maxOpenFiles: 24, minCompaction: 256 * 1024 };

/** A journal is compacted when it is this many times its snapshot. */
const compactionFactor = 4;

/** What of a blob is written (or declared) and not journaled yet. */
interface Pending {
  declared: boolean;
  table: boolean;
  readonly blocks: number[];
}

/**
 * The writer of a local store: bootstraps as published, blobs with the published layout, and a journal of which parts of
 * them are true (STORE.md). There is one writer a store; the caller's Web Lock sees to it, an exclusive journal enforces it.
 *
 * Bytes are handed over verified. They are present, and readable here, as soon as a write resolves; they are durable, and
 * visible to a {@link StoreReader}, when the next {@link commit} has resolved.
 *
 * Invariants: what the journal says was flushed before; `#state` is what the journal says plus `#pending` and
 * `#pendingImages` (less what `#tookAway` tells of); what is present is never written again.
 *
 * Every method may throw `ENOSPC` (the quota is exhausted: what was written before stays true, the store can go on being
 * read, and the same call may be tried again), `unreadable` (the platform failed) and `closed`.
 */
export class BlockStore {
  /** What had been here could not be read back and was given up (`corrupt-store`); undefined when all was well. */
  readonly damage: SluiceError | undefined;
  readonly #files: FilePool;
  readonly #journal: JournalWriter;
  readonly #state: StoreState;
  readonly #limits: StoreLimits;
  readonly #pendingImages = new Set<string>();
  readonly #pending = new Map<string, Pending>();
  /** The journal says more than is true: files were found missing. Nothing is written before a generation without them. */
  #tookAway = false;
  /** Compact when the journal is longer than this. */
  #compactionLimit: number;
  #closed = false;

  private constructor(
    directory: Directory,
    { journal, state, damage }: Awaited<ReturnType<typeof JournalWriter.open>>,
    limits: StoreLimits,
  ) {
    this.#files = new FilePool(directory, limits.maxOpenFiles);
    this.#journal = journal;
    this.#state = state;
    this.#limits = limits;
    this.damage = damage;
    this.#compactionLimit = this.#nextCompaction();
  }

  /**
   * Opens the store below `directory`, or begins one: replays the journal, and removes files that it does not know (a crash
   * came between file and record, or between a new generation and a removal).
   * Throws `EBUSY` when another writer has it, `store-too-new` (nothing is touched then), `unreadable`, `ENOSPC`.
   */
  static async open(directory: Directory, limits: Partial<StoreLimits> = {}): Promise<BlockStore> {
    const opened = await JournalWriter.open(directory);
    try {
      const store = new BlockStore(directory, opened, { ...defaultLimits, ...limits });
      await store.#reconcile(await directory.list(imageFolder), await directory.list(blobFolder));
      return store;
    } catch (error) {
      opened.journal.close();
      throw error;
    }
  }

  /** SHA-256 (hex) of the bootstraps that are here. */
  images(): string[] {
    return [...this.#state.images.keys()];
  }

  hasImage(id: string): boolean {
    return this.#state.images.has(id);
  }

  /** Keeps a bootstrap as published; `id` is its SHA-256. One that is here already is left as it is. */
  async addImage(id: string, bytes: Uint8Array): Promise<void> {
    checkDigest(id);
    if (this.hasImage(id)) return;
    await this.#files.write(imagePath(id), true, (file) => {
      if (this.hasImage(id)) return;
      if (this.#tookAway) this.#commit();
      file.write(bytes, 0);
      if (file.size() > bytes.length) file.truncate(bytes.length);
      this.#state.apply({ type: 'image', sha256: id, length: bytes.length });
      this.#pendingImages.add(id);
    });
  }

  /** The bootstrap as published, or undefined. Not verified again here: opening the image does that. */
  async readImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = this.#state.images.get(id);
    if (length === undefined) return undefined;
    const bytes = await this.#read(imagePath(id), 0, length);
    if (bytes === undefined) this.#takeAwayImage(id);
    return bytes;
  }

  /**
   * What is present of a blob; from here on it can be written. The answer stays current until the blob is removed (nothing is
   * present in it then). Throws `EINVAL` for a description that cannot be, or that contradicts the known one.
   */
  blob(description: BlobDescription): BlobPresence {
    const { sha256, length, tableLength, blockCount } = description;
    checkDigest(sha256);
    const known = this.#state.blobs.get(sha256);
    if (known === undefined) {
      if (!this.#state.apply({ type: 'blob', sha256, length, tableLength, blockCount })) {
        throw new SluiceError(
          'EINVAL',
          `No blob has ${length} bytes, ${tableLength} of table, ${blockCount} blocks`,
        );
      }
      this.#pendingOf(sha256).declared = true;
      return this.#blob(sha256).presence;
    }
    const same = known.description;
    if (same.length !== length || same.tableLength !== tableLength || same.blockCount !== blockCount) {
      throw new SluiceError('EINVAL', `Blob ${sha256} is known with other lengths`);
    }
    return known.presence;
  }

  /** Keeps the blob's table, verified, as published. One that is present already is left as it is. */
  async writeTable(sha256: string, bytes: Uint8Array): Promise<void> {
    const { tableLength } = this.#blob(sha256).description;
    if (bytes.length !== tableLength) {
      throw new SluiceError(
        'EINVAL',
        `The table of blob ${sha256} has ${tableLength} bytes, not ${bytes.length}`,
      );
    }
    await this.#write(sha256, 0, bytes, undefined);
  }

  /** Keeps a stored block, verified, at its published `offset`. One that is present already is left as it is. */
  async writeBlock(sha256: string, block: number, offset: number, bytes: Uint8Array): Promise<void> {
    this.#checkBlock(sha256, block, offset, bytes.length);
    await this.#write(sha256, offset, bytes, block);
  }

  /** The blob's table as published, or undefined where it is not present. */
  async readTable(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { description, presence } = this.#blob(sha256);
    return presence.hasTable ? this.#readBlob(sha256, 0, description.tableLength) : undefined;
  }

  /**
   * The stored bytes `[offset, offset + length)` of a block, or undefined where it is not present. It also stops being
   * present, with all of its blob, when the file turns out to be missing or too short (somebody else removed it).
   */
  async readBlock(
    sha256: string,
    block: number,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#checkBlock(sha256, block, offset, length);
    return this.#blob(sha256).presence.has(block) ? this.#readBlob(sha256, offset, length) : undefined;
  }

  /**
   * Makes everything written so far durable and visible, and seals the blobs that are complete. One flush a file with writes and
   * one of the journal, whatever was written in between: call it rarely. Answers the SHA-256 of newly sealed blobs.
   */
  async commit(): Promise<{ readonly sealed: readonly string[] }> {
    return { sealed: this.#commit() };
  }

  /** Removes an image, and the blobs that are not in `keepBlobs` (SHA-256 of what the other images need). */
  async removeImage(id: string, keepBlobs: ReadonlySet<string>): Promise<void> {
    // In one tick with what follows: a snapshot may only hold what was flushed.
    this.#commit();
    const keep: Keep = (kind, sha256) => (kind === 'image' ? sha256 !== id : keepBlobs.has(sha256));
    const dropped = [...this.#state.blobs.keys()].filter((sha256) => !keep('blob', sha256));
    this.#rewrite(keep);
    this.#state.retain(keep);
    // The generation without them is durable, and the old one gone, before the first file is. (2 in STORE.md)
    this.#journal.emptyOther();
    // Queued before anybody can open a file of the same name anew.
    await Promise.all([imagePath(id), ...dropped.map(blobPath)].map((path) => this.#files.remove(path)));
  }

  /** Commits and lets go of all files. They are let go of even when the commit fails. */
  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#commit();
    } finally {
      this.#closed = true;
      this.#files.closeAll();
      this.#journal.close();
    }
  }

  /** Synchronous, so that nothing is written between the flush of the data and the records about it. */
  #commit(): string[] {
    if (this.#closed) throw new SluiceError('closed', 'The store was closed');
    // Data first: a record never reaches the disk before the bytes that it speaks of. (1 in STORE.md)
    this.#files.flush();
    if (this.#tookAway) {
      this.#rewrite();
      this.#forgetPending();
      // Readers follow the old slot as long as it is there; only now they cannot believe in what will be written anew.
      this.#journal.emptyOther();
      this.#tookAway = false;
    }
    const complete = [...this.#state.blobs.values()].filter(
      ({ presence }) => presence.complete && !presence.sealed,
    );
    const records = [
      ...this.#pendingRecords(),
      ...complete.map(({ id }) => ({ type: 'sealed', blob: id }) as const),
    ];
    // Crash before its flush: some or all of these blocks are lost. After it: all are here. Never more than were written.
    this.#journal.append(records);
    this.#forgetPending();
    for (const { presence, description } of complete) {
      presence.seal();
      this.#files.close(blobPath(description.sha256));
    }
    if (this.#journal.size > this.#compactionLimit) this.#compact();
    return complete.map(({ description }) => description.sha256);
  }

  #pendingRecords(): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const sha256 of this.#pendingImages) {
      records.push({ type: 'image', sha256, length: this.#state.images.get(sha256)! });
    }
    for (const [sha256, { declared, table, blocks }] of this.#pending) {
      const { id, description } = this.#blob(sha256);
      if (declared) records.push({ type: 'blob', ...description });
      if (table) records.push({ type: 'table', blob: id });
      for (const run of runsOf(blocks)) records.push({ type: 'present', blob: id, ...run });
    }
    return records;
  }

  #forgetPending(): void {
    this.#pendingImages.clear();
    this.#pending.clear();
  }

  #pendingOf(sha256: string): Pending {
    const pending = this.#pending.get(sha256) ?? { declared: false, table: false, blocks: [] };
    this.#pending.set(sha256, pending);
    return pending;
  }

  /** Everything is journaled already; where there is no room for a second copy, the journal just goes on growing. */
  #compact(): void {
    try {
      this.#rewrite();
    } catch (error) {
      if (!isCode(error, 'ENOSPC')) throw error;
      this.#compactionLimit = 2 * this.#journal.size;
    }
  }

  #rewrite(keep?: Keep): void {
    this.#journal.rewrite(this.#state.records(keep));
    this.#compactionLimit = this.#nextCompaction();
  }

  #nextCompaction(): number {
    return Math.max(this.#limits.minCompaction, compactionFactor * this.#journal.snapshotLength);
  }

  /** Writes the table (`block` undefined) or a block. */
  async #write(sha256: string, offset: number, bytes: Uint8Array, block: number | undefined): Promise<void> {
    const isPresent = (presence: Presence): boolean =>
      block === undefined ? presence.hasTable : presence.has(block);
    const before = this.#blob(sha256).presence;
    if (isPresent(before)) return;
    const empty = before.count === 0 && !before.hasTable;
    try {
      await this.#files.write(blobPath(sha256), empty, (file) => {
        const { presence, description } = this.#blob(sha256);
        if (isPresent(presence)) return;
        if (this.#tookAway) this.#commit();
        file.write(bytes, offset);
        // Sealing promises the published length; a longer file can only be somebody else's.
        if (file.size() > description.length) file.truncate(description.length);
        const pending = this.#pendingOf(sha256);
        if (block === undefined) {
          presence.addTable();
          pending.table = true;
        } else {
          presence.add(block);
          pending.blocks.push(block);
        }
      });
    } catch (error) {
      if (empty || !isCode(error, 'ENOENT')) throw error;
      // A file that holds present blocks was removed by somebody else.
      this.#takeAwayBlob(sha256);
      await this.#write(sha256, offset, bytes, block);
    }
  }

  async #readBlob(
    sha256: string,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#read(blobPath(sha256), offset, length);
    if (bytes === undefined) this.#takeAwayBlob(sha256);
    return bytes;
  }

  /** Undefined: the file is missing or too short. */
  async #read(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#files.read(path, (file) => {
        const bytes = new Uint8Array(length);
        return file.read(bytes, offset) === length ? bytes : undefined;
      });
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async #reconcile(imageNames: readonly string[], blobNames: readonly string[]): Promise<void> {
    const imageFiles = new Set(imageNames.map(digestOfName));
    const blobFiles = new Set(blobNames.map(digestOfName));
    for (const id of this.images()) if (!imageFiles.has(id)) this.#takeAwayImage(id);
    for (const [sha256, { presence }] of this.#state.blobs) {
      if (!blobFiles.has(sha256) && (presence.count > 0 || presence.hasTable)) this.#takeAwayBlob(sha256);
    }
    const orphans = [
      ...[...imageFiles].filter((id) => id !== undefined && !this.hasImage(id)).map((id) => imagePath(id!)),
      ...[...blobFiles]
        .filter((id) => id !== undefined && !this.#state.blobs.has(id))
        .map((id) => blobPath(id!)),
    ];
    for (const path of orphans) await this.#files.remove(path);
  }

  #takeAwayImage(id: string): void {
    this.#pendingImages.delete(id);
    this.#state.retain((kind, sha256) => kind === 'blob' || sha256 !== id);
    this.#files.close(imagePath(id));
    this.#tookAway = true;
  }

  /** The blob stays declared, with nothing in it. */
  #takeAwayBlob(sha256: string): void {
    this.#state.blobs.get(sha256)?.presence.clear();
    this.#files.close(blobPath(sha256));
    const pending = this.#pending.get(sha256);
    if (pending !== undefined) {
      pending.table = false;
      pending.blocks.length = 0;
    }
    this.#tookAway = true;
  }

  #blob(sha256: string): StoredBlob {
    const blob = this.#state.blobs.get(sha256);
    if (blob === undefined) throw new SluiceError('EINVAL', `The store was not told of blob ${sha256}`);
    return blob;
  }

  #checkBlock(sha256: string, block: number, offset: number, length: number): void {
    const { description } = this.#blob(sha256);
    if (!(block >= 0 && block < description.blockCount)) {
      throw new SluiceError('ERANGE', `Blob ${sha256} has no block ${block}`);
    }
    if (!(offset >= description.tableLength && offset + length <= description.length)) {
      throw new SluiceError('ERANGE', `No block of blob ${sha256} lies at ${offset}, ${length} bytes long`);
    }
  }
}

/** The maximal runs of consecutive numbers among `blocks`, which are distinct and in any order. */
function runsOf(blocks: readonly number[]): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const block of blocks.toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && block === last.first + last.count) last.count += 1;
    else runs.push({ first: block, count: 1 });
  }
  return runs;
}

function checkDigest(sha256: string): void {
  if (!isSha256Hex(sha256)) throw new SluiceError('EINVAL', `"${sha256}" is no SHA-256 in lower-case hex`);
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof SluiceError && error.code === code;
}
