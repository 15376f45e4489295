import { pageBeatMs, pageBeatsMs } from '../protocol/page-beat.ts';

/** What begins to be used is launching for so long at most: minutes, on a slow link. */
export const launchMs = 120_000;
/** Longer than a page computes between two reads of its launch, mostly. */
const calmMs = 1000;
/** A beat that is later than this tells of a long task. */
const lateMs = 100;

/**
 * When background work may go on beside a launch: while a page launches, only after nobody has read a block for a while, and the page has not computed
 * for as long. It is not the link alone that it would take from the page: a globe whose launch is bound by two processors was ready after 10.0 s so, and
 * after 11.3 s with background work in between. Times are milliseconds of any clock.
 */
export class LaunchCalm {
  #launchEnd = 0;
  /** When somebody read, or the page was found busy, for the last time. */
  #lastUse = Number.NEGATIVE_INFINITY;
  #firstBeat: number | undefined;
  #lastBeat = 0;

  /** Something is being launched. `reads`: its page is there and will read at once; a boot page has nobody yet who could be disturbed. */
  launches(now: number, reads: boolean): void {
    this.#launchEnd = now + launchMs;
    if (reads) this.#lastUse = now;
  }

  /** Somebody waits for a block, or has just been given one. */
  reads(now: number): void {
    this.#lastUse = now;
  }

  /** The page's main thread says that it runs. A page that never does is not asked. */
  pageBeats(now: number): void {
    if (this.#isSilent(now)) this.#lastUse = now;
    this.#firstBeat ??= now;
    this.#lastBeat = now;
  }

  /** How long background work has still to wait at least; 0 = it may go on. */
  waitMs(now: number): number {
    const since = this.#isSilent(now) ? now : this.#lastUse;
    return Math.max(0, Math.min(this.#launchEnd, since + calmMs) - now);
  }

  #isSilent(now: number): boolean {
    // It beats while it launches, and only then.
    const beats = this.#firstBeat !== undefined && now < this.#firstBeat + pageBeatsMs;
    return beats && now - this.#lastBeat > pageBeatMs + lateMs;
  }
}
