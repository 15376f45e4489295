import type { LinkShape } from '../../../bench/link.ts';
import type { BlockSource, Chunk, RangeRequest } from '../../../src/protocol/block-source.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** One request, and what became of it. Times are the clock's. */
export interface ModelRequest {
  readonly sha256: string;
  readonly start: number;
  readonly end: number;
  readonly priority: RangeRequest['priority'];
  readonly askedAt: number;
  firstAt: number | undefined;
  endedAt: number | undefined;
  received: number;
}

interface Flow extends ModelRequest {
  readonly chunks: (Chunk | undefined)[];
  /** Bytes that the server has still to send. */
  left: number;
  gone: boolean;
  wake: () => void;
}

/** As HTTP/1.1 is spoken by browsers. */
const connections = 6;

/**
 * A host behind a link, in virtual time: one bottleneck that answers share in small turns, half a round trip each way, at most six connections, a
 * round trip to make one, and a connection is lost by whoever does not wait for its answer's end. The same link as the benchmark's, without its noise.
 */
export class LinkModel implements BlockSource {
  readonly wholeFiles = false;
  readonly requests: ModelRequest[] = [];
  /** Milliseconds in which the bottleneck sent. */
  busyMs = 0;
  readonly #clock: VirtualClock;
  readonly #files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly #bytesPerMs: number;
  readonly #halfMs: number;
  readonly #turn: number;
  readonly #ring: Flow[] = [];
  readonly #queue: Flow[] = [];
  #sending = false;
  #open = 0;
  #idle = 0;

  constructor(clock: VirtualClock, shape: LinkShape, files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
    this.#clock = clock;
    this.#files = files;
    this.#bytesPerMs = (shape.mbitPerSecond * 1e6) / 8 / 1000;
    this.#halfMs = shape.rttMs / 2;
    this.#turn = Math.max(4096, Math.floor(2 * this.#bytesPerMs));
  }

  async *fetch({ file, start, end, priority, signal }: RangeRequest): AsyncGenerator<Chunk, void> {
    const flow: Flow = {
      sha256: file.sha256,
      start,
      end,
      priority,
      askedAt: this.#clock.now(),
      firstAt: undefined,
      endedAt: undefined,
      received: 0,
      chunks: [],
      left: end - start,
      gone: false,
      wake: () => {},
    };
    this.requests.push(flow);
    this.#queue.push(flow);
    this.#connect();
    signal.addEventListener('abort', () => flow.wake(), { once: true });
    try {
      while (flow.received < end - start) {
        if (flow.chunks.length === 0) await this.#wait(flow, signal);
        const chunk = flow.chunks.shift();
        if (!chunk) continue;
        flow.received += chunk.bytes.length;
        yield chunk;
      }
    } finally {
      flow.endedAt = this.#clock.now();
      this.#leave(flow);
    }
  }

  /** Bytes that were asked for and not taken, because nobody waited for them any more. */
  get abandonedBytes(): number {
    return this.requests.reduce(
      (sum, { start, end, received, endedAt }) => sum + (endedAt === undefined ? 0 : end - start - received),
      0,
    );
  }

  async #wait(flow: Flow, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      flow.wake = resolve;
    });
    signal.throwIfAborted();
  }

  #connect(): void {
    while (this.#queue.length > 0 && (this.#idle > 0 || this.#open < connections)) {
      const flow = this.#queue.shift()!;
      const setUpMs = this.#idle > 0 ? 0 : 2 * this.#halfMs;
      if (this.#idle > 0) this.#idle -= 1;
      else this.#open += 1;
      this.#clock.after(setUpMs + this.#halfMs, () => this.#answer(flow), true);
    }
  }

  #answer(flow: Flow): void {
    if (flow.gone) return;
    this.#ring.push(flow);
    this.#send();
  }

  #send(): void {
    if (this.#sending) return;
    const flow = this.#ring.shift();
    if (!flow) return;
    const count = Math.min(this.#turn, flow.left);
    const offset = flow.end - flow.left;
    flow.left -= count;
    const ms = count / this.#bytesPerMs;
    this.busyMs += ms;
    this.#sending = true;
    this.#clock.after(ms + this.#halfMs, () => this.#arrive(flow, offset, count));
    this.#clock.after(
      ms,
      () => {
        this.#sending = false;
        if (flow.left > 0 && !flow.gone) this.#ring.push(flow);
        this.#send();
      },
      true,
    );
  }

  #arrive(flow: Flow, offset: number, count: number): void {
    flow.firstAt ??= this.#clock.now();
    flow.chunks.push({ offset, bytes: this.#files.get(flow.sha256)!.slice(offset, offset + count) });
    flow.wake();
  }

  #leave(flow: Flow): void {
    if (flow.received === flow.end - flow.start) {
      this.#idle += 1;
      this.#connect();
      return;
    }
    // The server hears of it half a round trip later.
    this.#clock.after(
      this.#halfMs,
      () => {
        flow.gone = true;
        this.#open -= 1;
        const at = this.#ring.indexOf(flow);
        if (at >= 0) this.#ring.splice(at, 1);
        this.#connect();
      },
      true,
    );
  }
}
