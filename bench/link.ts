import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A link between a visitor and a server. Both directions have the same rate. */
export interface LinkShape {
  readonly mbitPerSecond: number;
  readonly rttMs: number;
}

/** The three links that everything is measured on. */
export const LINKS = {
  fast: { mbitPerSecond: 100, rttMs: 20 },
  medium: { mbitPerSecond: 20, rttMs: 50 },
  slow: { mbitPerSecond: 5, rttMs: 150 },
} as const satisfies Record<string, LinkShape>;

export interface LinkStats {
  /** Bytes that crossed the link towards the server since the last reset, HTTP headers included, TCP/IP's not. */
  readonly up: number;
  /** The same, towards the client. */
  readonly down: number;
  readonly connections: number;
  /** HTTP/1.1 requests without a body. */
  readonly requests: number;
  /** The most that the link ever held in one direction, waiting and under way, in bytes. */
  readonly peakBuffered: number;
}

/** One request and its answer, as the client's end of the link sees them. Times are milliseconds of the epoch. */
export interface LinkExchange {
  /** `GET /path?query`. */
  readonly line: string;
  /** `0-99` of a `Range: bytes=0-99`; else empty. */
  readonly range: string;
  readonly askedAt: number;
  /** 0 until bytes of the answer have arrived. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** So far, headers included. */
  readonly bytes: number;
}

/** What crossed the link since the last reset. */
export interface LinkLog {
  /** Milliseconds of the epoch. */
  readonly since: number;
  readonly sliceMs: number;
  /** Bytes that reached the client, by slices of `sliceMs` from `since` on. */
  readonly slices: readonly number[];
  readonly exchanges: readonly LinkExchange[];
}

export interface ShapedLinkOptions {
  readonly shape: LinkShape;
  /** The server's port on 127.0.0.1. */
  readonly targetPort: number;
}

/**
 * A TCP proxy on 127.0.0.1 that behaves like a link of a given rate and round trip in front of a server.
 *
 * - One bottleneck per direction, shared by all connections in small turns.
 * - Every byte arrives half a round trip after it left the bottleneck; so does the news that a side has closed.
 * - A new connection carries its first byte one round trip after it was accepted, as a TCP handshake would have it.
 * - At most 256 KiB wait in front of a bottleneck; then the sender is not read any more.
 *
 * It does not model slow start, loss or TLS: every server behind it is favoured alike. It runs in a worker thread,
 * so that the work of a test does not delay its bytes.
 */
export class ShapedLink {
  readonly port: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.port = port;
  }

  static async start(options: ShapedLinkOptions): Promise<ShapedLink> {
    const workerData = { ...measures(options.shape), targetPort: options.targetPort };
    const worker = new Worker(new URL('./link-worker.mjs', import.meta.url), { workerData });
    const [port] = (await once(worker, 'message')) as [number]; // An error event rejects this.
    return new ShapedLink(worker, port);
  }

  /** `http://127.0.0.1:port`, without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stats(): Promise<LinkStats> {
    return this.#ask('stats');
  }

  async log(): Promise<LinkLog> {
    return this.#ask('log');
  }

  /** The counts begin again at zero. */
  async reset(): Promise<void> {
    await this.#ask('reset');
  }

  /** For what leaves the bottleneck from now on. `{ mbitPerSecond: Infinity, rttMs: 0 }` is no link at all. */
  async reshape(shape: LinkShape): Promise<void> {
    await this.#ask(measures(shape));
  }

  /** Closes every connection and the port. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #ask<Answer>(question: 'stats' | 'log' | 'reset' | Measures): Promise<Answer> {
    const answer = once(this.#worker, 'message', { signal: AbortSignal.timeout(30_000) });
    this.#worker.postMessage(question);
    return ((await answer) as [Answer])[0];
  }
}

/** What the worker counts with. */
interface Measures {
  readonly bytesPerMs: number;
  readonly delayMs: number;
}

function measures({ mbitPerSecond, rttMs }: LinkShape): Measures {
  return { bytesPerMs: (mbitPerSecond * 1e6) / 8 / 1000, delayMs: rttMs / 2 };
}
