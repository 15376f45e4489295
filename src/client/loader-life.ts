import { proxy, type Remote, transfer, wrap } from 'comlink';
import { SluiceError } from '../format/errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import type { LoaderApi, LoaderOptions } from '../protocol/loader-api.ts';
import { loaderLockName, type ReleaseRecord } from '../protocol/messages.ts';
import { pageBeat, pageBeatMs, pageBeatsMs } from '../protocol/page-beat.ts';
import type { Progress } from '../protocol/state.ts';
import { scriptError } from './script-error.ts';
import { untilAborted } from './until-aborted.ts';

/** The loader has deadlines of its own for what it fetches at its start; this one is for a worker that says nothing at all. */
const startDeadlineMs = 60_000;
/** A worker whose turn takes so long is taken for one that hangs. */
const pingDeadlineMs = 5_000;

export interface LoaderEvents {
  readonly onProgress: (progress: Progress) => void;
  /** `sluice.json` names another image than the one that is running. */
  readonly onRelease: (release: ReleaseRecord) => void;
}

/** How to make a loader worker and what to tell it; asked anew for every life. */
export interface LoaderRecipe {
  /** URL of the worker's script; same origin. */
  readonly script: string;
  readonly options: () => LoaderOptions | Promise<LoaderOptions>;
}

/**
 * One loader worker from its start to its end. `over` settles when it is gone, however it went: the script did not load, the start
 * failed, the Web Lock that the worker holds while it lives was released, it did not answer a `check`, or `end` was called.
 */
export class LoaderLife {
  readonly api: Remote<LoaderApi>;
  /** Resolves when it was asked to start: what it is asked from then on, it hears after that. Rejects as {@link started}. */
  readonly asked: Promise<void>;
  /** Resolves when the image is mounted; rejects with the reason why it cannot be. */
  readonly started: Promise<void>;
  /** Resolves with the reason of the end; never rejects. */
  readonly over: Promise<SluiceError>;
  readonly #worker: Worker;
  readonly #end = new AbortController();
  #wasAsked = (): void => {};
  #image = '';
  #checking = false;

  constructor(recipe: LoaderRecipe, events: LoaderEvents) {
    this.#worker = new Worker(recipe.script, { name: 'sluice loader' });
    this.api = wrap<LoaderApi>(this.#worker);
    const beats = setInterval(() => this.#worker.postMessage(pageBeat), pageBeatMs);
    setTimeout(clearInterval, pageBeatsMs, beats);
    this.over = new Promise((resolve) => {
      this.#end.signal.addEventListener('abort', () => resolve(this.#end.signal.reason));
    });
    this.asked = this.whileAlive(
      new Promise((resolve) => {
        this.#wasAsked = resolve;
      }),
    );
    this.asked.catch(() => {}); // Told by `started` as well.
    this.started = this.whileAlive(
      withDeadline('Starting the loader', this.#start(recipe, events), startDeadlineMs),
    );
    this.started.catch((reason) => this.end(reason));
  }

  /** SHA-256 of the mounted bootstrap, once started. */
  get image(): string {
    return this.#image;
  }

  get ended(): boolean {
    return this.#end.signal.aborted;
  }

  /** Settles as `work` does, or rejects with the reason of the end when that comes first: comlink alone would wait for ever. */
  whileAlive<T>(work: Promise<T>): Promise<T> {
    return untilAborted(work, this.#end.signal);
  }

  /** Ends the worker when it does not hear: an endless loop holds its lock, and dies by nobody's hand else. */
  async check(): Promise<void> {
    if (this.#checking || this.ended) return;
    this.#checking = true;
    try {
      await withDeadline('The loader worker', this.whileAlive(this.api.ping()), pingDeadlineMs);
    } catch (error) {
      // Any answer will do, an error too: an older loader does not know the question.
      if (error instanceof SluiceError && error.code === 'call-timeout') {
        this.end(new SluiceError('disconnected', 'The loader worker does not answer'));
      }
    } finally {
      this.#checking = false;
    }
  }

  /** Ends the worker. Idempotent. */
  end(reason: SluiceError): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(reason);
    this.#worker.terminate();
  }

  async #start(recipe: LoaderRecipe, events: LoaderEvents): Promise<void> {
    // An error before the first reply is a script that did not load or could not run; the browser gives it no words.
    const onError = (event: ErrorEvent): void => {
      event.preventDefault();
      const words = event.message ? `: ${event.message}` : '';
      const broken = new SluiceError('disconnected', `The loader's script did not start${words}`);
      void scriptError(recipe.script, broken).then((error) => this.end(error));
    };
    this.#worker.addEventListener('error', onError);
    const options = await recipe.options();
    const starting = this.api.start(
      options.source === undefined ? options : transfer(options, [options.source]),
    );
    this.#wasAsked();
    const { loader, image } = await starting;
    this.#worker.removeEventListener('error', onError);
    this.#image = image;
    this.#watchLock(loader);
    await Promise.all([
      this.api.watch(proxy(events.onProgress)),
      this.api.watchRelease(proxy(events.onRelease)),
    ]);
  }

  /** Without Web Locks a death is noticed by the deadlines only. */
  #watchLock(loader: string): void {
    navigator.locks
      ?.request(loaderLockName(loader), { mode: 'shared', signal: this.#end.signal }, () => {
        this.end(new SluiceError('disconnected', 'The loader worker ended'));
      })
      .catch((error) => {
        if (!this.#end.signal.aborted) console.warn('sluice: the loader is not watched:', error);
      });
  }
}
