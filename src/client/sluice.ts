import type { Progress, ReadLog, SluiceState } from '../protocol/state.ts';
import { Indicator } from './indicator.ts';
import type { LoaderProcess } from './loader-process.ts';
import { readSettings, writeSettings } from './settings.ts';

/** A reader's deadline where the page sets no other. */
const defaultReadTimeoutMs = 30_000;

/**
 * `window.sluice` in a launched app. Dispatches `progress` (a CustomEvent whose detail is a {@link Progress}), at most four times a
 * second and once at the end.
 */
export class Sluice extends EventTarget {
  readonly #scope: string;
  readonly #loader: LoaderProcess;
  readonly #onReadTimeout: (ms: number) => void;
  #readTimeoutMs = defaultReadTimeoutMs;
  #progress: Progress | undefined;
  #indicator: Indicator | undefined;
  /** undefined until the page or the visitor's kept choice has said so. */
  #showProgress: boolean | undefined;

  /** Made by the client. `onReadTimeout` tells whoever waits for blocks. */
  constructor(scope: string, loader: LoaderProcess, onReadTimeout: (ms: number) => void) {
    super();
    this.#scope = scope;
    this.#loader = loader;
    this.#onReadTimeout = onReadTimeout;
    this.addEventListener('progress', (event) => {
      this.#progress = (event as CustomEvent<Progress>).detail;
      this.#indicator?.update(this.#progress);
    });
    void readSettings(scope).then((settings) => {
      if (this.#showProgress === undefined) this.#indicate(settings.showProgress);
    });
  }

  /** What is here, what is missing, who waits for what. */
  state(): Promise<SluiceState> {
    return this.#loader.call('state', (api) => api.state());
  }

  /** Resolves when every block of the image is stored: from then on the app needs no network. */
  whenComplete(): Promise<void> {
    return this.#loader.whenComplete();
  }

  /** The reads so far, oldest first: what `sluice build --trace` takes. */
  readLog(): Promise<ReadLog> {
    return this.#loader.call('readLog', (api) => api.readLog());
  }

  /** How long a read may wait for a missing block, in ms, before it is answered 504. Holds for reads that start later. */
  get readTimeoutMs(): number {
    return this.#readTimeoutMs;
  }

  set readTimeoutMs(ms: number) {
    if (!(ms > 0)) throw new RangeError(`readTimeoutMs must be a positive number of milliseconds, not ${ms}`);
    this.#readTimeoutMs = ms;
    this.#onReadTimeout(ms);
  }

  /** A small progress indicator in the corner of the page, off by default. The choice is remembered on this site. */
  get showProgress(): boolean {
    return this.#showProgress ?? false;
  }

  set showProgress(show: boolean) {
    this.#indicate(show);
    void writeSettings(this.#scope, { showProgress: show });
  }

  #indicate(show: boolean): void {
    this.#showProgress = show;
    this.#indicator?.remove();
    this.#indicator = undefined;
    if (!show || this.#progress?.complete) return;
    this.#indicator = new Indicator(document);
    if (this.#progress) this.#indicator.update(this.#progress);
  }
}
