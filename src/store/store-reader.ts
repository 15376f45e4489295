import { SluiceError } from '../format/errors.ts';
import type { Overlay } from '../overlay/overlay.ts';
import type { Snapshots } from './directory.ts';
import { checksumSize, decodeGeneration, headerLayout, replay } from './journal.ts';
import { fromPlatformError } from './platform-error.ts';
import type { BlobPresence } from './presence.ts';
import { imagePath, journalSlots } from './store-paths.ts';
import { StoreState } from './store-state.ts';

/** Snapshots of sealed files that are kept: each saves looking the file up. */
const maxSealedFiles = 256;
/**
 * How long a snapshot of a sealed file that could be read is taken to be readable, in ms. A visitor may clear the site's data at any time, and whoever
 * is handed a part of a file that is gone finds that out in the middle of its answer.
 */
const trustMs = 100;

/** Any later write makes a snapshot stale: one that fails is taken again, but a writer that never rests must not hold us. */
const maxAttempts = 5;
const maxDataAttempts = 2;

/** How browsers say that a snapshot's file was written, or is gone: Chromium, both, and Firefox of one that was removed. */
const staleNames: ReadonlySet<string> = new Set(['NotReadableError', 'NotFoundError', 'AbortError']);

interface SealedFile {
  readonly file: Blob;
  /** By performance.now(). */
  lookedAt: number;
  /** What was seen then. */
  readable: Promise<boolean>;
}

/** The slot that the reader follows, and how far it has read. */
interface Position {
  readonly path: string;
  readonly generation: number;
  /** Where the records that were read end. */
  readonly end: number;
}

/**
 * Reads a local store without opening its files, beside the writer that owns it: what the journal said at the last
 * {@link refresh} is present. Never says more than is true: within a generation the journal only adds, and bytes
 * are taken as present only if the generation is still the same after they were read (STORE.md).
 *
 * Wherever a method answers undefined, the bytes cannot be had here now: ask the loader or the network.
 */
export class StoreReader {
  readonly #directory: Snapshots;
  #state = new StoreState();
  #position: Position | undefined;
  #sequence = 0;
  #refreshing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  /** By path, least recently used first. Sealed files never change, and what comes after them has another path, so their snapshots never go stale. */
  readonly #sealedFiles = new Map<string, SealedFile>();

  private constructor(directory: Snapshots) {
    this.#directory = directory;
  }

  /** Where there is no store yet, the reader is empty until a later {@link refresh}. Throws as that does. */
  static async open(directory: Snapshots): Promise<StoreReader> {
    const reader = new StoreReader(directory);
    await reader.refresh();
    return reader;
  }

  /**
   * Reads what the journal has learned since. Cheap when nothing happened: one small read, and then only what was appended.
   * Begins after the call, whatever else is under way. Throws `store-too-new`, `unreadable`.
   */
  refresh(): Promise<void> {
    // One that has not begun yet serves all who ask meanwhile.
    this.#queued ??= this.#refreshing
      .catch(() => undefined) // Its own callers got the error.
      .then(() => {
        this.#queued = undefined;
        this.#refreshing = this.#catchUp();
        return this.#refreshing;
      });
    return this.#queued;
  }

  /** Another number whenever a refresh learned anything: what was looked up at the same one is as known now. */
  get sequence(): number {
    return this.#sequence;
  }

  /** What was changed in the image's tree at run time. Ask anew after each refresh: a new generation makes a new object. */
  overlay(image: string): Overlay {
    return this.#state.overlay(image);
  }

  /** SHA-256 (hex) of the bootstraps that are here. */
  images(): string[] {
    return [...this.#state.images.keys()];
  }

  /** When the image was used last, in Unix ms. */
  lastUsed(image: string): number | undefined {
    return this.#state.used.get(image);
  }

  /** What of a blob is here; undefined where nothing is. */
  presence(sha256: string): BlobPresence | undefined {
    return this.#state.blobs.get(sha256)?.presence;
  }

  has(sha256: string, block: number): boolean {
    return this.#state.blobs.get(sha256)?.presence.has(block) ?? false;
  }

  hasTable(sha256: string): boolean {
    return this.#state.blobs.get(sha256)?.presence.hasTable ?? false;
  }

  sealed(sha256: string): boolean {
    return this.#state.blobs.get(sha256)?.presence.sealed ?? false;
  }

  /** The bootstrap as published. Not verified here: opening the image does that. */
  async image(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = this.#state.images.get(id);
    if (length === undefined) return undefined;
    const path = imagePath(id);
    const file = await this.#directory.snapshot(path);
    // Its digest is its name: whether it is still what the journal says need not be asked.
    return file === undefined || file.size < length ? undefined : bytesOf(file.slice(0, length), path);
  }

  /**
   * Stored bytes `[start, end)` of a blob as a Blob to answer with: of a sealed one a part of its file (nothing is read here),
   * of another one a copy in memory, since its file is still written. Presence is by block: ask {@link has} before, in the
   * same tick.
   */
  async slice(sha256: string, start: number, end: number): Promise<Blob | undefined> {
    const blob = this.#state.blobs.get(sha256);
    if (blob?.presence.sealed) {
      const path = this.#state.pathOf(sha256);
      return (await this.#readableFile(path, blob.description.length))?.slice(start, end);
    }
    const bytes = await this.read(sha256, start, end);
    return bytes && new Blob([bytes]);
  }

  /** The same as bytes. */
  async read(sha256: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const blob = this.#state.blobs.get(sha256);
    if (blob === undefined) return undefined;
    const position = this.#position;
    const path = this.#state.pathOf(sha256);
    if (!blob.presence.sealed) return this.#readFresh(path, start, end, position);
    const sealed = await this.#sealedFile(path, blob.description.length);
    if (sealed === undefined) return undefined;
    const bytes = await bytesOf(sealed.file.slice(start, end), path);
    if (bytes !== undefined) return bytes;
    // Gone, or a snapshot that failed for once: another one tells, which, as of any file that may have been written, is believed at this position only.
    const fresh = await this.#readFresh(path, start, end, position);
    if (fresh === undefined) await this.#lost(path);
    else this.#sealedFiles.delete(path);
    return fresh;
  }

  /** One that is read by others, later: looked at before it is handed out. */
  async #readableFile(path: string, length: number): Promise<Blob | undefined> {
    const sealed = await this.#sealedFile(path, length);
    if (sealed === undefined) return undefined;
    const now = performance.now();
    if (now - sealed.lookedAt > trustMs) {
      sealed.lookedAt = now;
      sealed.readable = bytesOf(sealed.file.slice(0, 1), path).then((byte) => byte !== undefined);
    }
    if (await sealed.readable) return sealed.file;
    await this.#lost(path);
    return undefined;
  }

  /** Its file is not what was sealed: somebody else has removed it, and perhaps all the rest. */
  async #lost(path: string): Promise<void> {
    this.#sealedFiles.delete(path);
    await this.refresh();
  }

  async #sealedFile(path: string, length: number): Promise<SealedFile | undefined> {
    const known = this.#sealedFiles.get(path);
    this.#sealedFiles.delete(path);
    if (known !== undefined) {
      this.#sealedFiles.set(path, known);
      return known;
    }
    const file = await this.#directory.snapshot(path);
    if (file === undefined || file.size !== length) return undefined;
    for (const oldest of this.#sealedFiles.keys()) {
      if (this.#sealedFiles.size < maxSealedFiles) break;
      this.#sealedFiles.delete(oldest);
    }
    const sealed = { file, lookedAt: performance.now(), readable: Promise.resolve(true) };
    this.#sealedFiles.set(path, sealed);
    return sealed;
  }

  async #readFresh(
    path: string,
    start: number,
    end: number,
    position: Position | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (let attempt = 0; attempt < maxDataAttempts; attempt++) {
      const file = await this.#directory.snapshot(path);
      if (file === undefined || file.size < end) return undefined;
      const bytes = await bytesOf(file.slice(start, end), path);
      // Looked at last: not every browser's snapshot notices that its file was removed and begun again.
      if (bytes !== undefined) return (await this.#stillAt(position)) ? bytes : undefined;
    }
    return undefined;
  }

  /**
   * Whether what was known at `position` is still true of what was read, or the snapshot that was taken, before this call. A file is removed, or loses
   * blocks, only after a new generation says so; when there is one it is read, and the caller has to ask anew.
   */
  async #stillAt(position: Position | undefined): Promise<boolean> {
    for (let attempt = 0; position !== undefined && attempt < maxAttempts; attempt++) {
      const header = await this.#header(position.path);
      if (header === 'stale') continue;
      if (header?.generation === position.generation && this.#position?.generation === position.generation)
        return true;
      break;
    }
    await this.refresh();
    return false;
  }

  async #catchUp(): Promise<void> {
    let found: 'nothing' | 'stale' = 'nothing';
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const outcome = await this.#lookOnce();
      if (outcome === 'followed') return;
      // Stale: the writer was at it. Nothing: there is no store, or the slots changed roles between two looks.
      found = outcome;
    }
    if (found === 'stale')
      throw new SluiceError('unreadable', 'The journal changes faster than it can be read');
    this.#moveTo(undefined, new StoreState());
  }

  async #lookOnce(): Promise<'followed' | 'stale' | 'nothing'> {
    const position = this.#position;
    if (position !== undefined) {
      // As long as its slot is there, nothing was written that a later generation alone knows of.
      const header = await this.#header(position.path);
      if (header === 'stale') return 'stale';
      if (header?.generation === position.generation) {
        const outcome = await this.#follow(header);
        if (outcome !== 'torn') return outcome;
      }
    }
    const headers: Header[] = [];
    for (const header of await Promise.all(journalSlots.map((path) => this.#header(path)))) {
      if (header === 'stale') return 'stale';
      if (header !== undefined) headers.push(header);
    }
    headers.sort((a, b) => b.generation - a.generation);
    for (const header of headers) {
      const outcome = await this.#follow(header);
      if (outcome !== 'torn') return outcome;
    }
    return 'nothing';
  }

  /** `torn`: a compaction is under way (or died), the other slot is current. */
  async #follow({ path, generation, file }: Header): Promise<'followed' | 'stale' | 'torn'> {
    const position = this.#position;
    if (position?.path === path && position.generation === generation && position.end <= file.size) {
      if (position.end === file.size) return 'followed';
      const from = position.end - checksumSize;
      const tail = await bytesOf(file.slice(from), path);
      if (tail === undefined) return 'stale';
      const end = from + replay(tail, checksumSize, (record) => this.#state.apply(record));
      if (end > position.end) this.#sequence += 1;
      this.#position = { path, generation, end };
      return 'followed';
    }
    const slot = await bytesOf(file, path);
    if (slot === undefined) return 'stale';
    const state = new StoreState();
    const end = replay(slot, headerLayout.size, (record) => state.apply(record));
    if (!state.complete) return 'torn';
    this.#moveTo({ path, generation, end }, state);
    return 'followed';
  }

  /** Files of another generation may have been removed and begun again under the same name. */
  #moveTo(position: Position | undefined, state: StoreState): void {
    if (position !== undefined || this.#position !== undefined) this.#sequence += 1;
    this.#position = position;
    this.#state = state;
    this.#sealedFiles.clear();
  }

  /** Undefined: no slot of ours (none, empty, torn). */
  async #header(path: string): Promise<Header | 'stale' | undefined> {
    const file = await this.#directory.snapshot(path);
    if (file === undefined || file.size === 0) return undefined;
    const bytes = await bytesOf(file.slice(0, headerLayout.size), path);
    if (bytes === undefined) return 'stale';
    const generation = decodeGeneration(bytes);
    return generation === undefined ? undefined : { path, generation, file };
  }
}

interface Header {
  readonly path: string;
  readonly generation: number;
  /** The snapshot of the slot that has it. */
  readonly file: Blob;
}

/** The bytes of a snapshot; undefined where a later write or removal made it stale. */
async function bytesOf(snapshot: Blob, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await snapshot.arrayBuffer());
  } catch (error) {
    if (error instanceof Error && staleNames.has(error.name)) return undefined;
    throw fromPlatformError(error, path);
  }
}
