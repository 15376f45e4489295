import type { Clock } from '../protocol/clock.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';
import { fetchRelease } from '../source/fetch-release.ts';
import type { Bootstraps } from './bootstraps.ts';
import type { Engine } from './engine.ts';
import type { LocalImages } from './local-images.ts';
import { Throttle } from './throttle.ts';

export interface ReleasesOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly scope: string;
  readonly fetch: typeof fetch;
  /** Throws `offline` where the network is not to be used. */
  readonly checkOnline: () => void;
  readonly clock: Clock;
  readonly images: Pick<LocalImages, 'stored' | 'used'>;
  readonly bootstraps: Pick<Bootstraps, 'open'>;
  readonly engine: Pick<Engine, 'flush' | 'report'>;
  /** `gone`: images that run, and that the server does not have any more. */
  readonly onRelease: (release: ReleaseRecord, gone: readonly string[]) => void;
  /** Of the service: ends what is being fetched. */
  readonly signal: AbortSignal;
}

/** A tab that stays open for days hears of a new release. */
const lookEveryMs = 60 * 60 * 1000;
/** Requests that the server refuses come in crowds. */
const refusedEveryMs = 10_000;

/**
 * Which release the site names. It is looked at when an image is opened, every hour, and when the server refuses what one that runs needs; one that is news is
 * stored as far as the next launch needs it first, and told.
 */
export class Releases {
  readonly #options: ReleasesOptions;
  readonly #refused = new Set<string>();
  readonly #throttle: Throttle;
  #stopTimer: (() => void) | undefined;

  constructor(options: ReleasesOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.clock, refusedEveryMs, () => void this.#look(undefined));
  }

  /** What the server names now; where it cannot be asked, what was stored last: that is how an offline launch begins. */
  async current(): Promise<{ readonly image: string; readonly bytes?: number }> {
    const { images, engine } = this.#options;
    try {
      return await this.#fetch();
    } catch (error) {
      const stored = images.stored().at(-1);
      if (stored === undefined) throw error;
      engine.report(error);
      return { image: stored };
    }
  }

  /** A page has opened this image, which it knew by itself: what is named besides that is news. Undefined: it opened the {@link current} one. */
  opened(image: string | undefined): void {
    if (image) void this.#look(image);
    else this.#later();
  }

  /** The server has refused a file that these images need. Where it names another release, that is why: then they are gone from it. */
  refused(images: readonly string[]): void {
    for (const image of images) this.#refused.add(image);
    if (!this.#options.signal.aborted) this.#throttle.request();
  }

  close(): void {
    this.#throttle.cancel();
    this.#stopTimer?.();
  }

  async #look(current: string | undefined): Promise<void> {
    const { engine, onRelease, signal } = this.#options;
    this.#later();
    try {
      const release = await this.#fetch();
      // It is still the one: what was refused was something else.
      this.#refused.delete(release.image);
      if (release.image === current) return;
      await this.#prepare(release);
      // Also to the tabs that have come since it was refused.
      onRelease(release, [...this.#refused]);
    } catch (error) {
      // Offline, or a server that is being deployed to: the next look tells.
      if (!signal.aborted) engine.report(error);
    }
  }

  /** The next look is in an hour. */
  #later(): void {
    const { clock, signal } = this.#options;
    this.#stopTimer?.();
    if (!signal.aborted) this.#stopTimer = clock.after(lookEveryMs, () => void this.#look(undefined));
  }

  /** It is what the next tab uses. */
  async #prepare({ image, bytes }: ReleaseRecord): Promise<void> {
    const { bootstraps, images, engine } = this.#options;
    await bootstraps.open(image, bytes);
    images.used(image, Date.now());
    await engine.flush();
  }

  #fetch(): Promise<ReleaseRecord> {
    const { scope: base, fetch, checkOnline, signal } = this.#options;
    checkOnline();
    return fetchRelease({ base, fetch, signal });
  }
}
