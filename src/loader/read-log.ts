import type { ReadLogEntry } from '../protocol/state.ts';

/** Numbers of one record: path, blob, block, atMs (see {@link earlyMs}), waitedMs, the error's code (0 = none), and how long decoding took (see {@link ReadRing}). */
const fields = 7;
/** Memory grows with what is logged, from so many records on. */
const firstRecords = 256;

/** So long before the log's begin may a read have been: a launch's are, where its loader comes late. What was longer ago counts as being of then. */
const earlyMs = 60 * 60 * 1000;

/** As the ring has it. */
export interface LoggedRead extends ReadLogEntry {
  /** How long it took to decode the block, where that was told. In milliseconds, exact to microseconds. */
  readonly decodeMs?: number;
}

/** Grows with each read that is logged. */
export type NumberedRead = LoggedRead & { readonly serial: number };

/**
 * The latest reads, oldest first, never more than `capacity`: older ones fall out. A record is 28 bytes, its path is kept once however
 * often it is read, so that logging is nearly free and can always be on. As Incremental FS logs reads, also those that timed out.
 */
export class ReadRing {
  #capacity: number;
  #records = new Uint32Array(0);
  /** Where the oldest record is, and how many there are. */
  #first = 0;
  #count = 0;
  /** Reads that were logged, also those that have fallen out. */
  #last = 0;
  readonly #paths = new Names();
  readonly #codes = new Names();

  /** `capacity` in records; 0 = nothing is logged. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The serial of the latest read; 0 = none yet. */
  get last(): number {
    return this.#last;
  }

  add(entry: LoggedRead): void {
    if (this.#capacity === 0) return;
    this.#last += 1;
    if (this.#count === this.#capacity) this.#drop();
    if (this.#count === this.#records.length / fields) this.#resize(Math.max(firstRecords, this.#count * 2));
    const { path, blob, block, atMs, waitedMs, failed, decodeMs } = entry;
    const code = failed === undefined ? 0 : this.#codes.take(failed) + 1;
    // In microseconds, and one more: 0 is for what nobody has told.
    const decoded = decodeMs === undefined ? 0 : Math.round(decodeMs * 1000) + 1;
    const at = Math.max(0, atMs + earlyMs);
    const record = [this.#paths.take(path), blob, block, at, waitedMs, code, decoded];
    this.#records.set(record, this.#at(this.#count));
    this.#count += 1;
  }

  /** Applies to what comes; of what is there, the latest that fit are kept. */
  resize(capacity: number): void {
    while (this.#count > capacity) this.#drop();
    this.#capacity = capacity;
    this.#resize(this.#count);
  }

  entries(): readonly ReadLogEntry[] {
    return this.after(0).map(({ serial: _, decodeMs: __, ...entry }) => entry);
  }

  /** Those with serials above `serial`. */
  after(serial: number): NumberedRead[] {
    const fallen = this.#last - this.#count;
    const skipped = Math.max(0, Math.min(serial - fallen, this.#count));
    return Array.from({ length: this.#count - skipped }, (_, i) => ({
      serial: fallen + skipped + i + 1,
      ...this.#entry(skipped + i),
    }));
  }

  #entry(i: number): LoggedRead {
    const first = this.#at(i);
    const [path, blob, block, at, waitedMs, code, decoded] = this.#records.subarray(first, first + fields);
    return {
      path: this.#paths.name(path!),
      blob: blob!,
      // -1 is a blob's table.
      block: block! | 0,
      atMs: at! - earlyMs,
      waitedMs: waitedMs!,
      ...(code === 0 ? {} : { failed: this.#codes.name(code! - 1) }),
      ...(decoded === 0 ? {} : { decodeMs: (decoded! - 1) / 1000 }),
    };
  }

  #drop(): void {
    const at = this.#at(0);
    this.#paths.drop(this.#records[at]!);
    const code = this.#records[at + 5]!;
    if (code > 0) this.#codes.drop(code - 1);
    this.#first = (this.#first + 1) % (this.#records.length / fields);
    this.#count -= 1;
  }

  /** Room for so many records (no more than the capacity), the oldest at the front. */
  #resize(room: number): void {
    const records = new Uint32Array(Math.min(room, this.#capacity) * fields);
    for (let i = 0; i < this.#count; i++) {
      const at = this.#at(i);
      records.set(this.#records.subarray(at, at + fields), i * fields);
    }
    this.#records = records;
    this.#first = 0;
  }

  #at(i: number): number {
    return ((this.#first + i) % (this.#records.length / fields)) * fields;
  }
}

/** Texts by number, each once, as long as somebody uses it. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];

  take(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) {
      this.#uses[known]! += 1;
      return known;
    }
    const id = this.#free.pop() ?? this.#names.length;
    this.#ids.set(name, id);
    this.#names[id] = name;
    this.#uses[id] = 1;
    return id;
  }

  name(id: number): string {
    return this.#names[id]!;
  }

  drop(id: number): void {
    this.#uses[id]! -= 1;
    if (this.#uses[id]! > 0) return;
    this.#ids.delete(this.#names[id]!);
    this.#names[id] = '';
    this.#free.push(id);
  }
}
