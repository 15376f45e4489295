import { proxy, type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { isCode, SluiceError } from '../format/errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import type { LoaderApi, LoaderOptions } from '../protocol/loader-api.ts';
import { loaderLockName, type ReleaseRecord } from '../protocol/messages.ts';
import { pageBeat, pageBeatMs, pageBeatsMs } from '../protocol/page-beat.ts';
import type { Progress } from '../protocol/state.ts';
import { pause } from './pause.ts';
import { scriptError } from './script-error.ts';
import { trusted } from './trusted-types.ts';
import { untilAborted } from './until-aborted.ts';

/** The loader has deadlines of its own for what it fetches at its start; this one is for a worker that says nothing at all. */
const startDeadlineMs = 60_000;
/**
 * A worker that lets two questions in a row wait so long is taken for one that hangs: a slow disk may hold it up for seconds, and the first may have waited
 * while all of the page was suspended.
 */
const pingDeadlineMs = 2_500;
/** So often it is asked: a call, which waits for 10 s, is still answered by the next life. */
const checkEveryMs = 1_000;

export interface LoaderEvents {
  readonly onProgress: (progress: Progress) => void;
  /** `sluice.json` names another image than the one that is running, which may be gone from the server. */
  readonly onRelease: (release: ReleaseRecord, isGone: boolean) => void;
}

/** How to make a loader worker and what to tell it; asked anew for every life. */
export interface LoaderRecipe {
  /** URL of the worker's script; same origin. */
  readonly script: string;
  readonly options: () => LoaderOptions | Promise<LoaderOptions>;
}

/**
 * One loader worker from its start to its end. `over` settles when it is gone, however it went: the script did not load, the start
 * failed, the Web Lock that the worker holds while it lives was released, it did not hear, or `end` was called.
 */
export class LoaderLife {
  /** Resolves when it was asked to start: what it is asked from then on, it hears after that. Rejects as {@link started}. */
  readonly asked: Promise<void>;
  /** Resolves when the image is mounted; rejects with the reason why it cannot be. */
  readonly started: Promise<void>;
  /** Resolves with the reason of the end; never rejects. */
  readonly over: Promise<SluiceError>;
  readonly #worker: Worker;
  readonly #api: Remote<LoaderApi>;
  readonly #end = new AbortController();
  #wasAsked = (): void => {};
  #image = '';

  constructor(recipe: LoaderRecipe, events: LoaderEvents) {
    this.#worker = new Worker(trusted('createScriptURL', recipe.script), { name: 'sluice loader' });
    this.#api = wrap<LoaderApi>(this.#worker);
    this.over = new Promise((resolve) => {
      this.#end.signal.addEventListener('abort', () => resolve(this.#end.signal.reason));
    });
    const beats = setInterval(() => {
      // Timers of a hidden page are late whatever it does, and nobody looks at what it could be disturbed in.
      if (!document.hidden) this.#worker.postMessage(pageBeat);
    }, pageBeatMs);
    const enough = setTimeout(clearInterval, pageBeatsMs, beats);
    void this.over.then(() => {
      clearInterval(beats);
      clearTimeout(enough);
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
    void this.#watchTurns();
  }

  /** Throws the reason of the end once it has ended. */
  get api(): Remote<LoaderApi> {
    this.#end.signal.throwIfAborted();
    return this.#api;
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

  /** Ends the worker. Idempotent. */
  end(reason: SluiceError): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(reason);
    // Comlink holds the worker, and whoever waits for its answers, until its proxy is let go of.
    this.#api[releaseProxy]();
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

  /** Ends the worker when it does not hear: an endless loop holds its locks, and dies by nobody's hand else. */
  async #watchTurns(): Promise<void> {
    // From its first word on: its script may take long to come.
    let hears = await this.#hears(Number.POSITIVE_INFINITY);
    while (hears) {
      await pause(checkEveryMs);
      hears = (await this.#hears(pingDeadlineMs)) || (await this.#hears(pingDeadlineMs));
    }
    this.end(new SluiceError('disconnected', 'The loader worker does not answer'));
  }

  async #hears(withinMs: number): Promise<boolean> {
    try {
      await withDeadline('The loader worker', this.whileAlive(this.api.ping()), withinMs);
      return true;
    } catch (error) {
      // Any answer will do, an error too: an older loader does not know the question.
      return !this.ended && !isCode(error, 'call-timeout');
    }
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
