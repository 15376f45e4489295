import { SluiceError } from '../format/errors.ts';
import type { BlockFile, Directory } from './directory.ts';
import {
  checksumSize,
  decodeGeneration,
  encodeHeader,
  encodeRecords,
  headerLayout,
  type JournalRecord,
  replay,
} from './journal.ts';
import { journalSlots } from './store-paths.ts';
import { WriterState } from './writer-state.ts';

interface Slot {
  readonly file: BlockFile;
  readonly size: number;
  /** Undefined: empty, torn or damaged. */
  readonly generation: number | undefined;
  readonly state: WriterState;
  /** Where the good records end. */
  readonly end: number;
  /** The last checksum before `end`. */
  readonly tail: Uint8Array<ArrayBuffer>;
}

/**
 * The journal of one store, open for writing: two alternating slots (STORE.md). Holds both handles, so that everything
 * but opening is synchronous and nothing comes between a record and its flush.
 */
export class JournalWriter {
  /** In the order of {@link journalSlots}. */
  readonly #slots: readonly BlockFile[];
  #current: BlockFile;
  #other: BlockFile;
  /** The highest that a slot was ever given, or tried to. */
  #generation: number;
  #end: number;
  #tail: Uint8Array;
  /** What a snapshot took at the last rewrite, or would have taken at mount; header included. */
  #snapshotLength: number;
  /** The slot that is not current may hold something. Nothing is appended until it is empty: see {@link append}. */
  #otherInUse: boolean;

  private constructor(slots: readonly BlockFile[], current: Slot, other: Slot) {
    this.#slots = slots;
    this.#current = current.file;
    this.#other = other.file;
    this.#generation = current.generation ?? firstGeneration();
    this.#end = current.end;
    this.#tail = current.tail;
    this.#snapshotLength = headerLayout.size + encodeRecords(current.state.records(), encodeHeader(0)).length;
    this.#otherInUse = other.size > 0;
  }

  /**
   * Opens (or begins) the journal below `directory` and replays it. `damage` tells that something was there that could not
   * be read back, so that what it knew has to be fetched again.
   * Throws `store-too-new` (nothing is touched then), `EBUSY` when another writer has it, and what the platform says.
   */
  static async open(
    directory: Directory,
  ): Promise<{ journal: JournalWriter; state: WriterState; damage: SluiceError | undefined }> {
    const files: BlockFile[] = [];
    try {
      for (const path of journalSlots) files.push(await directory.open(path, { create: true }));
      const slots = files.map(readSlot).sort(byWorth);
      const [current, other] = slots as [Slot, Slot];
      const journal = new JournalWriter(files, current, other);
      const damaged = !current.state.complete && slots.some((slot) => slot.size > 0);
      if (!current.state.complete) {
        // Begins the store, or saves what a damaged slot still proves: every prefix of a journal is true.
        journal.rewrite(current.state.records());
        current.state.retain();
      } else if (current.size > current.end) {
        // Not needed for the truth of what is appended (the chain refuses leftovers), but for the size of the slot.
        current.file.truncate(current.end);
      }
      journal.emptyOther();
      const damage = damaged
        ? new SluiceError('corrupt-store', 'The journal of the local store has no whole snapshot')
        : undefined;
      return { journal, state: current.state, damage };
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
  }

  /** Bytes of the current slot. */
  get size(): number {
    return this.#end;
  }

  /** The slots' names and lengths. */
  files(): { readonly name: string; readonly length: number }[] {
    return journalSlots.map((name, i) => ({ name, length: this.#slots[i]!.size() }));
  }

  /** Another number after each {@link rewrite}, and a higher one. */
  get generation(): number {
    return this.#generation;
  }

  get snapshotLength(): number {
    return this.#snapshotLength;
  }

  /**
   * The records are durable when this returns. When it throws (`ENOSPC`, …) none of them counts: bytes that did reach the
   * disk are true all the same, since the data was flushed before, and the next append writes over them.
   */
  append(records: Iterable<JournalRecord>): void {
    this.emptyOther();
    const bytes = encodeRecords(records, this.#tail);
    if (bytes.length === 0) return;
    this.#current.write(bytes, this.#end);
    // Crash before this: a prefix of the records may be there, each of them true. After it: all of them.
    this.#current.flush();
    this.#end += bytes.length;
    this.#tail = bytes.slice(-checksumSize);
  }

  /**
   * Begins a new generation that holds exactly `records` (a snapshot, with its snapshot-end). When it throws, the old
   * generation goes on; when it returns, the new one does. The old slot is emptied later, see {@link emptyOther}.
   */
  rewrite(records: Iterable<JournalRecord>): void {
    this.emptyOther();
    // Counted even if this fails: a reader may have seen all of it, and must not take the next one for the same.
    this.#generation += 1;
    const header = encodeHeader(this.#generation);
    const body = encodeRecords(records, header);
    const bytes = new Uint8Array(header.length + body.length);
    bytes.set(header);
    bytes.set(body, header.length);
    this.#otherInUse = true;
    this.#other.write(bytes, 0);
    // Crash before this: the snapshot may lack its end, and the old slot is current. After it: the new one is.
    this.#other.flush();
    [this.#current, this.#other] = [this.#other, this.#current];
    this.#end = bytes.length;
    this.#tail = bytes.slice(-checksumSize);
    this.#snapshotLength = bytes.length;
  }

  /**
   * Empties the slot that is not current, before anything is appended and before any file is removed: a rewrite that failed
   * half-way may have left a complete snapshot of a higher generation there, which would win at the next mount over all
   * that is appended to this one; and an old generation may know blocks that were dropped since.
   */
  emptyOther(): void {
    if (!this.#otherInUse) return;
    this.#other.truncate(0);
    this.#other.flush();
    this.#otherInUse = false;
  }

  close(): void {
    this.#current.close();
    this.#other.close();
  }
}

/** Of a store that begins. Its readers may remember one of the same name that was cleared: they must not take this one for its next record. */
function firstGeneration(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
}

function readSlot(file: BlockFile): Slot {
  const size = file.size();
  const bytes = new Uint8Array(size);
  if (file.read(bytes, 0) < size) throw new SluiceError('unreadable', 'The journal could not be read whole');
  const generation = decodeGeneration(bytes);
  const state = new WriterState();
  const end =
    generation === undefined ? 0 : replay(bytes, headerLayout.size, (record) => state.apply(record));
  return { file, size, generation, state, end, tail: bytes.slice(Math.max(0, end - checksumSize), end) };
}

/** The slot to go on with first: complete before torn, younger before older. */
function byWorth(a: Slot, b: Slot): number {
  return Number(b.state.complete) - Number(a.state.complete) || (b.generation ?? 0) - (a.generation ?? 0);
}
