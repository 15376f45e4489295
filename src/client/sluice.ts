import type { LaunchMetrics } from '../protocol/launch-metrics.ts';
import type { MappingCounts, NewRelease, Progress, SluiceState } from '../protocol/state.ts';
import { Indicator } from './indicator.ts';
import type { Launch } from './launch.ts';
import { LiveImage } from './live-image.ts';
import type { LoaderProcess } from './loader-process.ts';
import { trackPerformance } from './performance-track.ts';
import { isPersisted, persist, persistAtGesture } from './persistence.ts';
import { offerReload } from './reload-offer.ts';
import { readSettings, writeSettings } from './settings.ts';

/** What an app's page asks of its service worker. */
export interface SluiceHost {
  /** Tells how long the page's reads may wait. */
  setReadTimeout(ms: number): void;
  /** undefined where none answers. */
  mappings(): Promise<MappingCounts | undefined>;
}

declare global {
  interface Window {
    /** In the pages of a launched app. */
    readonly sluice?: Sluice;
  }
}

/**
 * `window.sluice` in a launched app. Dispatches `progress` (a CustomEvent whose detail is a {@link Progress}), at most four times a
 * second and once at the end, and `release` (a {@link NewRelease}) when the server names another version, which the next navigation gets; again when this one
 * is gone from the server. Then the visitor is offered to reload, unless a listener calls `preventDefault`.
 */
export class Sluice extends LiveImage {
  readonly #scope: string;
  readonly #loader: LoaderProcess;
  readonly #launch: Launch;
  readonly #host: SluiceHost;
  #progress: Progress | undefined;
  #indicator: Indicator | undefined;
  #isWorthKeeping = false;
  /** undefined until the page or the visitor's kept choice has said so. */
  #showProgress: boolean | undefined;
  #performanceTrack: boolean | undefined;
  #tracking: AbortController | undefined;
  /** Who wants it besides. */
  readonly #trackers = new Set<AbortSignal>();

  /** Made by the client. */
  constructor(scope: string, loader: LoaderProcess, launch: Launch, host: SluiceHost) {
    super(loader);
    this.#scope = scope;
    this.#loader = loader;
    this.#launch = launch;
    this.#host = host;
    this.addEventListener('progress', (event) => {
      this.#progress = event.detail;
      this.#indicator?.update(this.#progress);
      // Not before: there would be little to keep, and a question that nobody understands.
      if (this.#progress.complete && !this.#isWorthKeeping) {
        this.#isWorthKeeping = true;
        void persistAtGesture(scope);
      }
    });
    void readSettings(scope).then((settings) => {
      if (this.#showProgress === undefined) this.#indicate(settings.showProgress);
      this.#performanceTrack ??= settings.performanceTrack;
      this.#track();
    });
  }

  override async state(): Promise<SluiceState> {
    const [state, mappings, persisted] = await Promise.all([
      super.state(),
      this.#host.mappings(),
      isPersisted(),
    ]);
    return { ...state, ...(mappings && { mappings }), ...(persisted !== undefined && { persisted }) };
  }

  /**
   * Asks the browser to keep this origin's storage until the visitor clears it; answers whether it will, as `state().persisted` does from then on. Firefox
   * asks the visitor. The client asks by itself, once a week at most, at the first gesture after the app is complete.
   */
  persist(): Promise<boolean> {
    return persist(this.#scope);
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

  /**
   * The app is ready for its visitor now, or when `when` resolves: say so before the page's load event, which counts otherwise. A promise that rejects says that
   * this launch is not to be measured.
   */
  ready(when: Promise<unknown> = Promise.resolve()): void {
    this.#launch.ready(when);
  }

  /**
   * Calls back once, at most, soon after the app was ready ({@link ready}), with what the launch was like: to be sent to where the app's own statistics go. The same
   * is the `detail` of a PerformanceMeasure named `sluice:launch`.
   */
  onLaunch(callback: (metrics: LaunchMetrics) => void): void {
    // Why there are none, it says by itself; what the callback throws is its own.
    this.#launch.metrics.then(
      (metrics) => callback(metrics),
      () => {},
    );
  }

  /**
   * Whether what the loader does is shown as a group of tracks in Chrome's Performance panel (PerformanceMeasures of reads, fetches, verifications and stalls,
   * whichever tab or worker they were in). Off by default. The choice is remembered on this site, so that a launch can be recorded from its begin.
   */
  get performanceTrack(): boolean {
    return this.#performanceTrack ?? false;
  }

  set performanceTrack(show: boolean) {
    this.#performanceTrack = show;
    this.#track();
    void writeSettings(this.#scope, { performanceTrack: show });
  }

  /** The same until `signal`, and not remembered: for an inspector that is open in this page. */
  trackPerformance(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#trackers.add(signal);
    signal.addEventListener('abort', () => {
      this.#trackers.delete(signal);
      this.#track();
    });
    this.#track();
  }

  /** For the client: the server names another release. */
  released(detail: NewRelease): void {
    const event = new CustomEvent('release', { detail, cancelable: detail.isGone });
    if (this.dispatchEvent(event) && detail.isGone) offerReload(document);
  }

  #track(): void {
    const show = this.performanceTrack || this.#trackers.size > 0;
    if (show === (this.#tracking !== undefined)) return;
    this.#tracking?.abort();
    this.#tracking = show ? new AbortController() : undefined;
    if (!this.#tracking) return;
    const loader = this.#loader;
    const { signal } = this.#tracking;
    void trackPerformance((cursor) => loader.call('inspect', (api) => api.inspect(cursor)), signal);
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
