export interface Spilled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where they belong in their blob. */
  readonly offset: number;
}

/** Byte arrays by key, together at most `limit` bytes; the one that was used longest ago falls out first. */
export class SpillCache {
  readonly #limit: number;
  readonly #entries = new Map<string, Spilled>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Sum of what is held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of what is held. */
  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.bytes;
  }

  set(key: string, bytes: Uint8Array<ArrayBuffer>, offset: number): void {
    this.drop(key);
    this.#entries.set(key, { bytes, offset });
    this.#bytes += bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.drop(oldest);
    }
  }

  /** What is held now. */
  entries(): [key: string, Spilled][] {
    return [...this.#entries];
  }

  /** Drops what is held under the keys that begin so. */
  dropAll(prefix: string): void {
    for (const key of [...this.#entries.keys()]) if (key.startsWith(prefix)) this.drop(key);
  }

  drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes.length ?? 0;
    this.#entries.delete(key);
  }
}
