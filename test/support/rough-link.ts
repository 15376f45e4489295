import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What becomes of one connection. `bytes` counts what the server sends over it, headers included. */
export type ConnectionFault =
  /** Reset as soon as it is there. */
  | { readonly type: 'refused' }
  /** Reset, as by a router that has forgotten it. */
  | { readonly type: 'reset'; readonly bytes: number }
  /** Closed in order, in the middle. */
  | { readonly type: 'closed'; readonly bytes: number }
  /** Nothing more comes, and nobody says so. */
  | { readonly type: 'silent'; readonly bytes: number }
  /** Nothing comes for `ms`. */
  | { readonly type: 'paused'; readonly bytes: number; readonly ms: number };

export interface RoughLinkOptions {
  /** The server's port on 127.0.0.1. */
  readonly targetPort: number;
  /** Towards the client, all connections together. */
  readonly bytesPerSecond: number;
  /** Asked once a connection. */
  readonly fault: () => ConnectionFault | undefined;
}

/** What goes over the link at once: an Ethernet's packet, or what takes so long. */
const pieceBytes = 1460;
const pieceSeconds = 0.02;

/**
 * A TCP proxy on 127.0.0.1 that has a rate, and treats connections badly. What a server does wrong in its answers is Origin's;
 * this is for what happens to bytes on their way, whatever they are. For a link to measure with, see bench/link.ts.
 */
export class RoughLink {
  /** May be changed at any time: new connections ask, and a mended link lets also old ones go on. */
  options: RoughLinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  #isMended = false;
  /** When the rate lets the next byte pass, by `performance.now()`. */
  #freeAt = 0;

  private constructor(options: RoughLinkOptions) {
    this.options = options;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  static async start(options: RoughLinkOptions): Promise<RoughLink> {
    const link = new RoughLink(options);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  /** `http://127.0.0.1:port`, without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on it is fast and does nothing wrong; connections that have fallen silent end at last. */
  mend(): void {
    this.options = { ...this.options, bytesPerSecond: Number.POSITIVE_INFINITY, fault: () => undefined };
    this.#isMended = true;
    for (const socket of this.#silent) socket.resetAndDestroy();
  }

  /** Every connection ends; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const fault = this.options.fault();
    if (fault?.type === 'refused') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: this.options.targetPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, target]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}); // Told by 'close'.
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('close', () => {
      this.#silent.delete(client);
      target.destroy();
    });
    target.on('close', (hadError) => {
      // An end in order is passed on by #carry, after the bytes before it.
      if (hadError) client.resetAndDestroy();
    });
    client.pipe(target);
    // A socket that is destroyed while it is read ends the loop by throwing; its 'close' has told the other side.
    this.#carry(target, client, fault).catch(() => {});
  }

  async #carry(
    target: Socket,
    client: Socket,
    fault: Exclude<ConnectionFault, { type: 'refused' }> | undefined,
  ): Promise<void> {
    let passed = 0;
    let pending = fault;
    for await (const chunk of target as AsyncIterable<Buffer>) {
      let rest = chunk;
      if (pending && passed + rest.length >= pending.bytes) {
        const until = Math.max(0, pending.bytes - passed);
        await this.#send(client, rest.subarray(0, until));
        rest = rest.subarray(until);
        if (pending.type === 'reset') client.resetAndDestroy();
        if (pending.type === 'closed') client.end();
        if (pending.type === 'silent') this.#fallSilent(client);
        if (pending.type !== 'paused') return;
        await sleep(pending.ms);
        pending = undefined;
      }
      await this.#send(client, rest);
      passed += chunk.length;
    }
    client.end();
  }

  /** What gets so far only when the link is mended ends at once. */
  #fallSilent(client: Socket): void {
    if (this.#isMended) client.resetAndDestroy();
    else this.#silent.add(client);
  }

  /** In pieces, so that connections share a slow link as they do on a real one, and one that is gone holds up nobody. */
  async #send(client: Socket, bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0 && !client.destroyed; ) {
      const { bytesPerSecond } = this.options;
      const piece = rest.subarray(0, Math.max(pieceBytes, bytesPerSecond * pieceSeconds));
      rest = rest.subarray(piece.length);
      const now = performance.now();
      this.#freeAt = Math.max(this.#freeAt, now) + (piece.length / bytesPerSecond) * 1000;
      if (this.#freeAt > now + 1) await sleep(this.#freeAt - now);
      if (!client.write(piece)) await Promise.race([once(client, 'drain'), once(client, 'close')]);
    }
  }
}
