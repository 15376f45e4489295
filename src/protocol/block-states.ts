import { SluiceError } from '../format/errors.ts';

/** What the loader knows of a block, for the eyes of people: one number a block, in the order of worth. */
export const blockState = {
  /** Not here, and not asked for. */
  missing: 0,
  /** A request is bringing it. */
  inFlight: 1,
  /** Somebody waits for it. */
  pending: 2,
  /** It was found bad, or could not be read back, and has not come again. */
  damaged: 3,
  /** Here, for as long as this loader lives: the store did not take it. */
  inMemory: 4,
  /** In the store. */
  present: 5,
  /** In the store, in a blob that is whole and will not change. */
  sealed: 6,
} as const;

/** Added to a state: its blob is kept from being culled. */
export const pinnedFlag = 8;

const stateBits = 4;
const maxRun = 2 ** (32 - stateBits) - 1;

/** The states of many blocks as runs of equal ones, each in one number: the length above, the state (with {@link pinnedFlag}) in the low four bits. */
export class BlockRunsWriter {
  #runs = new Uint32Array(64);
  #count = 0;
  #state = -1;
  #length = 0;

  /** `count` more blocks of this state. */
  add(state: number, count: number): void {
    if (count === 0) return;
    if (state === this.#state) this.#length += count;
    else {
      this.#flush();
      this.#state = state;
      this.#length = count;
    }
  }

  /** All that was added, in order. */
  runs(): Uint32Array<ArrayBuffer> {
    this.#flush();
    this.#length = 0;
    this.#state = -1;
    return this.#runs.slice(0, this.#count);
  }

  #flush(): void {
    for (let left = this.#length; left > 0; ) {
      const length = Math.min(left, maxRun);
      if (this.#count === this.#runs.length) {
        const longer = new Uint32Array(this.#runs.length * 2);
        longer.set(this.#runs);
        this.#runs = longer;
      }
      this.#runs[this.#count++] = length * 2 ** stateBits + this.#state;
      left -= length;
    }
  }
}

/** Writes the states of `runs` into `states`, one byte a block. Throws `EINVAL` where they are not of exactly so many blocks. */
export function readBlockRuns(runs: Uint32Array, states: Uint8Array): void {
  let at = 0;
  for (const run of runs) {
    const end = at + (run >>> stateBits);
    if (end > states.length) break;
    states.fill(run & (2 ** stateBits - 1), at, end);
    at = end;
  }
  if (at !== states.length)
    throw new SluiceError('EINVAL', `The states of ${at} blocks, not of ${states.length}`);
}
