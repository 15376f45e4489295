import type { Clock } from '../protocol/clock.ts';

/**
 * Something was written and is not journaled: so long at most, and so much at most. What is not journaled when the boot page goes is fetched
 * again by the app's page, at the time when it hurts most. A commit of 250 KB takes 2 ms in Chromium's OPFS on a virtual disk (9 in the worst tenth).
 */
const commitMs = 100;
const commitBytes = 4 * 1024 * 1024;

/**
 * When to commit: flushing is a full disk barrier on some platforms, so it is done rarely, but a crash must not cost much. One
 * commit at a time; what is written meanwhile goes into the next.
 */
export class CommitTimer {
  readonly #clock: Clock;
  readonly #commit: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #stop: (() => void) | undefined;
  #bytes = 0;
  #running: Promise<void> = Promise.resolve();

  /** `onFailure` is told of commits that nobody waits for. */
  constructor(clock: Clock, commit: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#commit = commit;
    this.#onFailure = onFailure;
  }

  /** So many bytes were written. */
  wrote(bytes: number): void {
    this.#bytes += bytes;
    const begin = (): void => void this.#begin().catch(this.#onFailure);
    if (this.#bytes >= commitBytes) begin();
    else this.#stop ??= this.#clock.after(commitMs, begin);
  }

  /** Resolves when everything written so far is committed. */
  flush(): Promise<void> {
    return this.#begin();
  }

  #begin(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    this.#bytes = 0;
    // One that failed must not take those after it along.
    this.#running = this.#running.catch(() => {}).then(() => this.#commit());
    return this.#running;
  }
}
