import type { ReadLogEntry } from '../protocol/state.ts';

/** The latest reads, oldest first, never more than `capacity`: older ones fall out. */
export class ReadRing {
  readonly #capacity: number;
  readonly #entries: ReadLogEntry[] = [];
  /** Where the next entry goes once the ring is full: the oldest one's place. */
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(entry: ReadLogEntry): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  entries(): readonly ReadLogEntry[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }
}
