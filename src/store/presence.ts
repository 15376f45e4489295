import type { BlobRecord } from '../format/blob-record.ts';

/** How many bits of a byte are set. */
const bitCounts = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** What a reader may ask about one blob's bytes in the store. Blocks are counted from 0. */
export interface BlobPresence {
  readonly blockCount: number;
  /** How many blocks are present. */
  readonly count: number;
  readonly hasTable: boolean;
  /** Table and every block are present. */
  readonly complete: boolean;
  /** Complete, of exactly the published length, never written again. */
  readonly sealed: boolean;
  has(block: number): boolean;
  /** A bit a block, the lowest of the first byte first; undefined where all are present or none is (see `count`). Not to be written, and read at once. */
  readonly bits: Uint8Array | undefined;
}

/** Stored bytes of a blob that are here, its table among them; of some of its blocks as many as they have on average, and less than all. */
export function presentBytes(
  { length, tableLength, blockCount }: Pick<BlobRecord, 'length' | 'tableLength' | 'blockCount'>,
  { count, hasTable, complete }: Pick<BlobPresence, 'count' | 'hasTable' | 'complete'>,
): number {
  if (complete) return length;
  const share = blockCount === 0 ? 0 : count / blockCount;
  return (hasTable ? tableLength : 0) + Math.floor((length - tableLength) * share);
}

/**
 * Which parts of one blob are present: a bit a block, the table, and whether it is sealed.
 * Invariants: `count` is the number of bits set; sealed implies complete. The bits are allocated with the first block,
 * so that declaring a blob costs nothing whatever it claims to hold.
 */
export class Presence implements BlobPresence {
  readonly blockCount: number;
  /** A private blob has no table: it is always there. */
  readonly #tableless: boolean;
  #bits: Uint8Array | undefined;
  #count = 0;
  #hasTable = false;
  #sealed = false;

  constructor(blockCount: number, tableless = false) {
    this.blockCount = blockCount;
    this.#tableless = tableless;
  }

  get count(): number {
    return this.#count;
  }

  get hasTable(): boolean {
    return this.#hasTable || this.#tableless;
  }

  get complete(): boolean {
    return this.hasTable && this.#count === this.blockCount;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  get bits(): Uint8Array | undefined {
    return this.#bits;
  }

  has(block: number): boolean {
    if (this.#sealed) return block >= 0 && block < this.blockCount;
    return this.#bits !== undefined && ((this.#bits[block >> 3] ?? 0) & (1 << (block & 7))) !== 0;
  }

  addTable(): void {
    this.#hasTable = true;
  }

  /** `block < blockCount`. Adding one that is present changes nothing. */
  add(block: number): void {
    if (this.has(block)) return;
    this.#bits ??= new Uint8Array((this.blockCount + 7) >> 3);
    const byte = block >> 3;
    this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (block & 7));
    this.#count += 1;
  }

  /** The blocks `[first, first + count)`, all below `blockCount`. Eight at a time: a record may name millions. */
  addRun(first: number, count: number): void {
    const end = first + count;
    for (let block = first; block < end && this.#count < this.blockCount; ) {
      const byte = block >> 3;
      if (block % 8 !== 0 || end - block < 8 || this.#bits === undefined) {
        this.add(block);
        block += 1;
        continue;
      }
      this.#count += 8 - bitCounts[this.#bits[byte]!]!;
      this.#bits[byte] = 0xff;
      block += 8;
    }
  }

  /** Removing one that is not present changes nothing. What was sealed is not any more. */
  remove(block: number): void {
    if (!this.has(block)) return;
    this.#unseal();
    const byte = block >> 3;
    this.#bits![byte] = this.#bits![byte]! & ~(1 << (block & 7));
    this.#count -= 1;
  }

  removeTable(): void {
    this.#unseal();
    this.#hasTable = false;
  }

  /** Everything is present for good; the bits are not needed any more. */
  seal(): void {
    this.#hasTable = true;
    this.#count = this.blockCount;
    this.#sealed = true;
    this.#bits = undefined;
  }

  /** Nothing is present any more. */
  clear(): void {
    this.#bits = undefined;
    this.#count = 0;
    this.#hasTable = false;
    this.#sealed = false;
  }

  #unseal(): void {
    if (!this.#sealed) return;
    this.#sealed = false;
    this.#bits = new Uint8Array((this.blockCount + 7) >> 3).fill(0xff);
    const last = this.blockCount & 7;
    if (last > 0) this.#bits[this.blockCount >> 3] = (1 << last) - 1;
  }

  /** The present blocks as maximal runs, in order. */
  *runs(): Generator<{ first: number; count: number }> {
    for (let first = this.#next(0, true); first < this.blockCount; ) {
      const end = this.#next(first, false);
      yield { first, count: end - first };
      first = this.#next(end, true);
    }
  }

  /** The first block from `block` on that is present, or is not; `blockCount` where there is none. */
  #next(block: number, present: boolean): number {
    if (this.#sealed || this.#bits === undefined) return present === this.#sealed ? block : this.blockCount;
    const others = present ? 0 : 0xff;
    let at = block;
    while (at < this.blockCount && this.has(at) !== present) {
      at += 1;
      while (at % 8 === 0 && this.#bits[at >> 3] === others) at += 8;
    }
    return Math.min(at, this.blockCount);
  }
}
