import type { SluiceError } from '../format/errors.ts';
import type { TreeChange } from '../overlay/change.ts';
import type { Overlay } from '../overlay/overlay.ts';
import { BlobFiles } from './blob-files.ts';
import type { Directory } from './directory.ts';
import { ImageFiles } from './image-files.ts';
import { ImageTrees } from './image-trees.ts';
import type { BlobDescription } from './journal.ts';
import { JournalWriter } from './journal-writer.ts';
import { Ledger, type StoreLimits } from './ledger.ts';
import type { BlobPresence } from './presence.ts';
import type { BlockRun } from './recent-writes.ts';
import { reconcile } from './reconcile.ts';
import { Removals } from './removals.ts';
import { type StoreFile, storeFiles } from './store-file.ts';
import { checkDigest } from './store-paths.ts';

const defaultLimits: StoreLimits = { maxOpenFiles: 24, minCompaction: 256 * 1024 };

/**
 * The writer of a local store: bootstraps as published, blobs with the published layout, and a journal of which parts of
 * them are true (STORE.md). There is one writer a store; the caller's Web Lock sees to it, an exclusive journal enforces it.
 *
 * Bytes are handed over verified. They are present, and readable here, as soon as a write resolves; they are durable, and
 * visible to a {@link StoreReader}, when the next {@link commit} has resolved.
 *
 * This is the public face. Behind it are the {@link Ledger} (what is true and durable, in which order), {@link ImageFiles} and
 * {@link BlobFiles} (bytes), {@link ImageTrees} (changes at run time) and {@link Removals} (what gives back its room, what must not); the
 * invariants are stated where they are kept.
 *
 * Every method may throw `ENOSPC` (the quota is exhausted: what is durable stays true, the store can go on being
 * read, and the same call may be tried again), `unreadable` (the platform failed) and `closed`. Whatever it was, when it came from flushing a file, what was
 * written to that one since the last commit is not present any more: see {@link takeLost}.
 */
export class BlockStore {
  /** What had been here could not be read back and was given up (`corrupt-store`); undefined when all was well. */
  readonly damage: SluiceError | undefined;
  readonly #ledger: Ledger;
  readonly #images: ImageFiles;
  readonly #blobs: BlobFiles;
  readonly #trees: ImageTrees;
  readonly #removals: Removals;

  private constructor(ledger: Ledger, removals: Removals, damage: SluiceError | undefined) {
    this.damage = damage;
    this.#ledger = ledger;
    this.#images = new ImageFiles(ledger);
    this.#blobs = new BlobFiles(ledger);
    this.#trees = new ImageTrees(ledger, this.#blobs);
    this.#removals = removals;
  }

  /**
   * Opens the store below `directory`, or begins one: replays the journal, and removes files that it does not know (a crash
   * came between file and record, or between a new generation and a removal), but for {@link strays}.
   * Throws `EBUSY` when another writer has it, `store-too-new` (nothing is touched then), `unreadable`, `ENOSPC`.
   */
  static async open(directory: Directory, limits: Partial<StoreLimits> = {}): Promise<BlockStore> {
    const { journal, state, damage } = await JournalWriter.open(directory);
    try {
      const ledger = new Ledger(directory, journal, state, { ...defaultLimits, ...limits });
      const removals = new Removals(ledger);
      await reconcile(ledger, removals, directory);
      return new BlockStore(ledger, removals, damage);
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  /** SHA-256 (hex) of the bootstraps that are here. */
  images(): string[] {
    return [...this.#ledger.state.images.keys()];
  }

  hasImage(id: string): boolean {
    return this.#images.has(id);
  }

  /** Keeps a bootstrap as published; `id` is its SHA-256. One that is here already is left as it is. */
  addImage(id: string, bytes: Uint8Array): Promise<void> {
    return this.#images.add(id, bytes);
  }

  /** The bootstrap as published, or undefined. Not verified again here: opening the image does that. */
  readImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#images.read(id);
  }

  /**
   * What is present of a blob; from here on it can be written. The answer stays current until the blob is removed (nothing is
   * present in it then). Throws `EINVAL` for a description that cannot be, or that contradicts the known one.
   *
   * With a `blockSize` it is the private blob of a file made at run time: {@link change} declares it by itself, and the next mount removes one that no
   * file has.
   */
  blob(description: BlobDescription): BlobPresence {
    return this.#blobs.declare(description);
  }

  /** Keeps the blob's table, verified, as published. One that is present already is left as it is. */
  writeTable(sha256: string, bytes: Uint8Array): Promise<void> {
    return this.#blobs.writeTable(sha256, bytes);
  }

  /** Keeps a stored block, verified, at its published `offset`. One that is present already is left as it is. */
  writeBlock(sha256: string, block: number, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#blobs.writeBlock(sha256, block, offset, bytes);
  }

  /**
   * Keeps a block of a private blob, with the SHA-256 (32 bytes) by which it is checked later. One that is present already is left as it is.
   * Throws `ERANGE` for a block that is none, `EINVAL` for too many or too few bytes.
   */
  writeLocalBlock(
    name: string,
    block: number,
    bytes: Uint8Array,
    digest: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    return this.#blobs.writeLocalBlock(name, block, bytes, digest);
  }

  /** SHA-256 of a present block of a private blob; undefined where it is not present. */
  localDigest(name: string, block: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#ledger.state.blobs.get(name)?.digests.get(block);
  }

  /** The blob's table as published, or undefined where it is not present. */
  readTable(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#blobs.readTable(sha256);
  }

  /**
   * The stored bytes `[offset, offset + length)` of a block, or undefined where it is not present. It also stops being
   * present, with all of its blob, when the file turns out to be missing or too short (somebody else removed it).
   */
  readBlock(
    sha256: string,
    block: number,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#blobs.readBlock(sha256, block, offset, length);
  }

  /** What is present of a blob; undefined for one that is not known (any more). */
  presence(sha256: string): BlobPresence | undefined {
    return this.#ledger.state.blobs.get(sha256)?.presence;
  }

  /**
   * SHA-256 of published blobs whose file was begun and not journaled, because the writer before was killed. Nothing of them is present; what they hold can be
   * looked at by {@link probe} once the blob is declared, and what is written again goes into the same file.
   */
  strays(): string[] {
    return [...this.#removals.strays.keys()];
  }

  /** Nobody looks into {@link strays} any more: the files of which nothing is present go. */
  removeStrays(): Promise<void> {
    return this.#removals.removeStrays();
  }

  /**
   * What lies in the blob's file at `[start, end)`, whatever is called present there: for who looks before he believes. Undefined where the file
   * is missing or too short; nothing is concluded from that here.
   */
  probe(sha256: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#blobs.probe(sha256, start, end);
  }

  /** The same of all of a bootstrap that is here. */
  probeImage(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#images.probe(id);
  }

  /**
   * Puts the published bytes in the place of a bootstrap that was found bad; on disk when it resolves. It is written over where it lies (of all that
   * is present, it alone): a bootstrap is verified whole whenever it is opened, so a crash in between leaves what was there before, one
   * that is not believed.
   */
  replaceImage(id: string, bytes: Uint8Array): Promise<void> {
    return this.#images.replace(id, bytes);
  }

  /**
   * Makes everything written so far durable and visible, and seals the blobs that are complete. One flush a file with writes and
   * one of the journal, whatever was written in between: call it rarely. Answers the SHA-256 of newly sealed blobs.
   */
  async commit(): Promise<{ readonly sealed: readonly string[] }> {
    this.#ledger.commit();
    return { sealed: this.#ledger.takeSealed() };
  }

  /**
   * The blocks (-1: the table) that were present and, because their file could not be flushed, are not any more, since this was asked last; by SHA-256 of the
   * blob. Such a flush makes some call throw. Bootstraps that were lost so are not here any more: see {@link hasImage}.
   */
  takeLost(): ReadonlyMap<string, readonly number[]> {
    return this.#ledger.takeLost();
  }

  /**
   * Removes the bootstraps of images, and when these were used. Their published blobs go by {@link evict}; what was changed in their trees stays, since nobody else
   * has it. Answers how many bytes were given back. Where it throws, nothing is removed: needs room for a new generation of the journal.
   */
  removeImages(ids: readonly string[]): Promise<number> {
    return this.#removals.removeImages(ids);
  }

  /** What was changed in the image's tree at run time: always the same object, changed by {@link change}. */
  overlay(image: string): Overlay {
    return this.#ledger.state.overlay(image);
  }

  /**
   * Changes the image's tree, one change after the other; durable when it resolves. With its last name a file's blob goes. `request` (64 hex
   * digits) is done then, in the same breath: see {@link isDone}. Throws `EINVAL` for a change that cannot be; the ones before it are made.
   */
  change(image: string, changes: readonly TreeChange[], request?: string): Promise<void> {
    return this.#trees.change(image, changes, request);
  }

  /** Whether the changes that were requested under this name were made, by whichever writer: one of the last, see {@link change}. */
  isDone(request: string): boolean {
    return this.#ledger.state.done.has(request);
  }

  /**
   * Blocks that were found bad (-1: the table) are not present any more, durably, before any of them can be written again. A sealed blob is
   * not sealed any more.
   */
  async dropBlocks(sha256: string, blocks: Iterable<number>): Promise<void> {
    this.#ledger.takeAwayBlocks(sha256, new Set(blocks));
    this.#ledger.commit();
  }

  /**
   * Removes published blobs and gives back their room; they are not known any more, see {@link blob}. Whether one is pinned, or in use, is for the
   * caller to know. Once it is durable that they go, they do, also over a crash. Needs no room: that is what it is for. Throws `EINVAL` for a private one: nobody else has it.
   */
  evict(blobs: readonly string[]): Promise<void> {
    return this.#removals.evict(blobs);
  }

  /** Removes a private blob that no file has yet, because making the file failed. Throws `EINVAL` for any other blob. */
  discard(name: string): Promise<void> {
    return this.#trees.discard(name);
  }

  /** Keeps blobs from being culled; durable when it resolves. */
  async pin(blobs: Iterable<string>): Promise<void> {
    this.#removals.pin(blobs, 1);
  }

  async unpin(blobs: Iterable<string>): Promise<void> {
    this.#removals.pin(blobs, 0);
  }

  pinned(sha256: string): boolean {
    return this.#ledger.state.pinned.has(sha256);
  }

  /** The image is used now, in ms since 1970; durable with the next commit. */
  used(image: string, atMs: number): void {
    checkDigest(image);
    this.#ledger.use(image, atMs);
  }

  /** When the image was used last, in ms since 1970; undefined where that is not known. */
  lastUsed(image: string): number | undefined {
    return this.#ledger.state.used.get(image);
  }

  /** The blobs that are known, published and private ones. */
  blobs(): { readonly description: BlobDescription; readonly presence: BlobPresence }[] {
    return [...this.#ledger.state.blobs.values()];
  }

  /** The files of the store of which something is true, in no order. */
  files(): StoreFile[] {
    return storeFiles(this.#ledger);
  }

  /** What sessions without an end (the device crashed, the tab was killed) had written, until {@link scrubbed}. By SHA-256 of the blob. */
  recent(): Map<string, readonly BlockRun[]> {
    return this.#ledger.recent();
  }

  /** What {@link recent} answers was checked; durable when it resolves. */
  async scrubbed(): Promise<void> {
    if (this.recent().size > 0) this.#ledger.record([{ type: 'scrubbed' }]);
  }

  /**
   * Commits, and ends the session as {@link close} does; what is written later begins a new one. For a writer that has nothing more to do for now and
   * may be killed without a word, as browsers do with workers: what it wrote was flushed long before.
   */
  async rest(): Promise<void> {
    this.#ledger.rest();
  }

  /** Commits and lets go of all files. They are let go of even when the commit fails. */
  async close(): Promise<void> {
    this.#ledger.close();
  }
}
