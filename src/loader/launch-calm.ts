/** What begins to be used is launching for so long at most. */
const launchMs = 30_000;
/** Longer than a page computes between two reads of its launch, mostly. */
const calmMs = 1000;

/**
 * When background work may go on beside a launch: while a page launches, only after nobody has waited for a block for a while. It is not the
 * link alone that it would take from the page: a globe whose launch is bound by two processors was ready after 10.0 s so, and after 11.3 s with
 * background work in between. Times are milliseconds of any clock.
 */
export class LaunchCalm {
  #launchEnd = 0;
  #lastRead = Number.NEGATIVE_INFINITY;

  /** Something is being launched. `reads`: its page is there and will read at once; a boot page has nobody yet who could be disturbed. */
  launches(now: number, reads: boolean): void {
    this.#launchEnd = now + launchMs;
    if (reads) this.#lastRead = now;
  }

  /** Somebody waits for a block. */
  reads(now: number): void {
    this.#lastRead = now;
  }

  /** How long background work has still to wait; 0 = it may go on. */
  waitMs(now: number): number {
    return Math.max(0, Math.min(this.#launchEnd, this.#lastRead + calmMs) - now);
  }
}
