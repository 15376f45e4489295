import { type Clock, systemClock } from '../src/protocol/clock.ts';
import { deferred } from '../src/protocol/deferred.ts';

/**
 * Chromium (156) ends what an event still does after five minutes: an answer that has not begun fails, and so does a body that is still coming when its event
 * was extended until then. So nobody is held for longer than this, and no event extended.
 */
export const eventMs = 4 * 60_000;
/** Then the next one is asked for: a worker without an event may be stopped at once. */
export const nextEventMs = 3 * 60_000;

/**
 * Keeps the service worker running until the bodies of its answers have come. Chromium does so by itself. Firefox (153) stops a worker that has had no event for half a
 * minute when the last one ends, whatever it is still sending, and what has come of that passes for all of it, with no error; so for what may outlast its event,
 * pages are asked for another one, again and again.
 */
export class LongAnswers {
  readonly #askPages: () => void;
  readonly #clock: Clock;
  /** Bodies whose event will soon be over, until the next one comes: what ends their event then. */
  readonly #uncovered = new Map<Promise<void>, () => void>();

  /** `askPages`: has each page make an event for {@link stayAwake}. */
  constructor(askPages: () => void, clock: Clock = systemClock) {
    this.#askPages = askPages;
    this.#clock = clock;
  }

  /** The body of an answer to this event comes until `finished`, which never rejects. */
  begin(event: Pick<ExtendableEvent, 'waitUntil'>, finished: Promise<void>): void {
    const { promise, resolve: release } = deferred();
    event.waitUntil(promise);
    let stopTimer = this.#clock.after(nextEventMs, () => {
      stopTimer = this.#clock.after(eventMs - nextEventMs, release);
      this.#uncovered.set(finished, end);
      this.#askPages();
    });
    const end = (): void => {
      stopTimer();
      release();
    };
    void finished.then(() => {
      this.#uncovered.delete(finished);
      end();
    });
  }

  /** A page has made this event for what is under way. */
  stayAwake(event: Pick<ExtendableEvent, 'waitUntil'>): void {
    for (const [finished, endBefore] of [...this.#uncovered]) {
      this.#uncovered.delete(finished);
      // The next event first: without one the worker may be stopped at once.
      this.begin(event, finished);
      endBefore();
    }
  }
}
