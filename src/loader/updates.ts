import type { Clock } from '../protocol/clock.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';
import { Throttle } from './throttle.ts';

export interface UpdatesOptions {
  readonly clock: Clock;
  /** What the server names now. */
  readonly fetchRelease: () => Promise<ReleaseRecord>;
  /** Stores what the next page needs of it first. */
  readonly prepare: (release: ReleaseRecord) => Promise<void>;
  /** `gone`: images that run, and that the server does not have any more. */
  readonly onRelease: (release: ReleaseRecord, gone: readonly string[]) => void;
  readonly report: (error: unknown) => void;
}

/** A tab that stays open for days hears of a new release. */
const lookEveryMs = 60 * 60 * 1000;
/** Requests that the server refuses come in crowds. */
const refusedEveryMs = 10_000;

/** Looks which release the server names: when an image is opened, every hour, and when the server refuses what one that runs needs. */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #refused = new Set<string>();
  readonly #throttle: Throttle;
  #stopTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.clock, refusedEveryMs, () => void this.#look(undefined));
  }

  /** A page has opened `image`: what is named besides that is news. */
  opened(image: string): void {
    void this.#look(image);
  }

  /** The next look is in an hour. */
  later(): void {
    this.#stopTimer?.();
    if (this.#closed) return;
    this.#stopTimer = this.#options.clock.after(lookEveryMs, () => void this.#look(undefined));
  }

  /** The server has refused a file that these images need. Where it names another release, that is why: then they are gone from it. */
  refused(images: readonly string[]): void {
    for (const image of images) this.#refused.add(image);
    if (!this.#closed) this.#throttle.request();
  }

  close(): void {
    this.#closed = true;
    this.#throttle.cancel();
    this.#stopTimer?.();
  }

  async #look(current: string | undefined): Promise<void> {
    const { fetchRelease, prepare, onRelease, report } = this.#options;
    this.later();
    try {
      const release = await fetchRelease();
      // It is still the one: what was refused was something else.
      this.#refused.delete(release.image);
      if (release.image === current) return;
      await prepare(release);
      // Also to the tabs that have come since it was refused.
      onRelease(release, [...this.#refused]);
    } catch (error) {
      // Offline, or a server that is being deployed to: the next look tells.
      if (!this.#closed) report(error);
    }
  }
}
