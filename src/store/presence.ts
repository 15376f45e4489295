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
    let first = 0;
    while (first < this.blockCount) {
      if (!this.has(first)) {
        first += 1;
        continue;
      }
      let end = first + 1;
      while (end < this.blockCount && this.has(end)) end += 1;
      yield { first, count: end - first };
      first = end;
    }
  }
}
