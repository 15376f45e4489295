import { isCode, type SluiceError, toWireError } from '../format/errors.ts';
import type { InspectorHome } from '../inspector/home.ts';
import { openScopes } from '../inspector/service/scopes.ts';
import { type Clock, passed } from '../protocol/clock.ts';
import { deferred } from '../protocol/deferred.ts';

/** What the panel shows. */
export interface PanelView {
  /** The inspector, over this home; of one that was shown before nothing is left. */
  show(home: InspectorHome): void;
  /** A text instead. */
  tell(text: string): void;
  /** Nothing. */
  clear(): void;
  /** Somebody has asked for something that is still being done, an image saved for instance. */
  readonly isBusy: boolean;
}

/** As DevtoolsHome is. */
export interface PanelHome extends InspectorHome {
  isServed(): Promise<boolean>;
  close(): void;
}

export interface PanelLifeOptions {
  /** Opens a home in the page that is inspected now. `onEnd` is told why it ended, unless it was closed. */
  readonly open: (onEnd: (reason: SluiceError) => void) => Promise<PanelHome>;
  readonly view: PanelView;
  readonly clock: Clock;
}

export const noSluice =
  'This page is served by no Sluice, and no other tab of its origin is. Open an app that was published with `sluice build`, or reload it: it is seen here as soon as its loader works.';

export const noLoader =
  'Sluice serves this page. All that its launch needed was here, so its loader begins when the launch is over, and is seen here then.';

/** So long after a failure, or where nothing was found, it looks again. */
const againMs = 1000;
/** The page is left; the next one comes. Until it has come, DevTools cannot look into it either: only after a while is that worth a word. */
const leftMs = 100;
const comingMs = 2000;

/**
 * What a panel does from when it is shown until it is hidden: it has a home in each page that the tab comes to, one after the other, and shows the inspector
 * where there is something to inspect. A panel that is not shown does nothing in the page but finish what it was asked for.
 */
export class PanelLife {
  readonly #options: PanelLifeOptions;
  #isShown = false;
  #ended = new AbortController();
  /** While something is being finished that nobody sees: goes on as shown. */
  #finishing: (() => void) | undefined;

  constructor(options: PanelLifeOptions) {
    this.#options = options;
  }

  set isShown(isShown: boolean) {
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    if (!isShown) this.#hide();
    else if (this.#finishing) this.#finishing();
    else this.#begin();
  }

  /** The tab has gone to another page, or the same one again. What is shown stays until the new page is known. */
  navigated(): void {
    this.#begin();
  }

  #hide(): void {
    const { view, clock } = this.#options;
    this.#finishing = undefined;
    if (!view.isBusy) {
      this.#begin();
      view.clear();
      return;
    }
    const stop = clock.after(againMs, () => this.#hide());
    this.#finishing = () => {
      this.#finishing = undefined;
      stop();
    };
  }

  #begin(): void {
    this.#ended.abort();
    this.#ended = new AbortController();
    if (this.#isShown) void this.#inspect(this.#ended.signal);
  }

  async #inspect(signal: AbortSignal): Promise<void> {
    const { view, clock } = this.#options;
    let left = clock.now();
    while (!signal.aborted) {
      const reason = await this.#inspectOnce(signal);
      if (signal.aborted) return;
      const isLeft = isCode(reason, 'disconnected');
      if (isLeft) left = clock.now();
      const isComing = isLeft || (isCode(reason, 'EACCES') && clock.now() - left < comingMs);
      if (!isComing) view.tell(toWireError(reason).message);
      await passed(clock, isComing ? leftMs : againMs, signal);
    }
  }

  /** Why it could not, or why it has ended. */
  async #inspectOnce(signal: AbortSignal): Promise<unknown> {
    const { open, view, clock } = this.#options;
    let home: PanelHome | undefined;
    const { promise: ended, resolve: end } = deferred<unknown>();
    signal.addEventListener('abort', end);
    try {
      home = await open(end);
      for (;;) {
        const isSeen = !signal.aborted && (await openScopes(home)).length > 0;
        if (signal.aborted) return undefined;
        if (isSeen) break;
        const isServed = await home.isServed();
        if (signal.aborted) return undefined;
        view.tell(isServed ? noLoader : noSluice);
        await passed(clock, againMs, signal);
      }
      view.show(home);
      return await ended;
    } catch (error) {
      return error;
    } finally {
      signal.removeEventListener('abort', end);
      home?.close();
    }
  }
}
