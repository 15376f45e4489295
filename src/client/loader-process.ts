import { type Remote, transfer } from 'comlink';
import { SluiceError } from '../format/errors.ts';
import { carrySluiceErrors } from '../protocol/comlink-errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import { type Deferred, deferred } from '../protocol/deferred.ts';
import type { LoaderApi } from '../protocol/loader-api.ts';
import type { Progress } from '../protocol/state.ts';
import { relaunchMs } from './back-off.ts';
import { type LoaderEvents, LoaderLife, type LoaderRecipe } from './loader-life.ts';
import { pause } from './pause.ts';
import { untilAborted } from './until-aborted.ts';

carrySluiceErrors();

/** For calls that the loader answers from what it knows. */
const callDeadlineMs = 10_000;
/** A life this long was no failed start, so the next one comes at once again. */
const healthyMs = 30_000;

export interface LoaderProcessEvents extends Partial<LoaderEvents> {
  /** A life begins, the first one or one after a death: service workers need a new port, and it is well to know them from the start. */
  readonly onBegin?: () => void;
}

/**
 * The page's loader worker, from `begin`, or the first thing that it is asked, on. It is kept alive: one that dies, cannot start or does not hear any more
 * is replaced, with back-off, until `close`. A call that meets a death is asked again of the next life, within its deadline.
 */
export class LoaderProcess {
  readonly #recipe: LoaderRecipe;
  #events: LoaderProcessEvents;
  #progress: Progress | undefined;
  #release: Parameters<LoaderEvents['onRelease']> | undefined;
  readonly #closed = new AbortController();
  readonly #complete = deferred();
  /** The life that calls go to; rejects when its start failed. Always the newest one; undefined before the first. */
  #current: Promise<LoaderLife> | undefined;
  /** The newest life, whether or not it has started. */
  #newest: LoaderLife | undefined;
  #failures = 0;
  /** No more lives. */
  #closing = false;
  /** The page is frozen: the next life waits for it. */
  #asleep: Deferred<void> | undefined;

  constructor(recipe: LoaderRecipe, events: LoaderProcessEvents = {}) {
    this.#recipe = recipe;
    this.#events = events;
  }

  /** Whether it has begun. */
  get begun(): boolean {
    return this.#current !== undefined;
  }

  /** Starts the worker. Idempotent. */
  begin(): void {
    void this.#life();
  }

  /** Who hears from now on of what happens, and at once of what was told last: a boot page's loader becomes the app's. */
  tell(events: LoaderProcessEvents): void {
    this.#events = events;
    if (this.#progress) events.onProgress?.(this.#progress);
    if (this.#release) events.onRelease?.(...this.#release);
  }

  /** SHA-256 of the mounted bootstrap. Rejects with the reason why the newest life could not start. */
  async started(): Promise<string> {
    return (await this.#whileOpen(this.#life())).image;
  }

  /**
   * Calls the loader. `name` is for the error's message. `deadlineMs: Infinity` is for calls that wait by their nature
   * (`prefetch`); they still end with the loader's own errors and with `close`.
   */
  call<T>(
    name: string,
    invoke: (api: Remote<LoaderApi>) => Promise<T>,
    deadlineMs = callDeadlineMs,
  ): Promise<T> {
    return this.#answer(name, this.#ask(invoke), deadlineMs);
  }

  /** The same for what must not be done twice: where a death leaves open whether it was done, it rejects with `disconnected`. */
  callOnce<T>(
    name: string,
    invoke: (api: Remote<LoaderApi>) => Promise<T>,
    deadlineMs = callDeadlineMs,
  ): Promise<T> {
    const answer = this.#life().then((life) => life.whileAlive(invoke(life.api)));
    return this.#answer(name, answer, deadlineMs);
  }

  /** Gives the running life one end of a channel to a service worker. Not repeated: a new life needs a new port. */
  async connect(port: MessagePort): Promise<void> {
    this.begin();
    const life = this.#newest;
    if (!life) throw closedError();
    await withDeadline(
      'Connecting the loader',
      life.whileAlive(life.asked.then(() => life.api.connect(transfer(port, [port])))),
      callDeadlineMs,
    );
  }

  /** Every block is present. Outlives deaths and failed starts; rejects only with `closed`. */
  whenComplete(): Promise<void> {
    this.begin();
    return this.#whileOpen(this.#complete.promise);
  }

  /** Resolves when it is closed or ended. */
  whenClosed(): Promise<void> {
    const { signal } = this.#closed;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  /** Ends the worker at once, and starts none until {@link wake}: calls wait for that, and their deadlines. Idempotent. */
  sleep(): void {
    if (this.#asleep || this.#closing) return;
    this.#asleep = deferred();
    this.#newest?.end(new SluiceError('disconnected', 'The page is frozen'));
  }

  /** Goes on where {@link sleep} ended. Idempotent. */
  wake(): void {
    this.#asleep?.resolve();
    this.#asleep = undefined;
  }

  /** Ends the worker at once; what is outstanding rejects with `closed`. Idempotent. */
  end(): void {
    this.#closing = true;
    this.#closed.abort(closedError());
  }

  /** Lets the loader make durable what it has, and lets go of it. Rejects when that fails; the loader is ended all the same. One that has died has nothing any more. */
  async close(): Promise<void> {
    this.#closing = true;
    try {
      if (!this.#current || this.#newest?.ended) return;
      const life = await withDeadline('close', this.#whileOpen(this.#current), callDeadlineMs);
      // It gives up its Web Lock on the way, which may be heard before its answer.
      const closed = life.ended ? life.over : Promise.race([life.api.close(), life.over]);
      await withDeadline('close', closed, callDeadlineMs);
    } finally {
      this.end();
    }
  }

  #answer<T>(name: string, work: Promise<T>, deadlineMs: number): Promise<T> {
    const answer = this.#whileOpen(work);
    return deadlineMs === Number.POSITIVE_INFINITY ? answer : withDeadline(name, answer, deadlineMs);
  }

  async #ask<T>(invoke: (api: Remote<LoaderApi>) => Promise<T>): Promise<T> {
    for (;;) {
      const life = await this.#life();
      try {
        return await life.whileAlive(invoke(life.api));
      } catch (error) {
        // A death has put the next life into #current by now. Anything else is the call's own error.
        if (!life.ended) throw error;
        if (this.#closing) throw closedError();
      }
    }
  }

  #life(): Promise<LoaderLife> {
    if (this.#current) return this.#current;
    if (this.#closing) return this.#use(Promise.reject(closedError()));
    return this.#use(this.#asleep ? this.#relaunch(this.#asleep.promise) : this.#launch());
  }

  async #launch(): Promise<LoaderLife> {
    const startedAt = performance.now();
    const life = new LoaderLife(this.#recipe, {
      onProgress: (progress) => {
        this.#progress = progress;
        this.#events.onProgress?.(progress);
      },
      onRelease: (...release) => {
        this.#release = release;
        this.#events.onRelease?.(...release);
      },
    });
    this.#newest = life;
    const onClose = (): void => life.end(this.#closed.signal.reason);
    this.#closed.signal.addEventListener('abort', onClose);
    void life.over.then(({ code }) => {
      this.#closed.signal.removeEventListener('abort', onClose);
      if (this.#closing) return;
      if (this.#asleep) return this.#use(this.#relaunch(this.#asleep.promise));
      this.#failures = performance.now() - startedAt > healthyMs ? 0 : this.#failures + 1;
      this.#use(this.#relaunch(pause(relaunchMs(this.#failures, code))));
    });
    const begins = (): void => this.#events.onBegin?.();
    life.asked.then(begins, () => {}); // Why it could not, `started` tells.
    await life.started;
    life.whileAlive(life.api.whenComplete()).then(
      () => this.#complete.resolve(),
      (error) => {
        if (!life.ended) console.warn('sluice: the image does not complete:', error);
      },
    );
    return life;
  }

  async #relaunch(when: Promise<void>): Promise<LoaderLife> {
    await this.#whileOpen(when);
    // The page may have been frozen while it was pausing.
    while (this.#asleep) await this.#whileOpen(this.#asleep.promise);
    return this.#launch();
  }

  #use(life: Promise<LoaderLife>): Promise<LoaderLife> {
    this.#current = life;
    life.catch(() => {}); // Whoever calls is told; a loader that nobody asks anything fails quietly and is tried again.
    return life;
  }

  #whileOpen<T>(work: Promise<T>): Promise<T> {
    return untilAborted(work, this.#closed.signal);
  }
}

function closedError(): SluiceError {
  return new SluiceError('closed', 'The mount was closed');
}
