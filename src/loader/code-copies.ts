import { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import { codeCacheName, isCopyOf } from '../protocol/code-copies.ts';
import { withDeadline } from '../protocol/deadline.ts';
import type { ServedRead } from '../protocol/messages.ts';
import { cullLimits, type Room } from './culling.ts';
import type { Mount } from './mount.ts';
import { isWhole } from './whole-file.ts';

/** What all copies of a scope have together at most. */
const maxBytes = 64 * 1024 * 1024;
/** And so many of them. */
const maxCopies = 256;
/** After the last read of a page, and between two looks whether it is calm. */
const calmMs = 2000;
const lookMs = 500;
/** For a question to Cache Storage, and for one copy. */
const cacheDeadlineMs = 5000;
const copyDeadlineMs = 60_000;

export interface CodeCopiesOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly scope: string;
  readonly caches: Pick<CacheStorage, 'open' | 'has' | 'delete'>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Nobody waits for the network, and no page is being launched. */
  readonly isQuiet: () => boolean;
  /** What somebody has mounted. */
  readonly mounts: () => Iterable<Mount>;
  readonly estimate: () => Promise<Room | undefined>;
  /** Something went wrong that a person may want to know of: answers come from blocks then. */
  readonly report: (error: unknown) => void;
}

/** A copy in Cache Storage. */
interface Copy {
  readonly url: string;
  readonly bytes: number;
}

/**
 * Keeps second copies of code files in Cache Storage: of those that pages have asked for to be compiled, when they are wholly here and the page is calm.
 * The service worker answers by them (sw/code-copies.ts), and Chromium keeps what it compiled beside them.
 *
 * A copy is made of the service worker's own answer, streamed into the cache: so it has the headers of an answer from blocks, and the URL without which
 * Chromium keeps no compiled code (a response that a script constructs has none). It is asked for with `only-if-cached`: where no service
 * worker controls this worker, there is no answer.
 *
 * Nothing depends on a copy: one that is missing, or not what the reader's image says, is passed over. So this may fail or be late at any time; what
 * has to be in time is giving copies up where their blocks are given up.
 */
export class CodeCopies {
  readonly #options: CodeCopiesOptions;
  readonly #name: string;
  readonly #scopePath: string;
  /** URLs that this leader has heard to be read as code, the latest last. */
  readonly #read = new Set<string>();
  /** Those of them that may have no good copy yet. */
  readonly #todo = new Set<string>();
  /** One thing after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #copying = new AbortController();
  #stopTimer: (() => void) | undefined;
  #lastRead = 0;
  #copies: readonly Copy[] = [];
  #closed = false;

  constructor(options: CodeCopiesOptions) {
    this.#options = options;
    this.#name = codeCacheName(options.scope);
    this.#scopePath = new URL(options.scope).pathname;
  }

  /** What there is, as far as was looked. */
  get info(): { readonly files: number; readonly bytes: number } {
    return { files: this.#copies.length, bytes: total(this.#copies) };
  }

  /** A service worker has told what was read. */
  served(reads: readonly Pick<ServedRead, 'code'>[]): void {
    this.#lastRead = this.#options.clock.now();
    for (const { code } of reads) {
      if (!code?.startsWith(this.#options.scope)) continue;
      this.#read.delete(code);
      this.#read.add(code);
      this.#todo.add(code);
      this.look();
    }
  }

  /** What is here, or wanted, may have changed: looks when the page is calm. */
  look(): void {
    if (!this.#closed) this.#stopTimer ??= this.#options.clock.after(lookMs, () => this.#tick());
  }

  /** Gives up the copies of what is not wholly here any more, and of what no mounted image has. Never rejects. */
  drop(): Promise<void> {
    this.#copying.abort();
    return this.#inTurn(() => this.#giveUp());
  }

  /** Gives up all copies. Never rejects. */
  clear(): Promise<void> {
    this.#copying.abort();
    return this.#inTurn(async () => {
      this.#copies = [];
      for (const url of this.#read) this.#todo.add(url);
      await this.#within(this.#options.caches.delete(this.#name));
    });
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<unknown> {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer?.();
    this.#copying.abort();
    await this.settled();
  }

  #tick(): void {
    this.#stopTimer = undefined;
    const { clock, isQuiet } = this.#options;
    if (clock.now() - this.#lastRead < calmMs || !isQuiet()) this.look();
    else void this.#inTurn(() => this.#run());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error: unknown) => {
      if (!this.#closed) this.#options.report(error);
    });
    this.#last = done;
    return done;
  }

  async #run(): Promise<void> {
    if (this.#closed) return;
    const copying = new AbortController();
    this.#copying = copying;
    await this.#giveUp();
    for (const url of [...this.#todo].reverse()) {
      if (copying.signal.aborted) return;
      const stop = this.#options.clock.after(copyDeadlineMs, () => copying.abort());
      try {
        await this.#copy(url, copying.signal);
      } catch (error) {
        this.#todo.add(url);
        if (!copying.signal.aborted) throw error;
      } finally {
        stop();
      }
    }
  }

  /** Makes a copy, if it can be made and is not there. */
  async #copy(url: string, signal: AbortSignal): Promise<void> {
    const { caches } = this.#options;
    const head = await this.#ask(url, 'HEAD', signal);
    // Cache Storage takes nothing that is different each time.
    if (!head || head.headers.get('Vary')?.includes('*')) {
      this.#todo.delete(url);
      return;
    }
    // It may come yet: then somebody makes us look again.
    if (!this.#isWhole(url, head.headers)) return;
    this.#todo.delete(url);
    const cache = await this.#within(caches.open(this.#name));
    if (isCopyOf(head.headers, await this.#within(cache.match(url, { ignoreVary: true })))) return;
    const bytes = Number(head.headers.get('Content-Length'));
    this.#copies = this.#copies.filter((copy) => copy.url !== url);
    if (!(await this.#makeRoom(cache, bytes))) return;
    const whole = await this.#ask(url, 'GET', signal);
    if (whole?.headers.get('ETag') !== head.headers.get('ETag')) return whole?.body?.cancel();
    await this.#within(cache.put(url, whole), copyDeadlineMs);
    await this.#checkLength(cache, url, bytes);
    // Blocks may have been given up while it came; whoever does that aborts, and then looks at what is there.
    this.#copies = [...this.#copies, { url, bytes }];
  }

  /**
   * A service worker that ends in the middle of its answer may leave a part of it that passes for all (see sw/long-answers.ts), and nobody would ever look at a
   * copy's bytes again. Throws `disconnected` then, and the copy is gone.
   */
  async #checkLength(cache: Cache, url: string, bytes: number): Promise<void> {
    const copy = await this.#within(cache.match(url, { ignoreVary: true }));
    const size = copy ? (await this.#within(copy.blob(), copyDeadlineMs)).size : 0;
    if (size === bytes) return;
    await this.#within(cache.delete(url, { ignoreVary: true }));
    throw new SluiceError(
      'disconnected',
      `The copy of ${url} has ${size} bytes of ${bytes}: it is made again`,
    );
  }

  /** The service worker's answer; undefined where none controls us, or it has none. */
  async #ask(url: string, method: string, signal: AbortSignal): Promise<Response | undefined> {
    try {
      const response = await this.#options.fetch(url, {
        method,
        cache: 'only-if-cached',
        mode: 'same-origin',
        signal,
      });
      return response.status === 200 ? response : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // Nobody has kept anything there: blocks answer as before.
    }
  }

  /** Looks at what is there, and keeps only what is good. */
  async #giveUp(): Promise<void> {
    const { caches } = this.#options;
    if (!(await this.#within(caches.has(this.#name)))) {
      this.#copies = [];
      return;
    }
    const cache = await this.#within(caches.open(this.#name));
    const copies: Copy[] = [];
    for (const { url } of await this.#within(cache.keys())) {
      const copy = await this.#within(cache.match(url, { ignoreVary: true }));
      if (copy && this.#isWhole(url, copy.headers))
        copies.push({ url, bytes: Number(copy.headers.get('Content-Length')) });
      else await this.#within(cache.delete(url, { ignoreVary: true }));
    }
    this.#copies = copies;
  }

  /** Within our own bound and the quota: what the latest launches have not read makes way. */
  async #makeRoom(cache: Cache, bytes: number): Promise<boolean> {
    const fits = (): boolean => total(this.#copies) + bytes <= maxBytes && this.#copies.length < maxCopies;
    for (const copy of this.#copies) {
      if (fits() || bytes > maxBytes) break;
      if (this.#read.has(copy.url)) continue;
      await this.#within(cache.delete(copy.url, { ignoreVary: true }));
      this.#copies = this.#copies.filter((other) => other !== copy);
    }
    if (!fits()) return false;
    const room = await this.#within(this.#options.estimate());
    return !room || room.quota - room.usage - bytes > cullLimits.run * room.quota;
  }

  /** Whether some mounted image has a file with this tag there, and all of its blocks are here. */
  #isWhole(url: string, headers: Headers): boolean {
    const tag = headers.get('ETag')?.slice(1, -1) ?? '';
    const path = this.#pathOf(url);
    if (path === undefined) return false;
    return [...this.#options.mounts()].some((mount) => isWhole(mount, path, tag));
  }

  #pathOf(url: string): string | undefined {
    try {
      return decodeURIComponent(new URL(url).pathname.slice(this.#scopePath.length));
    } catch {
      return undefined; // No file of ours has such an address.
    }
  }

  #within<T>(work: Promise<T>, ms = cacheDeadlineMs): Promise<T> {
    return withDeadline('Cache Storage', work, ms, this.#options.clock);
  }
}

function total(copies: readonly Copy[]): number {
  return copies.reduce((sum, { bytes }) => sum + bytes, 0);
}
