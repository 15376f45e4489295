import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { parseRange } from './byte-range.ts';
import type { Fault } from './fault.ts';
import { listenOn, listenOnFreePort } from './free-port.ts';
import { isCompressible, lookup, readRange, type StaticFile } from './static-file.ts';

/** What a fault hook is asked about. */
export interface OriginRequest {
  readonly method: string;
  /** The path as it was sent: percent-encoded, without the query. */
  readonly path: string;
  /** With the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly range: string | undefined;
  /** How many requests for this path came before this one since the last `reset()`. */
  readonly earlier: number;
}

/** One request, in the order of arrival. Times are `performance.now()` milliseconds. */
export interface LoggedRequest extends OriginRequest {
  /** 0 until headers are sent (and for ever when none are). */
  readonly status: number;
  /** Body bytes handed to the network, after compression. */
  readonly bodyBytes: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** The connection closed before the answer was complete. */
  readonly aborted: boolean;
}

/** Which logged requests: a pattern for the path, or a predicate. */
export type RequestFilter = RegExp | ((request: LoggedRequest) => boolean);

export interface OriginOptions {
  /** Directories by URL prefix, each prefix beginning and ending with a slash. The longest match wins. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Compress text-like types and wasm on the fly at level 6; such answers ignore Range, as nginx's do. */
  readonly gzip?: boolean;
  /** False: every Range is answered with 200 and the whole file, as `python -m http.server` does. */
  readonly ranges?: boolean;
  /** False: no ETag and no Last-Modified. */
  readonly validators?: boolean;
  /** More headers by path (Cache-Control, CORS, …), for whatever status. They win over the server's own. */
  readonly headers?: (path: string) => Readonly<Record<string, string>>;
  /** Answers made by hand for exact paths (any method): an app's API. */
  readonly routes?: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => void>>;
  readonly fault?: FaultHook;
}

export type FaultHook = (request: OriginRequest) => Fault | undefined;

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Buffer> | undefined;
  /** Of the body; undefined when it is not known beforehand (compressed on the fly). */
  length: number | undefined;
}

/** One request on its way through the server. `closed` resolves when the answer is out or the connection gone. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly entry: Entry;
  readonly closed: Promise<void>;
  readonly fault: Fault | undefined;
}

type Entry = { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] };

const PORTAL = '<!doctype html><title>Wi-Fi</title><h1>Please sign in to use this network</h1>';

/**
 * A static file server over HTTP/1.1 that counts what it sends and can be made to misbehave, request by request.
 * It listens on 127.0.0.1 only.
 *
 * Body bytes are counted when they are handed to the kernel. When a client aborts, up to a few MB of them may
 * never have been read; put a ShapedLink in front where that matters.
 */
export class Origin {
  /** May be replaced at any time; asked once per request, before anything is looked up. */
  fault: FaultHook | undefined;
  readonly #options: OriginOptions;
  readonly #mounts: ReadonlyMap<string, string>;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  readonly #waiters = new Set<() => void>();
  #log: Entry[] = [];
  #server: Server | undefined;
  #stopping = new AbortController();
  #port = 0;

  private constructor(options: OriginOptions) {
    for (const prefix of Object.keys(options.mounts)) {
      if (!prefix.startsWith('/') || !prefix.endsWith('/'))
        throw new Error(`mount ${prefix}: begin and end with /`);
    }
    this.#options = options;
    this.#mounts = new Map(Object.entries(options.mounts));
    this.fault = options.fault;
  }

  /** Starts a server on a free port. */
  static async start(options: OriginOptions): Promise<Origin> {
    const origin = new Origin(options);
    await origin.start();
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:port`, without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** All requests since the last `reset()`, oldest first. Entries of running requests still change. */
  get log(): readonly LoggedRequest[] {
    return this.#log;
  }

  /** Forgets the log; requests that are running are not counted any more. */
  reset(): void {
    this.#log = [];
  }

  requests(filter: RequestFilter = () => true): LoggedRequest[] {
    const matches = filter instanceof RegExp ? (entry: Entry) => filter.test(entry.path) : filter;
    return this.#log.filter(matches);
  }

  /** Body bytes sent in answer to the requests that match. */
  bytes(filter?: RequestFilter): number {
    return this.requests(filter).reduce((sum, entry) => sum + entry.bodyBytes, 0);
  }

  /** The first request that matches, as soon as it has arrived (or has changed so that it matches). */
  async waitForRequest(filter: RequestFilter, timeoutMs = 60_000): Promise<LoggedRequest> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.requests(filter)[0];
      if (found) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no request matched ${filter} within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const waiters = this.#waiters;
        waiters.add(done);
        function done() {
          clearTimeout(timer);
          waiters.delete(done);
          resolve();
        }
      });
    }
  }

  /** Listens again on the port of before. */
  async start(): Promise<void> {
    if (this.#server) throw new Error('this origin is already running');
    const server = createServer((req, res) => this.#accept(req, res));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy()); // A client that went away is the client's business.
    });
    this.#stopping = new AbortController();
    if (this.#port === 0) this.#port = await listenOnFreePort(server);
    else await listenOn(server, this.#port);
    this.#server = server;
  }

  /** The server is gone: every connection is closed at once and new ones are refused. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#stopping.abort();
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(req: IncomingMessage, res: ServerResponse): void {
    const url = req.url ?? '/';
    const path = url.split('?', 1)[0]!;
    const entry: Entry = {
      method: req.method ?? 'GET',
      path,
      url,
      headers: req.headers,
      range: req.headers.range,
      earlier: this.#log.filter((other) => other.path === path).length,
      status: 0,
      bodyBytes: 0,
      startedAt: performance.now(),
      endedAt: undefined,
      aborted: false,
    };
    this.#log.push(entry);
    const closed = new Promise<void>((resolve) => {
      const { socket } = req;
      const onClose = (): void => {
        if (entry.endedAt !== undefined) return;
        entry.endedAt = performance.now();
        entry.aborted = !res.writableFinished;
        if (entry.aborted) entry.bodyBytes = Math.max(0, entry.bodyBytes - socket.writableLength);
        socket.off('close', onClose);
        this.#changed();
        resolve();
      };
      res.on('close', onClose);
      // Node tells the answer of it only when it is under way: not one whose client went in the same moment.
      socket.on('close', onClose);
      if (socket.destroyed) onClose();
    });
    this.#changed();
    const running = this.#handle({ req, res, entry, closed, fault: this.fault?.(entry) })
      .catch((error: unknown) => {
        // The client or stop() closed the connection under us; anything else is a defect of this server.
        if (!res.destroyed && !this.#stopping.signal.aborted) console.error('origin:', error);
        res.destroy();
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { req, res, entry, closed, fault } = exchange;
    if (fault?.type === 'delay') await sleep(fault.ms, undefined, { signal: this.#stopping.signal });
    if (fault?.type === 'hold' && fault.from === undefined) await Promise.race([fault.until, closed]);
    if (fault?.type === 'hang') await closed;
    if (fault?.type === 'cut-before-headers') res.destroy();
    if (res.destroyed) return;

    for (const [name, value] of Object.entries(this.#options.headers?.(entry.path) ?? {})) {
      res.setHeader(name, value);
    }
    const route = this.#options.routes?.[entry.path];
    if (route && (!fault || fault.type === 'delay' || fault.type === 'hold')) {
      route(req, res);
      await closed;
      entry.status = res.statusCode;
      return;
    }
    await this.#send(exchange, await this.#answer(exchange));
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    const { req, fault } = exchange;
    const { path } = exchange.entry;
    if (fault?.type === 'status') {
      const more = fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) };
      return text(fault.status, `${fault.status}\n`, more);
    }
    if (fault?.type === 'html-200') return text(200, PORTAL, { 'Content-Type': 'text/html' });
    if (fault?.type === 'redirect') return text(302, '', { Location: fault.location });
    if (req.method !== 'GET' && req.method !== 'HEAD') return text(405, '405\n', { Allow: 'GET, HEAD' });

    const found = await lookup(this.#mounts, fault?.type === 'instead' ? fault.path : path);
    if ('status' in found) return text(found.status, `${found.status}\n`);
    if ('redirect' in found) {
      const query = req.url!.slice(path.length);
      return text(301, '', { Location: found.redirect + query });
    }
    return this.#file(found.file, exchange);
  }

  async #file(file: StaticFile, { req, fault, closed }: Exchange): Promise<Answer> {
    const { gzip = false, ranges = true, validators = true } = this.#options;
    const headers: Record<string, string> = { 'Content-Type': file.type };
    const compress = gzip && isCompressible(file.type) && file.size >= 256;
    if (compress) headers.Vary = 'Accept-Encoding';
    const compressed = compress && /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''));
    const etag = compressed ? `W/${file.etag}` : file.etag;
    if (validators) {
      headers['Last-Modified'] = file.mtime.toUTCString();
      headers.ETag = etag;
      if (isNotModified(req, etag, file.mtime)) return { status: 304, headers, body: undefined, length: 0 };
    }
    if (compressed) {
      headers['Content-Encoding'] = 'gzip';
      const body = readRange(file.path, { start: 0, end: file.size });
      return { status: 200, headers, body: gzipped(body), length: undefined };
    }
    if (ranges) headers['Accept-Ranges'] = 'bytes';

    const usable = ranges && fault?.type !== 'ignore-range' && ifRangeHolds(req, etag, file.mtime);
    let source = {
      size: file.size,
      read: (start: number, end: number) => readRange(file.path, { start, end }),
    };
    if (fault?.type === 'gzip-206') {
      const zipped = gzipSync(await readFile(file.path), { level: 6 });
      source = { size: zipped.length, read: (start, end) => only(zipped.subarray(start, end)) };
      headers['Content-Encoding'] = 'gzip';
    }
    const asked = usable ? parseRange(req.headers.range, source.size) : 'ignore';
    if (asked === 'unsatisfiable') {
      return text(416, '', { ...headers, 'Content-Range': `bytes */${source.size}` });
    }
    let { start, end } = asked === 'ignore' ? { start: 0, end: source.size } : asked;
    if (asked !== 'ignore') {
      if (fault?.type === 'wrong-content-range') {
        const shift = end < source.size ? 1 : -1;
        start = Math.max(0, start + shift);
        end += shift;
      }
      headers['Content-Range'] = `bytes ${start}-${end - 1}/${source.size}`;
    }
    if (fault?.type === 'one-byte-short') end = Math.max(start, end - 1);
    let body: AsyncIterable<Buffer> = source.read(start, end);
    if (fault?.type === 'flip-bit') body = flipped(body, fault.offset - start);
    if (fault?.type === 'hold' && fault.from !== undefined) {
      body = heldFrom(body, fault.from - start, Promise.race([fault.until, closed]));
    }
    return { status: asked === 'ignore' ? 200 : 206, headers, body, length: end - start };
  }

  async #send(exchange: Exchange, answer: Answer): Promise<void> {
    const { req, res, entry, closed, fault } = exchange;
    for (const [name, value] of Object.entries(answer.headers)) {
      if (!res.hasHeader(name)) res.setHeader(name, value);
    }
    if (answer.length !== undefined && answer.status !== 304) {
      const error = fault?.type === 'wrong-content-length' ? fault.by : 0;
      res.setHeader('Content-Length', Math.max(0, answer.length + error));
    }
    res.writeHead(answer.status);
    entry.status = answer.status;
    res.flushHeaders();
    this.#changed();
    const whole = req.method === 'HEAD' || !answer.body || (await this.#write(exchange, answer.body));
    if (!whole && fault?.type === 'hang-at') {
      await closed;
    } else if (!whole || fault?.type === 'wrong-content-length') {
      // What was promised must be out first, or the cut would come earlier than asked.
      while (!res.destroyed && req.socket.writableLength > 0) await sleep(1);
      if (fault?.type === 'cut-at' && fault.afterMs !== undefined) {
        await sleep(fault.afterMs, undefined, { signal: this.#stopping.signal });
      }
      res.destroy();
    } else {
      res.end();
      await closed;
    }
  }

  /** Returns false when a fault stopped it before the end of the body. */
  async #write({ res, entry, closed, fault }: Exchange, body: AsyncIterable<Buffer>): Promise<boolean> {
    const stopAt =
      fault?.type === 'cut-at' || fault?.type === 'hang-at' ? fault.byte : Number.POSITIVE_INFINITY;
    let bytesPerSecond = fault?.type === 'throttle' ? fault.bytesPerSecond : undefined;
    const released = fault?.type === 'throttle' ? fault.until : undefined;
    void released?.then(() => {
      bytesPerSecond = undefined;
    });
    // Small pieces keep a throttled stream smooth: about 50 of them a second.
    const pieceSize = (): number =>
      bytesPerSecond ? Math.max(1, Math.ceil(bytesPerSecond / 50)) : Number.POSITIVE_INFINITY;
    const startedAt = performance.now();
    let sent = 0;
    if (stopAt === 0) return false;
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + Math.min(pieceSize(), chunk.length - at, stopAt - sent));
        if (res.destroyed) throw new Error('the client closed the connection');
        entry.bodyBytes += piece.length;
        at += piece.length;
        sent += piece.length;
        if (!res.write(piece)) await Promise.race([once(res, 'drain'), closed]);
        if (sent === stopAt) return false;
        if (bytesPerSecond) {
          const due = startedAt + (sent / bytesPerSecond) * 1000 - performance.now();
          if (due > 0) {
            const paced = sleep(due, undefined, { signal: this.#stopping.signal });
            await (released ? Promise.race([paced, released]) : paced);
          }
        }
      }
    }
    return true;
  }

  #changed(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

function text(status: number, body: string, headers: Record<string, string> = {}): Answer {
  const bytes = Buffer.from(body);
  return {
    status,
    headers: { 'Content-Type': 'text/plain', ...headers },
    body: only(bytes),
    length: bytes.length,
  };
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

async function* gzipped(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gzip = createGzip({ level: 6 });
  const feed = (async () => {
    for await (const chunk of body) {
      if (!gzip.write(chunk)) await once(gzip, 'drain');
    }
    gzip.end();
  })();
  feed.catch((error: Error) => gzip.destroy(error));
  try {
    for await (const chunk of gzip) yield chunk as Buffer;
  } finally {
    gzip.destroy();
  }
}

/** Lets `at` bytes through; the rest when it is time. */
async function* heldFrom(
  body: AsyncIterable<Buffer>,
  at: number,
  time: Promise<unknown>,
): AsyncGenerator<Buffer> {
  let left = Math.max(0, at);
  for await (const chunk of body) {
    const first = chunk.subarray(0, left);
    left -= first.length;
    if (first.length > 0) yield first;
    if (first.length === chunk.length) continue;
    await time;
    yield chunk.subarray(first.length);
  }
}

/** Inverts the lowest bit of byte `at` of the body, if the body has such a byte. */
async function* flipped(body: AsyncIterable<Buffer>, at: number): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of body) {
    if (at >= position && at < position + chunk.length) chunk[at - position]! ^= 1;
    position += chunk.length;
    yield chunk;
  }
}

function isNotModified(req: IncomingMessage, etag: string, mtime: Date): boolean {
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = req.headers;
  if (ifNoneMatch !== undefined) {
    const strip = (tag: string) => tag.trim().replace(/^W\//, '');
    return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || strip(tag) === strip(etag));
  }
  return (
    ifModifiedSince !== undefined && Date.parse(ifModifiedSince) >= Math.floor(mtime.getTime() / 1000) * 1000
  );
}

function ifRangeHolds(req: IncomingMessage, etag: string, mtime: Date): boolean {
  const ifRange = req.headers['if-range'];
  if (ifRange === undefined) return true;
  return ifRange === etag || ifRange === mtime.toUTCString();
}
