import { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import type { PrefetchPriority } from '../protocol/loader-api.ts';
import { noRetries, type RetryCounts } from '../source/retry-policy.ts';

export interface ReadRequest {
  /** SHA-256 of the blob, hex. */
  readonly blob: string;
  readonly block: number;
  /** What the reader asked for, for the eyes of people. */
  readonly path: string;
  /** How long this reader is ready to wait. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Default `demand`: a reader. The others are wanted ahead of their readers. */
  readonly urgency?: PrefetchPriority | undefined;
}

/** A block that somebody waits for. */
export interface PendingRead {
  /** Increases by one with each that a reader waits for; never used twice. 0: no reader has come yet. */
  readonly serial: number;
  readonly blob: string;
  /** -1 for the blob's table. */
  readonly block: number;
  /** Of the first reader. */
  readonly path: string;
  /** Clock time of the first reader. */
  readonly since: number;
  readonly waiters: number;
  /** Of the most urgent who waits. */
  readonly urgency: PrefetchPriority;
  /** Clock time until which somebody is still ready to wait. */
  readonly deadline: number;
  readonly retries: RetryCounts;
  /** Not to be asked for before this clock time. */
  notBefore: number;
}

interface Waiter<T> {
  readonly deadline: number;
  readonly urgency: PrefetchPriority;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

interface Entry<T> extends PendingRead {
  serial: number;
  path: string;
  since: number;
  readonly waiting: Set<Waiter<T>>;
}

/**
 * The reads that wait for a missing block: one entry a block, however many readers wait for it. Oldest first.
 * Every reader ends: with the value, a failure, its deadline (`read-timeout`), or its signal's reason. An entry lives exactly as
 * long as it has a reader.
 */
export class PendingReads<T> {
  readonly #clock: Clock;
  readonly #onAbandoned: (read: PendingRead) => void;
  readonly #entries = new Map<string, Entry<T>>();
  #nextSerial: number;

  /** `onAbandoned` is told of an entry whose last reader went away unserved. */
  constructor(clock: Clock, onAbandoned: (read: PendingRead) => void, firstSerial = 1) {
    this.#clock = clock;
    this.#onAbandoned = onAbandoned;
    this.#nextSerial = firstSerial;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The highest serial that was given. */
  get lastSerial(): number {
    return this.#nextSerial - 1;
  }

  /** What readers wait for, and not only a prefetch: oldest first. */
  *readers(): Generator<PendingRead> {
    for (const entry of this.#entries.values()) if (entry.urgency === 'demand') yield entry;
  }

  /** Oldest first. */
  all(): Iterable<PendingRead> {
    return this.#entries.values();
  }

  get(blob: string, block: number): PendingRead | undefined {
    return this.#entries.get(key(blob, block));
  }

  /** Waits for the block. A timeout of 0 fails at once: only what is here is wanted. */
  wait(request: ReadRequest): Promise<T> {
    const { signal, timeoutMs, urgency = 'demand' } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (timeoutMs <= 0) return Promise.reject(timedOut(request));
    return new Promise<T>((resolve, reject) => {
      const entry = this.#entryFor(request);
      const end = (): void => {
        entry.waiting.delete(waiter);
        stopTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter<T> = {
        deadline: this.#clock.now() + timeoutMs,
        urgency,
        resolve: (value) => {
          end();
          resolve(value);
        },
        reject: (reason) => {
          end();
          reject(reason);
        },
      };
      const leave = (reason: unknown): void => {
        waiter.reject(reason);
        if (entry.waiting.size > 0) return;
        this.#entries.delete(key(entry.blob, entry.block));
        this.#onAbandoned(entry);
      };
      const onAbort = (): void => leave(signal?.reason);
      const stopTimer = this.#clock.after(timeoutMs, () => leave(timedOut(request)));
      signal?.addEventListener('abort', onAbort, { once: true });
      entry.waiting.add(waiter);
    });
  }

  /** Serves everybody who waits for the block. Answers the entry, if there was one. */
  resolve(blob: string, block: number, value: T): PendingRead | undefined {
    return this.#end(blob, block, (waiter) => waiter.resolve(value));
  }

  /** Fails everybody who waits for the block; the next read begins anew. */
  reject(blob: string, block: number, reason: unknown): PendingRead | undefined {
    return this.#end(blob, block, (waiter) => waiter.reject(reason));
  }

  rejectAll(reason: unknown): void {
    for (const { blob, block } of [...this.#entries.values()]) this.reject(blob, block, reason);
  }

  #end(blob: string, block: number, act: (waiter: Waiter<T>) => void): PendingRead | undefined {
    const entry = this.#entries.get(key(blob, block));
    if (!entry) return undefined;
    this.#entries.delete(key(blob, block));
    for (const waiter of [...entry.waiting]) act(waiter);
    return entry;
  }

  #entryFor(request: ReadRequest): Entry<T> {
    const { blob, block, path, urgency = 'demand' } = request;
    const known = this.#entries.get(key(blob, block));
    if (known && (urgency !== 'demand' || known.urgency === 'demand')) return known;
    const entry = known ?? newEntry<T>(request, this.#clock.now());
    if (urgency === 'demand') {
      // The first reader: from now on somebody waits. Behind those that have waited longer.
      Object.assign(entry, { serial: this.#nextSerial++, path, since: this.#clock.now() });
      this.#entries.delete(key(blob, block));
    }
    this.#entries.set(key(blob, block), entry);
    return entry;
  }
}

function newEntry<T>({ blob, block, path }: ReadRequest, now: number): Entry<T> {
  const waiting = new Set<Waiter<T>>();
  return {
    serial: 0,
    blob,
    block,
    path,
    since: now,
    waiting,
    get waiters() {
      return waiting.size;
    },
    get deadline() {
      let latest = 0;
      for (const waiter of waiting) latest = Math.max(latest, waiter.deadline);
      return latest;
    },
    get urgency() {
      let most: PrefetchPriority = 'background';
      for (const { urgency } of waiting) {
        if (urgency === 'demand') return urgency;
        if (urgency === 'launch') most = urgency;
      }
      return most;
    },
    retries: noRetries(),
    notBefore: 0,
  };
}

function key(blob: string, block: number): string {
  return `${blob}/${block}`;
}

function timedOut({ path, block, timeoutMs }: ReadRequest): SluiceError {
  return new SluiceError('read-timeout', `${path}: block ${block} did not come within ${timeoutMs} ms`, {
    path,
  });
}
