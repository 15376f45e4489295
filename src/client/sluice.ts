import type { MappingCounts, Progress, SluiceState } from '../protocol/state.ts';
import { Indicator } from './indicator.ts';
import { LiveImage } from './live-image.ts';
import type { LoaderProcess } from './loader-process.ts';
import { readSettings, writeSettings } from './settings.ts';

/** What an app's page asks of its service worker. */
export interface SluiceHost {
  /** Tells how long the page's reads may wait. */
  setReadTimeout(ms: number): void;
  /** undefined where none answers. */
  mappings(): Promise<MappingCounts | undefined>;
}

/**
 * `window.sluice` in a launched app. Dispatches `progress` (a CustomEvent whose detail is a {@link Progress}), at most four times a
 * second and once at the end.
 */
export class Sluice extends LiveImage {
  readonly #scope: string;
  readonly #host: SluiceHost;
  #progress: Progress | undefined;
  #indicator: Indicator | undefined;
  /** undefined until the page or the visitor's kept choice has said so. */
  #showProgress: boolean | undefined;

  /** Made by the client. */
  constructor(scope: string, loader: LoaderProcess, host: SluiceHost) {
    super(loader);
    this.#scope = scope;
    this.#host = host;
    this.addEventListener('progress', (event) => {
      this.#progress = (event as CustomEvent<Progress>).detail;
      this.#indicator?.update(this.#progress);
    });
    void readSettings(scope).then((settings) => {
      if (this.#showProgress === undefined) this.#indicate(settings.showProgress);
    });
  }

  override async state(): Promise<SluiceState> {
    const [state, mappings] = await Promise.all([super.state(), this.#host.mappings()]);
    return mappings === undefined ? state : { ...state, mappings };
  }

  override get readTimeoutMs(): number {
    return super.readTimeoutMs;
  }

  /** A read that is late is answered 504. */
  override set readTimeoutMs(ms: number) {
    super.readTimeoutMs = ms;
    this.#host.setReadTimeout(ms);
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
