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
  readonly shape: LinkShape;
  /** Told of each request before it is counted. */
  onRequest: (request: ModelRequest) => void = () => {};
  /** When the bottleneck sent: `[from, to)`, in order. */
  readonly #sent: { readonly from: number; readonly to: number }[] = [];
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
    this.shape = shape;
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
    this.onRequest(flow);
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

  /** Which part of the time `[from, to)` the bottleneck sent. */
  utilisation(from: number, to: number): number {
    let ms = 0;
    for (const sent of this.#sent) ms += Math.max(0, Math.min(to, sent.to) - Math.max(from, sent.from));
    return ms / (to - from);
  }

  /** How long so many bytes are under way on an idle link, asked for on a connection that is there. */
  idleMs(bytes: number): number {
    return 2 * this.#halfMs + bytes / this.#bytesPerMs;
  }

  /** Bytes that crossed the link, taken or not. */
  get sentBytes(): number {
    return this.#sent.reduce((sum, { from, to }) => sum + (to - from) * this.#bytesPerMs, 0);
  }

  /** Bytes that were taken more than once. */
  get takenTwice(): number {
    let twice = 0;
    for (const sha256 of this.#files.keys()) {
      const taken = this.requests
        .filter((request) => request.sha256 === sha256)
        .map(({ start, received }) => ({ start, end: start + received }))
        .toSorted((a, b) => a.start - b.start);
      let end = 0;
      for (const range of taken) {
        twice += Math.max(0, Math.min(end, range.end) - range.start);
        end = Math.max(end, range.end);
      }
    }
    return twice;
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
    this.#sent.push({ from: this.#clock.now(), to: this.#clock.now() + ms });
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
