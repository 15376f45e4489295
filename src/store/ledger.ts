import { isCode, SluiceError } from '../format/errors.ts';
import type { Directory } from './directory.ts';
import { FilePool } from './file-pool.ts';
import type { BlobDescription, JournalRecord } from './journal.ts';
import type { JournalWriter } from './journal-writer.ts';
import { Pending } from './pending.ts';
import type { BlockRun } from './recent-writes.ts';
import { Session } from './session.ts';
import { blobPath, imagePath } from './store-paths.ts';
import type { Keep, StoredBlob } from './store-state.ts';
import { declaration, type WriterState } from './writer-state.ts';

/** What bounds a store's use of the platform. */
export interface StoreLimits {
  /** Open files besides the journal's two. */
  readonly maxOpenFiles: number;
  /** A journal of fewer bytes is not worth compacting. */
  readonly minCompaction: number;
}

/** A journal is compacted when it is this many times its snapshot. */
const compactionFactor = 4;

/**
 * What is true, what was written and is not durable yet, and the journal that makes it so: a store's transactions, and the order of flushes
 * that keeps a crash from inventing a block (STORE.md). The store's other parts move bytes and tell the ledger.
 *
 * Invariants: what the journal says was flushed before; {@link state} is what the journal says plus what is pending, less what was taken away.
 * Everything here is synchronous, so that nothing is written between the flush of the data and the records about it.
 */
export class Ledger {
  readonly files: FilePool;
  /** For the other parts to read. It is changed here alone. */
  readonly state: WriterState;
  readonly #journal: JournalWriter;
  readonly #session: Session;
  readonly #minCompaction: number;
  readonly #pending = new Pending();
  /** Blobs that may have become complete since the last commit. */
  readonly #sealable = new Set<string>();
  /** Sealed, and not told to who commits yet. */
  readonly #sealed: string[] = [];
  /** Blocks (-1: the table) that were lost before they were durable, by blob, and not told to who asks yet. */
  #lost = new Map<string, number[]>();
  /** The journal says more than is true: files were found missing. Nothing is written before a generation without them. */
  #tookAway = false;
  /** Compact when the journal is longer than this. */
  #compactionLimit: number;
  #closed = false;

  constructor(directory: Directory, journal: JournalWriter, state: WriterState, limits: StoreLimits) {
    this.files = new FilePool(directory, limits.maxOpenFiles, (path) => this.#lose(path));
    this.state = state;
    this.#journal = journal;
    this.#session = new Session(journal, state);
    this.#minCompaction = limits.minCompaction;
    this.#compactionLimit = this.#nextCompaction();
  }

  /** The blob, which the store must have been told of: `EINVAL`. */
  blob(sha256: string): StoredBlob {
    const blob = this.state.blobs.get(sha256);
    if (blob === undefined) throw new SluiceError('EINVAL', `The store was not told of blob ${sha256}`);
    return blob;
  }

  /** Where the blob's bytes are, or would be were it declared now. */
  pathOf(sha256: string): string {
    return this.state.blobs.has(sha256)
      ? this.state.pathOf(sha256)
      : blobPath(sha256, this.#journal.generation);
  }

  /** The journal's slots with their lengths. */
  journalFiles(): { readonly name: string; readonly length: number }[] {
    return this.#journal.files();
  }

  /** Which blocks earlier sessions left unchecked. By SHA-256 of the blob. */
  recent(): Map<string, readonly BlockRun[]> {
    return this.state.recent.unchecked(!this.#session.begun);
  }

  // What was written: true in the state at once, in the journal with the next commit.

  /** Answers false, and changes nothing, for a description that cannot be, or a blob that is known. */
  declare(description: BlobDescription): boolean {
    if (!this.state.apply(declaration({ description, incarnation: this.#journal.generation }))) return false;
    this.#pending.addBlob(description.sha256);
    this.#sealable.add(description.sha256);
    return true;
  }

  addImage(id: string, length: number): void {
    this.state.apply({ type: 'image', sha256: id, length });
    this.#pending.addImage(id);
  }

  addTable(sha256: string): void {
    this.blob(sha256).presence.addTable();
    this.#pending.addTable(sha256);
    this.#sealable.add(sha256);
  }

  /** `digest`: of a private blob's block. */
  addBlock(sha256: string, block: number, digest: Uint8Array<ArrayBuffer> | undefined): void {
    const { presence, digests } = this.blob(sha256);
    presence.add(block);
    if (digest !== undefined) digests.set(block, digest);
    this.#pending.addBlock(sha256, block);
    this.#sealable.add(sha256);
  }

  use(image: string, atMs: number): void {
    this.state.apply({ type: 'used', image, atMs });
    this.#pending.addUse(image);
  }

  /** The next commit looks whether these are complete. */
  mayBeComplete(blobs: Iterable<string>): void {
    for (const sha256 of blobs) this.#sealable.add(sha256);
  }

  // What is not true any more: believed by nobody here from now on, and gone from the journal before anything else is written.

  takeAwayImage(id: string): void {
    this.#pending.removeImage(id);
    this.state.retain((kind, sha256) => kind !== 'image' || sha256 !== id);
    this.files.close(imagePath(id));
    this.#tookAway = true;
  }

  /** If the blob is declared, it stays so, with nothing in it, and another file to come. */
  takeAwayBlob(sha256: string): void {
    const blob = this.state.blobs.get(sha256);
    this.files.close(this.state.pathOf(sha256));
    this.state.clear(sha256);
    // No file has the number of a generation to come.
    if (blob && blob.description.blockSize === undefined) blob.incarnation = this.#journal.generation + 1;
    this.#pending.drop(sha256, () => true);
    this.#tookAway = true;
  }

  /** Of one blob these blocks (-1: the table). It is not sealed any more. */
  takeAwayBlocks(sha256: string, blocks: ReadonlySet<number>): void {
    this.state.drop(sha256, blocks);
    this.#sealable.add(sha256);
    this.#pending.drop(sha256, (block) => blocks.has(block));
    this.#tookAway = true;
  }

  /** A blob with its declaration. The others are numbered anew. */
  takeAwayDeclared(sha256: string): void {
    this.#pending.removeBlob(sha256);
    this.#sealable.delete(sha256);
    this.state.retain((kind, other) => kind !== 'blob' || other !== sha256);
    this.#tookAway = true;
  }

  /** To be called before bytes are written: the journal must not say of them, from before, that they are there. */
  settle(): void {
    if (this.#tookAway) this.commit();
  }

  // What is durable when the call returns.

  /** Of everything that was written, or taken away; seals the blobs that are complete. */
  commit(): void {
    if (this.#closed) throw new SluiceError('closed', 'The store was closed');
    // Data first: a record never reaches the disk before the bytes that it speaks of. (1 in STORE.md) Where that fails, what was lost is not pending
    // any more (see #lose), and what was not is for the next commit.
    this.files.flush();
    if (this.#tookAway) {
      this.#session.noteWritten(this.#pending.records(this.state));
      this.#rewrite();
      this.#pending.clear();
      // Readers follow the old slot as long as it is there; only now they cannot believe in what will be written anew.
      this.#journal.emptyOther();
      this.#tookAway = false;
    }
    const complete = this.#completeBlobs();
    const records = [
      ...this.#pending.records(this.state),
      ...complete.map(({ id }) => ({ type: 'sealed', blob: id }) as const),
    ];
    // Crash before its flush: some or all of these blocks are lost. After it: all are here. Never more than were written.
    this.#session.append(records);
    this.#session.noteWritten(records);
    this.#pending.clear();
    this.#sealable.clear();
    for (const { presence, description } of complete) {
      presence.seal();
      this.files.close(this.state.pathOf(description.sha256));
      this.#sealed.push(description.sha256);
    }
    if (this.#journal.size > this.#compactionLimit) this.#compact();
  }

  /** What commits have sealed since this was asked last. */
  takeSealed(): string[] {
    return this.#sealed.splice(0);
  }

  /** The blocks (-1: the table) that were present and are not any more, since their file could not be flushed, since this was asked last. */
  takeLost(): ReadonlyMap<string, readonly number[]> {
    const lost = this.#lost;
    this.#lost = new Map();
    return lost;
  }

  /** Makes records true, and durable; behind everything that was written before, so that blobs have the numbers that the journal gives them. */
  record(records: readonly JournalRecord[]): void {
    this.commit();
    this.#session.append(records);
    for (const record of records) this.state.apply(record);
  }

  /** Begins a generation without what is not to be kept. Its files may be removed then. */
  forget(keep: Keep): void {
    // In one tick with what follows: a snapshot may only hold what was flushed.
    this.commit();
    this.#rewrite(keep);
    // The generation without them is durable, and the old one gone, before the first file is. (2 in STORE.md)
    this.#journal.emptyOther();
  }

  /** Commits, and ends the session. */
  rest(): void {
    this.commit();
    this.#session.end();
  }

  /** The same, and lets go of all files, also when that fails. */
  close(): void {
    if (this.#closed) return;
    try {
      this.rest();
    } finally {
      this.#closed = true;
      this.files.closeAll();
      this.#journal.close();
    }
  }

  /**
   * What was written to a file since its last flush is lost (8 in STORE.md). A new generation follows, since a record of it may have reached the disk: with a
   * commit that flushed a part of it, and whose own flush failed.
   */
  #lose(path: string): void {
    for (const id of this.#pending.images()) if (imagePath(id) === path) this.takeAwayImage(id);
    for (const sha256 of this.#pending.blobs()) {
      const blocks = this.#pending.written(sha256);
      if (blocks.length === 0 || this.state.pathOf(sha256) !== path) continue;
      this.takeAwayBlocks(sha256, new Set(blocks));
      this.#lost.set(sha256, [...(this.#lost.get(sha256) ?? []), ...blocks]);
    }
  }

  #completeBlobs(): StoredBlob[] {
    const complete: StoredBlob[] = [];
    for (const sha256 of this.#sealable) {
      const blob = this.state.blobs.get(sha256);
      if (blob?.presence.complete && !blob.presence.sealed) complete.push(blob);
    }
    return complete;
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
    this.#journal.rewrite(this.state.records(keep));
    this.state.retain(keep);
    this.#compactionLimit = this.#nextCompaction();
  }

  #nextCompaction(): number {
    return Math.max(this.#minCompaction, compactionFactor * this.#journal.snapshotLength);
  }
}
