// The moving part of ShapedLink (link.ts). Plain JavaScript, because a worker thread of Node 20 runs nothing else.
//
//   client ──▶ lane.queue ──▶ bottleneck (turns, virtual time) ──▶ in flight (constant delay) ──▶ server
//   and the same the other way round; a connection is two lanes.
import { connect, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {{ lane: Lane, bytes: Buffer | undefined, at: number }} Flight bytes: undefined means "has ended" */
/** @typedef {{ -readonly [K in keyof import('./link.ts').LinkExchange]: import('./link.ts').LinkExchange[K] }} Exchange */

const { targetPort } = workerData;
/** Changed by a message of a new shape. */
let { bytesPerMs, delayMs } = workerData;

/** Bytes that may wait in front of the bottleneck, all lanes together. */
const QUEUE = 256 * 1024;
/** Bytes per turn: about a millisecond's worth, between one packet and a few. */
const turn = () => Math.min(16 * 1024, Math.max(1460, Math.floor(bytesPerMs)));
const sliceMs = 10;

/** Times on the wall clock, to a fraction of a millisecond: other processes have the same. */
const now = () => performance.timeOrigin + performance.now();

/** What crossed the link since the last reset. */
class Log {
  since = now();
  /** @type {Exchange[]} */
  exchanges = [];
  /** Bytes that reached the client, by slices of `sliceMs` since `since`. @type {number[]} */
  slices = [];

  /** @param {number} bytes */
  delivered(bytes) {
    const slice = Math.floor((now() - this.since) / sliceMs);
    while (this.slices.length <= slice) this.slices.push(0);
    this.slices[slice] = (this.slices[slice] ?? 0) + bytes;
  }
}

/** HTTP/1.1 on one connection, as far as a log needs it: browsers do not pipeline and send no bodies to a static server. */
class Conversation {
  #head = '';
  /** @type {Exchange | undefined} */
  #current;

  /** @param {Buffer} bytes towards the server */
  asked(bytes) {
    this.#head += bytes.toString('latin1');
    for (;;) {
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) break;
      const head = this.#head.slice(0, end);
      this.#head = this.#head.slice(end + 4);
      const [line = ''] = head.split('\r\n', 1);
      const range = /^range: *bytes=(.*)$/im.exec(head)?.[1] ?? '';
      this.#current = {
        line: line.replace(/ HTTP.*/, ''),
        range,
        askedAt: now(),
        firstAt: 0,
        lastAt: 0,
        bytes: 0,
      };
      log.exchanges.push(this.#current);
    }
    // No browser sends so long a head: this is not HTTP.
    if (this.#head.length > 64 * 1024) this.#head = '';
  }

  /** @param {Buffer} bytes that have reached the client */
  answered(bytes) {
    log.delivered(bytes.length);
    if (!this.#current) return;
    this.#current.firstAt ||= now();
    this.#current.lastAt = now();
    this.#current.bytes += bytes.length;
  }
}

/** One direction of the link. */
class Direction {
  /** Lanes that have something to send, in turn. @type {Lane[]} */
  #ring = [];
  /** Oldest first, and in this order they arrive: under a new shape, too, nothing overtakes. @type {Flight[]} */
  #flights = [];
  /** When the bottleneck will have sent all that it has taken so far. Virtual time: a late timer costs no rate. */
  #freeAt = 0;
  #pumpTimer = false;
  #arrivalTimer = false;
  /** Open lanes of this direction. */
  lanes = 0;
  delivered = 0;
  buffered = 0;
  peakBuffered = 0;

  /** What one lane may let wait. */
  get share() {
    return Math.max(turn(), QUEUE / Math.max(1, this.lanes));
  }

  /** @param {number} bytes */
  hold(bytes) {
    this.buffered += bytes;
    this.peakBuffered = Math.max(this.peakBuffered, this.buffered);
  }

  /** The lane has something to send. @param {Lane} lane */
  ready(lane) {
    if (this.#ring.length === 0) this.#freeAt = Math.max(this.#freeAt, performance.now());
    this.#ring.push(lane);
    this.pump();
  }

  pump() {
    while (this.#ring.length > 0) {
      const ahead = this.#freeAt - performance.now();
      if (ahead > 0.5) {
        if (!this.#pumpTimer) {
          this.#pumpTimer = true;
          setTimeout(() => {
            this.#pumpTimer = false;
            this.pump();
          }, ahead);
        }
        return;
      }
      const lane = /** @type {Lane} */ (this.#ring.shift());
      const bytes = lane.take(turn());
      if (bytes !== undefined) this.#freeAt += bytes.length / bytesPerMs;
      this.#flights.push({ lane, bytes, at: this.#freeAt + delayMs });
      if (lane.hasWork()) this.#ring.push(lane);
      else lane.waiting = false;
      lane.refill();
      this.#arrive();
    }
  }

  #arrive() {
    for (;;) {
      const next = this.#flights[0];
      if (!next || this.#arrivalTimer) return;
      const wait = next.at - performance.now();
      if (wait > 0.3) {
        this.#arrivalTimer = true;
        setTimeout(() => {
          this.#arrivalTimer = false;
          this.#arrive();
        }, wait);
        return;
      }
      this.#flights.shift();
      if (next.bytes) {
        this.delivered += next.bytes.length;
        this.buffered -= next.bytes.length;
      }
      next.lane.deliver(next.bytes);
    }
  }
}

/** One direction of one connection. */
class Lane {
  /** @type {Buffer[]} */
  #queue = [];
  #queued = 0;
  #ended = false;
  #endTaken = false;
  /** The receiver does not keep up: take nothing until it does. */
  #blocked = false;
  /** Has a turn coming. */
  waiting = false;

  /**
   * @param {Direction} direction @param {Socket} from @param {Socket} to
   * @param {{ sent?: (bytes: Buffer) => void, arrived?: (bytes: Buffer) => void }} hear
   */
  constructor(direction, from, to, hear) {
    this.direction = direction;
    this.from = from;
    this.to = to;
    this.hear = hear;
    direction.lanes += 1;
    from.on('data', (/** @type {Buffer} */ bytes) => {
      hear.sent?.(bytes);
      this.#queue.push(bytes);
      this.#queued += bytes.length;
      direction.hold(bytes.length);
      if (this.#queued >= direction.share) from.pause();
      this.#offer();
    });
    from.on('end', () => this.end());
    from.on('close', () => {
      direction.lanes -= 1;
    });
    to.on('drain', () => {
      this.#blocked = false;
      this.#offer();
    });
  }

  /** Nothing more will come from the sender. What waits is still sent. */
  end() {
    this.#ended = true;
    this.#offer();
  }

  /** The receiver is gone: what waits is dropped. What is in flight has used the link and cannot be unsent. */
  drop() {
    this.direction.buffered -= this.#queued;
    this.#queue = [];
    this.#queued = 0;
    this.#blocked = false;
  }

  hasWork() {
    return !this.#blocked && (this.#queued > 0 || (this.#ended && !this.#endTaken));
  }

  #offer() {
    if (this.waiting || !this.hasWork()) return;
    this.waiting = true;
    this.direction.ready(this);
  }

  /** Up to `limit` bytes, or undefined for the end. @param {number} limit */
  take(limit) {
    const head = this.#queue[0];
    if (head === undefined) {
      this.#endTaken = this.#ended;
      return this.#ended ? undefined : Buffer.alloc(0); // Empty: dropped after it had got its turn.
    }
    const bytes = head.subarray(0, limit);
    if (bytes.length === head.length) this.#queue.shift();
    else this.#queue[0] = head.subarray(limit);
    this.#queued -= bytes.length;
    return bytes;
  }

  /** Reads on when there is room. */
  refill() {
    if (this.from.isPaused() && this.#queued < this.direction.share / 2) this.from.resume();
  }

  /** @param {Buffer | undefined} bytes */
  deliver(bytes) {
    if (this.to.destroyed) return;
    if (bytes === undefined) {
      this.to.end();
      return;
    }
    this.hear.arrived?.(bytes);
    if (!this.to.write(bytes)) this.#blocked = true;
  }
}

const up = new Direction();
const down = new Direction();
let log = new Log();
let connections = 0;

const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
  connections += 1;
  const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const conversation = new Conversation();
  const upLane = new Lane(up, client, target, { sent: (bytes) => conversation.asked(bytes) });
  const downLane = new Lane(down, target, client, { arrived: (bytes) => conversation.answered(bytes) });
  // Attaching 'data' starts the flow; the handshake's round trip comes first.
  client.pause();
  setTimeout(() => client.resume(), 2 * delayMs);

  // A reset on one side is a close on the other, half a round trip later and after what is still under way.
  client.on('error', () => client.destroy());
  target.on('error', () => target.destroy());
  client.on('close', () => {
    upLane.end();
    setTimeout(() => {
      downLane.drop();
      target.destroy();
    }, delayMs);
  });
  target.on('close', (hadError) => {
    downLane.end();
    if (hadError) {
      setTimeout(() => {
        upLane.drop();
        client.destroy();
      }, delayMs);
    }
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no TCP port');
  parentPort?.postMessage(address.port);
});

parentPort?.on(
  'message',
  (/** @type {'stats' | 'log' | 'reset' | { bytesPerMs: number, delayMs: number }} */ question) => {
    if (typeof question === 'object') ({ bytesPerMs, delayMs } = question);
    if (question === 'log') {
      parentPort?.postMessage({ since: log.since, sliceMs, slices: log.slices, exchanges: log.exchanges });
      return;
    }
    if (question === 'reset') {
      connections = 0;
      log = new Log();
      for (const direction of [up, down]) {
        direction.delivered = 0;
        direction.peakBuffered = direction.buffered;
      }
    }
    const peakBuffered = Math.max(up.peakBuffered, down.peakBuffered);
    const requests = log.exchanges.length;
    parentPort?.postMessage({ up: up.delivered, down: down.delivered, connections, requests, peakBuffered });
  },
);
