import { type ErrorCode, SluiceError } from '../format/errors.ts';
import { isSha256Hex } from '../format/sha256.ts';
import type { TreeChange } from '../overlay/change.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { Directory } from './directory.ts';
import { FilePool } from './file-pool.ts';
import type { BlobDescription, JournalRecord } from './journal.ts';
import { JournalWriter } from './journal-writer.ts';
import type { BlobPresence, Presence } from './presence.ts';
import type { BlockRun } from './recent-writes.ts';
import type { StoreFile } from './store-file.ts';
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
  readonly #pendingUsed = new Set<string>();
  /** Blobs that may have become complete since the last commit. */
  readonly #sealable = new Set<string>();
  /** Sealed by a commit that nobody called for. */
  readonly #sealed: string[] = [];
  /** This session's begin is in the journal. */
  #begun = false;
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
      for (const sha256 of opened.state.blobs.keys()) store.#sealable.add(sha256);
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
    const bytes = await this.#read(imagePath(id), 0, length, () => this.hasImage(id));
    if (bytes === undefined && this.hasImage(id)) this.#takeAwayImage(id);
    return bytes;
  }

  /**
   * What is present of a blob; from here on it can be written. The answer stays current until the blob is removed (nothing is
   * present in it then). Throws `EINVAL` for a description that cannot be, or that contradicts the known one.
   *
   * With a `blockSize` it is the private blob of a file made at run time: {@link change} declares it by itself, and the next mount removes one that no
   * file has.
   */
  blob(description: BlobDescription): BlobPresence {
    const { sha256, length, tableLength, blockCount, blockSize } = description;
    checkDigest(sha256);
    const known = this.#state.blobs.get(sha256);
    if (known === undefined) {
      if (!this.#state.apply(declaration(description))) {
        throw new SluiceError(
          'EINVAL',
          `No blob has ${length} bytes, ${tableLength} of table, ${blockCount} blocks`,
        );
      }
      this.#pendingOf(sha256).declared = true;
      return this.#blob(sha256).presence;
    }
    const same = known.description;
    if (
      same.length !== length ||
      same.tableLength !== tableLength ||
      same.blockCount !== blockCount ||
      same.blockSize !== blockSize
    ) {
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
    if (this.#blob(sha256).description.blockSize !== undefined) {
      throw new SluiceError('EINVAL', `Blob ${sha256} is private: its blocks come with digests`);
    }
    await this.#write(sha256, offset, bytes, block);
  }

  /**
   * Keeps a block of a private blob, with the SHA-256 (32 bytes) by which it is checked later. One that is present already is left as it is.
   * Throws `ERANGE` for a block that is none, `EINVAL` for too many or too few bytes.
   */
  async writeLocalBlock(
    name: string,
    block: number,
    bytes: Uint8Array,
    digest: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { length, blockSize, blockCount } = this.#blob(name).description;
    if (blockSize === undefined) throw new SluiceError('EINVAL', `Blob ${name} is not private`);
    if (!(Number.isInteger(block) && block >= 0 && block < blockCount)) {
      throw new SluiceError('ERANGE', `Blob ${name} has no block ${block}`);
    }
    const offset = block * blockSize;
    const expected = Math.min(blockSize, length - offset);
    if (bytes.length !== expected || digest.length !== 32) {
      throw new SluiceError('EINVAL', `Block ${block} of ${name} has ${expected} bytes and a digest`);
    }
    await this.#write(name, offset, bytes, block, digest.slice());
  }

  /** SHA-256 of a present block of a private blob; undefined where it is not present. */
  localDigest(name: string, block: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#state.blobs.get(name)?.digests.get(block);
  }

  /** The blob's table as published, or undefined where it is not present. */
  async readTable(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { description, presence } = this.#blob(sha256);
    return presence.hasTable ? this.#readBlob(sha256, undefined, 0, description.tableLength) : undefined;
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
    return this.#blob(sha256).presence.has(block) ? this.#readBlob(sha256, block, offset, length) : undefined;
  }

  /** What is present of a blob; undefined for one that is not known (any more). */
  presence(sha256: string): BlobPresence | undefined {
    return this.#state.blobs.get(sha256)?.presence;
  }

  /**
   * What lies in the blob's file at `[start, end)`, whatever is called present there: for who looks before he believes. Undefined where the file
   * is missing or too short; nothing is concluded from that here.
   */
  probe(sha256: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(blobPath(sha256), start, end - start, () => this.#state.blobs.has(sha256));
  }

  /** The same of all of a bootstrap that is here. */
  async probeImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = this.#state.images.get(id);
    return length === undefined ? undefined : this.#read(imagePath(id), 0, length, () => this.hasImage(id));
  }

  /**
   * Puts the published bytes in the place of a bootstrap that was found bad; on disk when it resolves. It is written over where it lies (of all that
   * is present, it alone): a bootstrap is verified whole whenever it is opened, so a crash in between leaves what was there before, one
   * that is not believed.
   */
  async replaceImage(id: string, bytes: Uint8Array): Promise<void> {
    checkDigest(id);
    if (this.#state.images.get(id) !== bytes.length) return this.addImage(id, bytes);
    await this.#files.write(imagePath(id), true, (file) => {
      file.write(bytes, 0);
      if (file.size() > bytes.length) file.truncate(bytes.length);
    });
    this.#commit();
  }

  /**
   * Makes everything written so far durable and visible, and seals the blobs that are complete. One flush a file with writes and
   * one of the journal, whatever was written in between: call it rarely. Answers the SHA-256 of newly sealed blobs.
   */
  async commit(): Promise<{ readonly sealed: readonly string[] }> {
    this.#commit();
    return { sealed: this.#sealed.splice(0) };
  }

  /** Removes an image with what was changed in it, and the blobs that are not in `keepBlobs` (SHA-256 of what the other images need). */
  async removeImage(id: string, keepBlobs: ReadonlySet<string>): Promise<void> {
    const own = new Set(Array.from(this.overlay(id).files(), ([, { blob }]) => blob));
    const keep: Keep = (kind, sha256) => {
      if (kind !== 'blob') return sha256 !== id;
      return this.#isPrivate(sha256) ? !own.has(sha256) : keepBlobs.has(sha256);
    };
    const dropped = [...this.#state.blobs.keys()].filter((sha256) => !keep('blob', sha256));
    this.#forget(keep);
    await this.#removeFiles([imagePath(id), ...dropped.map(blobPath)]);
  }

  /** What was changed in the image's tree at run time: the same object as long as the image is not removed, changed by {@link change}. */
  overlay(image: string): Overlay {
    return this.#state.overlay(image);
  }

  /**
   * Changes the image's tree, one change after the other; durable when it resolves. With its last name a file's blob goes. `request` (64 hex
   * digits) is done then, in the same breath: see {@link isDone}. Throws `EINVAL` for a change that cannot be; the ones before it are made.
   */
  async change(image: string, changes: readonly TreeChange[], request?: string): Promise<void> {
    checkDigest(image);
    const removed = new Set<string>();
    try {
      for (const [i, change] of changes.entries()) {
        const blob = this.#change(image, change, i === changes.length - 1 ? request : undefined);
        if (blob !== undefined) removed.add(blob);
      }
    } finally {
      await Promise.all([...removed].map((sha256) => this.#removeUnnamed(sha256)));
    }
  }

  /** Whether the changes that were requested under this name were made, by whichever writer: one of the last, see {@link change}. */
  isDone(request: string): boolean {
    return this.#state.done.has(request);
  }

  /**
   * Blocks that were found bad (-1: the table) are not present any more, durably, before any of them can be written again. A sealed blob is
   * not sealed any more.
   */
  async dropBlocks(sha256: string, blocks: Iterable<number>): Promise<void> {
    const bad = new Set(blocks);
    this.#state.drop(sha256, bad);
    this.#sealable.add(sha256);
    const pending = this.#pending.get(sha256);
    if (pending !== undefined) {
      if (bad.has(-1)) pending.table = false;
      pending.blocks.splice(0, pending.blocks.length, ...pending.blocks.filter((block) => !bad.has(block)));
    }
    this.#tookAway = true;
    this.#commit();
  }

  /**
   * Removes published blobs and gives back their room; they are not known any more, see {@link blob}. Whether one is pinned, or in use, is for the
   * caller to know. Once it is durable that they go, they do, also over a crash. Needs no room: that is what it is for. Throws `EINVAL` for a private one: nobody else has it.
   */
  async evict(blobs: readonly string[]): Promise<void> {
    const known = [...new Set(blobs)].filter((sha256) => this.#state.blobs.has(sha256));
    const own = known.find((sha256) => this.#isPrivate(sha256));
    if (own !== undefined) throw new SluiceError('EINVAL', `Blob ${own} is private: nobody else has it`);
    if (known.length === 0) return;
    try {
      // Crash before this has ended: a part of them goes at the next mount. After it: all of them, then or now.
      this.#record(known.map((sha256) => ({ type: 'evict', sha256 })));
      this.#forgetBlobs(new Set(known));
    } catch (error) {
      if (!isCode(error, 'ENOSPC')) throw error;
      // Not even for the journal is there room: their files go first, as if somebody else had removed them, and it follows.
      for (const sha256 of known) this.#takeAwayBlob(sha256);
    }
    await this.#removeFiles(known.map(blobPath));
    if (this.#tookAway) this.#commit();
  }

  /**
   * Removes a private blob that no file has yet, because making the file failed. Nothing has to be durable before its bytes go, since no
   * tree speaks of it: a mount that finds it in the journal takes it away. Throws `EINVAL` for any other blob.
   */
  async discard(name: string): Promise<void> {
    if (!this.#state.unowned().includes(name)) throw new SluiceError('EINVAL', `Blob ${name} is a file's`);
    this.#pending.delete(name);
    this.#sealable.delete(name);
    this.#state.retain((kind, sha256) => kind !== 'blob' || sha256 !== name);
    // The others are numbered anew.
    this.#tookAway = true;
    await this.#removeUnnamed(name);
  }

  /** Keeps blobs from being culled; durable when it resolves. */
  async pin(blobs: Iterable<string>): Promise<void> {
    this.#pin(blobs, 1);
  }

  async unpin(blobs: Iterable<string>): Promise<void> {
    this.#pin(blobs, 0);
  }

  pinned(sha256: string): boolean {
    return this.#state.pinned.has(sha256);
  }

  /** The image is used now, in ms since 1970; durable with the next commit. */
  used(image: string, atMs: number): void {
    checkDigest(image);
    this.#state.apply({ type: 'used', image, atMs });
    this.#pendingUsed.add(image);
  }

  /** When the image was used last, in ms since 1970; undefined where that is not known. */
  lastUsed(image: string): number | undefined {
    return this.#state.used.get(image);
  }

  /** The blobs that are known, published and private ones. */
  blobs(): { readonly description: BlobDescription; readonly presence: BlobPresence }[] {
    return [...this.#state.blobs.values()];
  }

  /** The files of the store of which something is true, in no order. */
  files(): StoreFile[] {
    const files: StoreFile[] = this.#journal.files().map((slot) => ({ kind: 'journal', ...slot }));
    for (const [id, length] of this.#state.images) files.push({ kind: 'image', name: imagePath(id), length });
    for (const [sha256, blob] of this.#state.blobs) {
      const { description, presence } = blob;
      if (!hasFile(blob)) continue;
      const pinned = this.pinned(sha256);
      files.push({ kind: 'blob', name: blobPath(sha256), description, presence, pinned });
    }
    return files;
  }

  /** What sessions without an end (the device crashed, the tab was killed) had written, until {@link scrubbed}. By SHA-256 of the blob. */
  recent(): Map<string, readonly BlockRun[]> {
    return this.#state.recent.unchecked(!this.#begun);
  }

  /** What {@link recent} answers was checked; durable when it resolves. */
  async scrubbed(): Promise<void> {
    if (this.recent().size > 0) this.#record([{ type: 'scrubbed' }]);
  }

  /**
   * Commits, and ends the session as {@link close} does; what is written later begins a new one. For a writer that has nothing more to do for now and
   * may be killed without a word, as browsers do with workers: what it wrote was flushed long before.
   */
  async rest(): Promise<void> {
    this.#commit();
    this.#endSession();
  }

  /** Commits and lets go of all files. They are let go of even when the commit fails. */
  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#commit();
      this.#endSession();
    } finally {
      this.#closed = true;
      this.#files.closeAll();
      this.#journal.close();
    }
  }

  #endSession(): void {
    if (!this.#begun) return;
    try {
      this.#journal.append([{ type: 'session-end' }]);
      this.#state.apply({ type: 'session-end' });
      this.#begun = false;
    } catch (error) {
      // Everything is durable. Without an end the next session checks what this one wrote, which does no harm.
      if (!isCode(error, 'ENOSPC')) throw error;
    }
  }

  /** Synchronous, so that nothing is written between the flush of the data and the records about it. */
  #commit(): void {
    if (this.#closed) throw new SluiceError('closed', 'The store was closed');
    // Data first: a record never reaches the disk before the bytes that it speaks of. (1 in STORE.md)
    this.#files.flush();
    if (this.#tookAway) {
      this.#noteWritten(this.#pendingRecords());
      this.#rewrite();
      this.#forgetPending();
      // Readers follow the old slot as long as it is there; only now they cannot believe in what will be written anew.
      this.#journal.emptyOther();
      this.#tookAway = false;
    }
    const complete: StoredBlob[] = [];
    for (const sha256 of this.#sealable) {
      const blob = this.#state.blobs.get(sha256);
      if (blob?.presence.complete && !blob.presence.sealed) complete.push(blob);
    }
    const records = [
      ...this.#pendingRecords(),
      ...complete.map(({ id }) => ({ type: 'sealed', blob: id }) as const),
    ];
    // Crash before its flush: some or all of these blocks are lost. After it: all are here. Never more than were written.
    this.#append(records);
    this.#noteWritten(records);
    this.#forgetPending();
    this.#sealable.clear();
    for (const { presence, description } of complete) {
      presence.seal();
      this.#files.close(blobPath(description.sha256));
      this.#sealed.push(description.sha256);
    }
    if (this.#journal.size > this.#compactionLimit) this.#compact();
  }

  /** Makes records true, and durable; behind everything that was written before, so that blobs have the numbers that the journal gives them. */
  #record(records: readonly JournalRecord[]): void {
    this.#commit();
    this.#append(records);
    for (const record of records) this.#state.apply(record);
  }

  /** Behind this session's begin: what is written in a session that has no end is to be checked. */
  #append(records: readonly JournalRecord[]): void {
    if (this.#begun || records.length === 0) {
      this.#journal.append(records);
      return;
    }
    this.#journal.append([{ type: 'session-begin' }, ...records]);
    this.#state.apply({ type: 'session-begin' });
    this.#begun = true;
  }

  /** The state has these blocks already; what is new is that this session wrote them. */
  #noteWritten(records: readonly JournalRecord[]): void {
    const written = records.filter(({ type }) => type === 'present' || type === 'local-present');
    if (written.length > 0 && !this.#begun) {
      this.#state.apply({ type: 'session-begin' });
      this.#begun = true;
    }
    for (const record of written) this.#state.apply(record);
  }

  /** Answers the private blob that went with its last name. */
  #change(image: string, change: TreeChange, request: string | undefined): string | undefined {
    const overlay = this.overlay(image);
    if (!overlay.allows(change)) throw new SluiceError('EINVAL', `A ${change.type} that cannot be`);
    if (change.type === 'create' && change.node.kind === 'file') {
      const { blob, size, blockSize } = change.node;
      const blockCount = Math.ceil(size / blockSize);
      this.blob({ sha256: blob, length: size, tableLength: 0, blockCount, blockSize });
    }
    const place = change.type === 'unlink' ? overlay.child(change.parent, change.name) : undefined;
    const node = typeof place === 'object' ? overlay.node(place.inode) : undefined;
    const done = request === undefined ? [] : [{ type: 'done', request } as const];
    // In one append: a leader that is killed has done both or neither.
    this.#record([{ type: 'change', image, change }, ...done]);
    return node?.kind === 'file' && !this.#state.blobs.has(node.blob) ? node.blob : undefined;
  }

  /** Its name is never used again, so no record can ever speak of another file of that name: see STORE.md. */
  async #removeUnnamed(blob: string): Promise<void> {
    try {
      await this.#files.remove(blobPath(blob));
    } catch (error) {
      // It is durable that no tree speaks of it: whoever took the name away must not hear that he failed. The next mount removes the file.
      if (!(error instanceof SluiceError)) throw error;
    }
  }

  #pin(blobs: Iterable<string>, pinned: 0 | 1): void {
    const changed = [...blobs].filter((sha256) => this.pinned(sha256) !== (pinned === 1));
    for (const sha256 of changed) checkDigest(sha256);
    if (changed.length > 0) this.#record(changed.map((sha256) => ({ type: 'pinned', sha256, pinned })));
  }

  #forgetBlobs(blobs: ReadonlySet<string>): void {
    this.#forget((kind, sha256) => kind !== 'blob' || !blobs.has(sha256));
  }

  /** Begins a generation without what is not to be kept. Its files may be removed then. */
  #forget(keep: Keep): void {
    // In one tick with what follows: a snapshot may only hold what was flushed.
    this.#commit();
    this.#rewrite(keep);
    // The generation without them is durable, and the old one gone, before the first file is. (2 in STORE.md)
    this.#journal.emptyOther();
  }

  /** To be called in the tick in which they were forgotten: before anybody can open a file of the same name anew. */
  async #removeFiles(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((path) => this.#files.remove(path)));
  }

  #pendingRecords(): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const sha256 of this.#pendingImages) {
      records.push({ type: 'image', sha256, length: this.#state.images.get(sha256)! });
    }
    for (const [sha256, { declared, table, blocks }] of this.#pending) {
      const { id, description, digests } = this.#blob(sha256);
      if (declared) records.push(declaration(description));
      if (table) records.push({ type: 'table', blob: id });
      if (description.blockSize !== undefined) {
        for (const block of blocks) {
          records.push({ type: 'local-present', blob: id, block, digest: digests.get(block)! });
        }
        continue;
      }
      for (const run of runsOf(blocks)) records.push({ type: 'present', blob: id, ...run });
    }
    for (const image of this.#pendingUsed) {
      records.push({ type: 'used', image, atMs: this.#state.used.get(image)! });
    }
    return records;
  }

  #forgetPending(): void {
    this.#pendingUsed.clear();
    this.#pendingImages.clear();
    this.#pending.clear();
  }

  #pendingOf(sha256: string): Pending {
    const pending = this.#pending.get(sha256) ?? { declared: false, table: false, blocks: [] };
    this.#pending.set(sha256, pending);
    this.#sealable.add(sha256);
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
    this.#state.retain(keep);
    this.#compactionLimit = this.#nextCompaction();
  }

  #nextCompaction(): number {
    return Math.max(this.#limits.minCompaction, compactionFactor * this.#journal.snapshotLength);
  }

  /** Writes the table (`block` undefined) or a block. */
  async #write(
    sha256: string,
    offset: number,
    bytes: Uint8Array,
    block: number | undefined,
    digest?: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const isPresent = (presence: Presence): boolean =>
      block === undefined ? presence.hasTable : presence.has(block);
    const before = this.#blob(sha256);
    if (isPresent(before.presence)) return;
    const empty = !hasFile(before);
    try {
      await this.#files.write(blobPath(sha256), empty, (file) => {
        const { presence, description, digests } = this.#blob(sha256);
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
          if (digest !== undefined) digests.set(block, digest);
          pending.blocks.push(block);
        }
      });
    } catch (error) {
      if (empty || !isCode(error, 'ENOENT')) throw error;
      // A file that holds present blocks was removed by somebody else, unless the blob was evicted meanwhile.
      if (hasFile(this.#blob(sha256))) this.#takeAwayBlob(sha256);
      await this.#write(sha256, offset, bytes, block, digest);
    }
  }

  /** Of the table (`block` undefined) or a block that is present. */
  async #readBlob(
    sha256: string,
    block: number | undefined,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    // Looked up again when the file is at hand: the blob may have been evicted meanwhile, and its file begun anew.
    const isPresent = (): boolean => {
      const presence = this.#state.blobs.get(sha256)?.presence;
      return (block === undefined ? presence?.hasTable : presence?.has(block)) ?? false;
    };
    const bytes = await this.#read(blobPath(sha256), offset, length, isPresent);
    if (bytes === undefined && isPresent()) this.#takeAwayBlob(sha256);
    return bytes;
  }

  /** Undefined: the file is missing or too short, or its bytes are not true any more. */
  async #read(
    path: string,
    offset: number,
    length: number,
    isTrue: () => boolean,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#files.read(path, (file) => {
        if (!isTrue()) return undefined;
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
    for (const [sha256, blob] of this.#state.blobs) {
      if (!blobFiles.has(sha256) && hasFile(blob)) this.#takeAwayBlob(sha256);
    }
    await this.#redoEvictions();
    const isNeeded = (sha256: string): boolean => {
      const blob = this.#state.blobs.get(sha256);
      return blob !== undefined && hasFile(blob);
    };
    const orphans = [
      ...[...imageFiles].filter((id) => id !== undefined && !this.hasImage(id)).map((id) => imagePath(id!)),
      ...[...blobFiles].filter((id) => id !== undefined && !isNeeded(id)).map((id) => blobPath(id!)),
    ];
    for (const path of orphans) await this.#files.remove(path);
  }

  /** What a crash had left of evictions, and of files that were being made. */
  async #redoEvictions(): Promise<void> {
    const blobs = new Set([...this.#state.evicting, ...this.#state.unowned()]);
    if (blobs.size === 0) return;
    try {
      this.#forgetBlobs(blobs);
      await this.#removeFiles([...blobs].map(blobPath));
    } catch (error) {
      // No room for a new generation: the journal stays true as it is, and the next mount tries again.
      if (!isCode(error, 'ENOSPC')) throw error;
    }
  }

  #takeAwayImage(id: string): void {
    this.#pendingImages.delete(id);
    this.#state.retain((kind, sha256) => kind !== 'image' || sha256 !== id);
    this.#files.close(imagePath(id));
    this.#tookAway = true;
  }

  /** The blob stays declared, with nothing in it. */
  #takeAwayBlob(sha256: string): void {
    this.#state.clear(sha256);
    this.#files.close(blobPath(sha256));
    const pending = this.#pending.get(sha256);
    if (pending !== undefined) {
      pending.table = false;
      pending.blocks.length = 0;
    }
    this.#tookAway = true;
  }

  #isPrivate(sha256: string): boolean {
    return this.#state.blobs.get(sha256)?.description.blockSize !== undefined;
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

function declaration(description: BlobDescription): JournalRecord {
  const { sha256, length, blockSize } = description;
  return blockSize === undefined
    ? { type: 'blob', ...description }
    : { type: 'local-blob', sha256, length, blockSize };
}

/** Whether anything of the blob is present, so that there must be a file. */
function hasFile({ presence, description }: StoredBlob): boolean {
  return presence.count > 0 || (presence.hasTable && description.blockSize === undefined);
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
