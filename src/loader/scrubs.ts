import type { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { ScrubReport } from '../protocol/loader-api.ts';
import type { BlockStore } from '../store/block-store.ts';
import type { Bootstraps } from './bootstraps.ts';
import type { Engine } from './engine.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import type { Polls } from './polls.ts';
import { Scrub } from './scrub.ts';
import { ScrubPace } from './scrub-pace.ts';

export interface ScrubsOptions {
  readonly store: BlockStore;
  readonly local: LocalBlocks;
  readonly engine: Engine;
  readonly bootstraps: Bootstraps;
  readonly clock: Clock;
  readonly polls: Polls;
}

/** The scrubs of one leader, one after the other. */
export class Scrubs {
  readonly #options: ScrubsOptions;
  readonly #closing = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #recent: Promise<unknown> | undefined;

  constructor(options: ScrubsOptions) {
    this.#options = options;
  }

  /** Checks all that is stored of an image, behind the scrubs that were asked for before. Rejects with the signal's reason, or `closed`. */
  scrub(mount: Mount, signal: AbortSignal): Promise<ScrubReport> {
    return this.#inTurn(async () => this.#begin([signal]).scrub.image(mount));
  }

  /** Once, when the first launch is over: what sessions without an end had written. Failures are reported: the next leader does it again. */
  checkRecent(): void {
    const { store, engine } = this.#options;
    if (this.#recent || store.recent().size === 0) return;
    const { scrub, pace } = this.#begin([]);
    this.#recent = pace
      .quiet()
      .then(() => this.#inTurn(() => scrub.recent()))
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) engine.report(error);
      });
  }

  /** Ends what is under way, and resolves when nothing uses the store any more. What was found bad by then is dropped. */
  async close(reason: SluiceError): Promise<void> {
    this.#closing.abort(reason);
    await Promise.all([this.#last, this.#recent]);
  }

  #begin(signals: readonly AbortSignal[]): { readonly scrub: Scrub; readonly pace: ScrubPace } {
    const pace = new ScrubPace({ ...this.#options, signals: [this.#closing.signal, ...signals] });
    return { pace, scrub: new Scrub({ ...this.#options, pace }) };
  }

  #inTurn(work: () => Promise<ScrubReport>): Promise<ScrubReport> {
    const result = this.#last.then(() => {
      this.#closing.signal.throwIfAborted();
      return work();
    });
    this.#last = result.catch(() => {}); // Whoever asked is told.
    return result;
  }
}
