import { Presence } from './presence.ts';

/** A run of blocks: `[first, first + count)`. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

/**
 * Which blocks were written in the session that is open, and in earlier ones that had no end (the device crashed) and that nobody checked since. By
 * SHA-256 of the blob.
 */
export class RecentWrites {
  #open = false;
  readonly #written = new Map<string, Presence>();
  readonly #unchecked = new Map<string, Presence>();

  /** What an open one before had written is left unchecked. */
  begin(): void {
    if (this.#open) {
      for (const [sha256, presence] of this.#written) merge(this.#unchecked, sha256, presence);
    }
    this.#written.clear();
    this.#open = true;
  }

  end(): void {
    this.#written.clear();
    this.#open = false;
  }

  /** Outside of a session nothing is noted: so a snapshot's own records are not. */
  note(sha256: string, blockCount: number, { first, count }: BlockRun): void {
    if (!this.#open) return;
    const presence = this.#written.get(sha256) ?? new Presence(blockCount);
    this.#written.set(sha256, presence);
    presence.addRun(first, count);
  }

  checked(): void {
    this.#unchecked.clear();
  }

  forget(sha256: string): void {
    this.#written.delete(sha256);
    this.#unchecked.delete(sha256);
  }

  forgetBlock(sha256: string, block: number): void {
    this.#written.get(sha256)?.remove(block);
    this.#unchecked.get(sha256)?.remove(block);
  }

  /** What is unchecked; with `openToo`, also what the open session wrote, which is then the one that had no end. */
  unchecked(openToo: boolean): Map<string, BlockRun[]> {
    const all = new Map<string, Presence>();
    for (const [sha256, presence] of this.#unchecked) merge(all, sha256, presence);
    if (openToo) for (const [sha256, presence] of this.#written) merge(all, sha256, presence);
    return new Map(
      [...all].filter(([, { count }]) => count > 0).map(([sha256, each]) => [sha256, [...each.runs()]]),
    );
  }

  /** The history that leads to this: begins, ends, and runs written in between. */
  *history(): Generator<'session-begin' | 'session-end' | ({ readonly sha256: string } & BlockRun)> {
    if (this.#unchecked.size > 0) {
      yield 'session-begin';
      yield* runs(this.#unchecked);
    }
    if (this.#unchecked.size > 0 || this.#open) yield 'session-begin';
    if (this.#open) yield* runs(this.#written);
    else if (this.#unchecked.size > 0) yield 'session-end';
  }
}

function merge(into: Map<string, Presence>, sha256: string, from: Presence): void {
  const target = into.get(sha256) ?? new Presence(from.blockCount);
  into.set(sha256, target);
  for (const { first, count } of from.runs()) target.addRun(first, count);
}

function* runs(of: ReadonlyMap<string, Presence>): Generator<{ readonly sha256: string } & BlockRun> {
  for (const [sha256, presence] of of) for (const run of presence.runs()) yield { sha256, ...run };
}
