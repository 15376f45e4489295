import { SluiceError } from '../format/errors.ts';
import type { BlockSource, Chunk, RangeRequest } from '../protocol/block-source.ts';
import { judgeAnswer } from './answer.ts';
import { OriginError } from './origin-error.ts';
import { StallDeadline } from './stall-deadline.ts';

export interface HttpSourceOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly base: string;
  readonly fetch: typeof fetch;
  /** An answer that brings no header or no further byte for so long is given up. Default 10 s. */
  readonly stallMs?: number;
}

/**
 * Published files over HTTP ranges, and whole files from hosts that do not answer ranges (or answer them wrongly: then a plain
 * GET is tried once, and if that is in order, remembered in {@link wholeFiles}).
 *
 * Every request (unless it says `cached`) is `no-store`: Chromium's HTTP cache serialises requests for one URL, and truncates ranges in memory. What was
 * fetched is stored by us. A TypeError of fetch is all that the platform tells about a network that is away: `offline`.
 */
export class HttpSource implements BlockSource {
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly #stallMs: number;
  #wholeFiles = false;
  /** A range was answered rightly. */
  #rangesWork = false;
  /** SHA-256 of the files of which the last range request got no answer. */
  readonly #failedRanges = new Set<string>();

  constructor(options: HttpSourceOptions) {
    this.#base = options.base;
    // Called without a receiver: browsers refuse `fetch` as a method of another object.
    const { fetch } = options;
    this.#fetch = (input, init) => fetch(input, init);
    this.#stallMs = options.stallMs ?? 10_000;
  }

  get wholeFiles(): boolean {
    return this.#wholeFiles;
  }

  async *fetch(request: RangeRequest): AsyncGenerator<Chunk, void> {
    const { file, start, end, signal } = request;
    signal.throwIfAborted();
    const exchange = new Exchange(new URL(`${file.sha256}.bin`, this.#base).href, this.#stallMs);
    const onAbort = (): void => exchange.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (!this.#wholeFiles && !(start === 0 && end === file.length)) {
        const partial = await this.#askRange(request, exchange);
        if (partial === undefined) {
          yield* this.#readWhole(request, exchange, undefined, true);
          return;
        }
        const answer = judgeAnswer(partial, request, Date.now());
        if (answer.kind === 'partial') {
          this.#rangesWork = true;
          return yield* this.#read(partial, request, exchange, start, end);
        }
        if (answer.kind === 'whole') {
          this.#rememberWhole();
          return yield* this.#read(partial, request, exchange, 0, file.length);
        }
        // Not cancelled through the exchange, which the second request still needs.
        partial.body?.cancel().catch(() => {}); // A body that is broken already need not be cancelled.
        yield* this.#readWhole(request, exchange, answer.reason, true);
        return;
      }
      yield* this.#readWhole(request, exchange, undefined, false);
    } finally {
      signal.removeEventListener('abort', onAbort);
      exchange.end(); // The consumer may stop early: that frees the connection.
    }
  }

  /**
   * The answer to a range request; undefined where the platform refuses it for the second time in a row. Chromium fails a gzipped 206 with the
   * TypeError of a network that is away, so only a plain GET can tell the two apart.
   */
  async #askRange(request: RangeRequest, exchange: Exchange): Promise<Response | undefined> {
    const { sha256 } = request.file;
    try {
      const range = `bytes=${request.start}-${request.end - 1}`;
      const response = await this.#ask(request, exchange, 'no-store', { range });
      this.#failedRanges.delete(sha256);
      return response;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'offline') throw error;
      if (this.#failedRanges.delete(sha256)) return undefined;
      this.#failedRanges.add(sha256);
      throw error;
    }
  }

  /**
   * A plain GET. `refused` is what was wrong with the answer to a range, if there was one; `remember`: when this is in order, ranges are not tried
   * again.
   */
  async *#readWhole(
    request: RangeRequest,
    exchange: Exchange,
    refused: OriginError | undefined,
    remember: boolean,
  ): AsyncGenerator<Chunk, void> {
    const response = await this.#askWhole(request, exchange);
    if (judgeAnswer(response, request, Date.now()).kind !== 'whole') {
      throw (
        refused ??
        new OriginError(`${request.file.sha256}.bin: status ${response.status} without a Range asked`)
      );
    }
    if (remember) this.#rememberWhole();
    yield* this.#read(response, request, exchange, 0, request.file.length);
  }

  /**
   * A cache keeps what a server once answered wrongly, perhaps for a year: what can be nothing of ours is asked for once more, past the cache, and what
   * comes takes its place there.
   */
  async #askWhole(request: RangeRequest, exchange: Exchange): Promise<Response> {
    if (!request.cached) return this.#ask(request, exchange, 'no-store');
    const response = await this.#ask(request, exchange, 'force-cache');
    try {
      judgeAnswer(response, request, Date.now());
      return response;
    } catch (error) {
      if (!(error instanceof OriginError) || error.retryable) throw error;
      response.body?.cancel().catch(() => {}); // A body that is broken already need not be cancelled.
      return this.#ask(request, exchange, 'reload');
    }
  }

  /** What ranges did for other files they may do again: then it is only this one that is taken whole. */
  #rememberWhole(): void {
    this.#wholeFiles ||= !this.#rangesWork;
  }

  #ask(
    { priority }: RangeRequest,
    exchange: Exchange,
    cache: RequestCache,
    headers?: Record<string, string>,
  ): Promise<Response> {
    const init: RequestInit = { cache, priority, signal: exchange.signal };
    if (headers) init.headers = headers;
    return exchange.wait(this.#fetch(exchange.url, init));
  }

  async *#read(
    response: Response,
    request: RangeRequest,
    exchange: Exchange,
    start: number,
    end: number,
  ): AsyncGenerator<Chunk, void> {
    const name = `${request.file.sha256}.bin`;
    const reader = response.body?.getReader();
    if (!reader) throw new OriginError(`${name}: an answer without a body`);
    let at = start;
    for (;;) {
      const { done, value } = await exchange.wait(reader.read());
      if (done) break;
      if (at + value.length > end) throw new OriginError(`${name}: more bytes than asked for`);
      if (value.length > 0) yield { offset: at, bytes: value };
      at += value.length;
    }
    if (at < end) {
      throw new OriginError(`${name}: ended at byte ${at}, ${end - at} too early`, { retryable: true });
    }
  }
}

/** The requests for one range, one after the other, and the waits for their answers. */
class Exchange {
  readonly url: string;
  readonly #abort = new AbortController();
  readonly #deadline: StallDeadline;

  constructor(url: string, stallMs: number) {
    this.url = url;
    const stalled = () => new SluiceError('read-timeout', `${url}: nothing came for ${stallMs} ms`);
    this.#deadline = new StallDeadline(this.#abort, stallMs, stalled);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Throws `offline` for what the platform throws, `read-timeout`, or the reason of an abort. */
  async wait<T>(work: Promise<T>): Promise<T> {
    try {
      return await this.#deadline.wait(work);
    } catch (error) {
      this.signal.throwIfAborted();
      throw new SluiceError('offline', `${this.url}: no connection, or it was cut`, { cause: error });
    }
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  end(): void {
    this.#deadline.end();
    this.#abort.abort();
  }
}
