import { codeOf } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { LoaderInfo } from '../protocol/state.ts';
import { BackOff } from './back-off.ts';
import { ErrorLog } from './inspection/error-log.ts';

const pauseFirstMs = 1000;
const pauseMaxMs = 30_000;
/** A server may ask for more patience, but not for hours. */
const pauseAskedMaxMs = 5 * 60_000;

/** The ladder of Incremental FS: a reader that has waited longer than this finds the loader blocked, or unhealthy. */
const blockedMs = 2000;
const unhealthyMs = 7000;

export function healthOf(oldestWaitMs: number): LoaderInfo['health'] {
  if (oldestWaitMs > unhealthyMs) return 'unhealthy';
  return oldestWaitMs > blockedMs ? 'blocked' : 'ok';
}

/** What went wrong, and how long background work therefore leaves the network alone. */
export class Health {
  readonly log = new ErrorLog();
  readonly #clock: Clock;
  readonly #pause: BackOff;
  #pausedUntil = 0;
  #offline = false;
  #retries = 0;
  #errors = 0;
  #lastError: LoaderInfo['lastError'];

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#pause = new BackOff({ firstMs: pauseFirstMs, maxMs: pauseMaxMs, random });
  }

  /** The network was away when it was last tried. */
  get offline(): boolean {
    return this.#offline;
  }

  get paused(): boolean {
    return this.#clock.now() < this.#pausedUntil;
  }

  counts(): Pick<LoaderInfo, 'retries' | 'errors' | 'lastError'> {
    return { retries: this.#retries, errors: this.#errors, lastError: this.#lastError };
  }

  report(error: unknown): void {
    this.#errors += 1;
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    this.#lastError = { code, message, at: Date.now() };
    this.log.add(this.#lastError);
  }

  retrying(): void {
    this.#retries += 1;
  }

  wentOffline(): void {
    this.#offline = true;
  }

  /** Background work failed. `askedMs`: what the server asked for. Answers for how many milliseconds it pauses. */
  pause(askedMs = 0): number {
    const ms = Math.max(this.#pause.next(), Math.min(askedMs, pauseAskedMaxMs));
    this.#pausedUntil = this.#clock.now() + ms;
    return ms;
  }

  /** Something came. Answers true when that ends a pause. */
  recovered(): boolean {
    this.#offline = false;
    if (this.#pause.failures === 0) return false;
    this.endPause();
    return true;
  }

  endPause(): void {
    this.#pause.reset();
    this.#pausedUntil = 0;
  }
}
