import { type Remote, transfer } from 'comlink';
import { SluiceError } from '../format/errors.ts';
import { carrySluiceErrors } from '../protocol/comlink-errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import type { LoaderApi } from '../protocol/loader-api.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';
import type { Progress } from '../protocol/state.ts';
import { backOffMs } from './back-off.ts';
import { type LoaderEvents, LoaderLife, type LoaderRecipe } from './loader-life.ts';
import { pause } from './pause.ts';
import { untilAborted } from './until-aborted.ts';

carrySluiceErrors();

/** For calls that the loader answers from what it knows. */
const callDeadlineMs = 10_000;
/** So often a worker that owes an answer is asked whether it hears. */
const checkEveryMs = 5_000;
/** A life this long was no failed start, so the next one comes at once again. */
const healthyMs = 30_000;

export interface LoaderProcessEvents extends Partial<LoaderEvents> {
  /** A life begins, the first one or one after a death: service workers need a new port, and it is well to know them from the start. */
  readonly onBegin?: () => void;
}

/**
 * The page's loader worker, kept alive: one that dies, cannot start or does not hear any more is replaced, with back-off, until `close`.
 * A call that meets a death is asked again of the next life, within its deadline.
 */
export class LoaderProcess {
  readonly #recipe: LoaderRecipe;
  #events: LoaderProcessEvents;
  #progress: Progress | undefined;
  #release: ReleaseRecord | undefined;
  readonly #closed = new AbortController();
  readonly #complete = deferred<void>();
  /** The life that calls go to; rejects when its start failed. Always the newest one. */
  #current!: Promise<LoaderLife>;
  /** The newest life, whether or not it has started. */
  #newest!: LoaderLife;
  #failures = 0;
  /** No more lives. */
  #closing = false;

  constructor(recipe: LoaderRecipe, events: LoaderProcessEvents = {}) {
    this.#recipe = recipe;
    this.#events = events;
    this.#use(this.#launch());
  }

  /** Who hears from now on of what happens, and at once of what was told last: a boot page's loader becomes the app's. */
  tell(events: LoaderProcessEvents): void {
    this.#events = events;
    if (this.#progress) events.onProgress?.(this.#progress);
    if (this.#release) events.onRelease?.(this.#release);
  }

  /** SHA-256 of the mounted bootstrap. Rejects with the reason why the newest life could not start. */
  async started(): Promise<string> {
    return (await this.#whileOpen(this.#current)).image;
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
    const answer = this.#current.then((life) => life.whileAlive(invoke(life.api)));
    return this.#answer(name, answer, deadlineMs);
  }

  /** Gives the running life one end of a channel to a service worker. Not repeated: a new life needs a new port. */
  async connect(port: MessagePort): Promise<void> {
    const life = this.#newest;
    await withDeadline(
      'Connecting the loader',
      life.whileAlive(life.asked.then(() => life.api.connect(transfer(port, [port])))),
      callDeadlineMs,
    );
  }

  /** Every block is present. Outlives deaths and failed starts; rejects only with `closed`. */
  whenComplete(): Promise<void> {
    return this.#whileOpen(this.#complete.promise);
  }

  /** Resolves when it is closed or ended. */
  whenClosed(): Promise<void> {
    const { signal } = this.#closed;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  /** Ends the worker at once; what is outstanding rejects with `closed`. Idempotent. */
  end(): void {
    this.#closing = true;
    this.#closed.abort(closedError());
  }

  /** Lets the loader make durable what it has, and lets go of it. Rejects when that fails; the loader is ended all the same. */
  async close(): Promise<void> {
    this.#closing = true;
    try {
      const life = await withDeadline('close', this.#whileOpen(this.#current), callDeadlineMs);
      // It gives up its Web Lock on the way, which may be heard before its answer.
      await withDeadline('close', Promise.race([life.api.close(), life.over]), callDeadlineMs);
    } finally {
      this.end();
    }
  }

  /** While somebody waits, the worker is asked now and then whether it hears. */
  async #answer<T>(name: string, work: Promise<T>, deadlineMs: number): Promise<T> {
    const answer = this.#whileOpen(work);
    const watch = setInterval(
      () =>
        void this.#current.then(
          (life) => life.check(),
          () => {},
        ),
      checkEveryMs,
    );
    try {
      return await (deadlineMs === Number.POSITIVE_INFINITY
        ? answer
        : withDeadline(name, answer, deadlineMs));
    } finally {
      clearInterval(watch);
    }
  }

  async #ask<T>(invoke: (api: Remote<LoaderApi>) => Promise<T>): Promise<T> {
    for (;;) {
      const life = await this.#current;
      try {
        return await life.whileAlive(invoke(life.api));
      } catch (error) {
        // A death has put the next life into #current by now. Anything else is the call's own error.
        if (!life.ended) throw error;
        if (this.#closing) throw closedError();
      }
    }
  }

  async #launch(): Promise<LoaderLife> {
    const startedAt = performance.now();
    const life = new LoaderLife(this.#recipe, {
      onProgress: (progress) => {
        this.#progress = progress;
        this.#events.onProgress?.(progress);
      },
      onRelease: (release) => {
        this.#release = release;
        this.#events.onRelease?.(release);
      },
    });
    this.#newest = life;
    const onClose = (): void => life.end(this.#closed.signal.reason);
    this.#closed.signal.addEventListener('abort', onClose);
    void life.over.then(() => {
      this.#closed.signal.removeEventListener('abort', onClose);
      if (this.#closing) return;
      this.#failures = performance.now() - startedAt > healthyMs ? 0 : this.#failures + 1;
      this.#use(this.#relaunch(backOffMs(this.#failures)));
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

  async #relaunch(afterMs: number): Promise<LoaderLife> {
    await this.#whileOpen(pause(afterMs));
    return this.#launch();
  }

  #use(life: Promise<LoaderLife>): void {
    this.#current = life;
    life.catch(() => {}); // Whoever calls is told; a loader that nobody asks anything fails quietly and is tried again.
  }

  #whileOpen<T>(work: Promise<T>): Promise<T> {
    return untilAborted(work, this.#closed.signal);
  }
}

function closedError(): SluiceError {
  return new SluiceError('closed', 'The mount was closed');
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}
