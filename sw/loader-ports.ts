import { fromWireError, SluiceError } from '../src/format/errors.ts';
import { Channel, type MessageEndpoint } from '../src/protocol/channel.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { isFromLoader, repliesTo } from '../src/protocol/guards.ts';
import {
  type FromLoader,
  type Hello,
  loaderLockName,
  protocolVersion,
  type ReadBlocks,
  serviceWorkerLockName,
  type ToLoader,
  type WorkerFacts,
} from '../src/protocol/messages.ts';
import { WakeableWait } from '../src/protocol/wakeable-wait.ts';
import { watchLock } from '../src/protocol/watch-lock.ts';
import type { Deliver } from './encoded-block.ts';
import { blocksOf } from './runs.ts';

export type BlocksWanted = Omit<ReadBlocks, 'type' | 'id'>;

/** A loader that has said hello and lives. */
export interface LoaderPort {
  readonly role: Hello['role'];
  post(message: ToLoader): void;
  /**
   * Resolves when all blocks of the run were delivered. Rejects with the loader's error, with `read-timeout`, or with `disconnected` when the
   * loader died: then the rest may be asked elsewhere.
   */
  readBlocks(want: BlocksWanted, deliver: Deliver, signal: AbortSignal): Promise<void>;
  readBootstrap(image: string, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** The edges to the platform, and whoever wants to know. */
export interface LoaderPortsOptions {
  readonly locks: Pick<LockManager, 'request'>;
  /** Asks all pages of the scope to broker a port. */
  readonly askForPort: () => void;
  /** A loader is there or has another role. */
  readonly onHello: (port: LoaderPort) => void;
  /** `seen` is to be called when what is on disk now is what is answered by. `isDropped`: some of what was there was found bad. */
  readonly onStoreChanged: (seen: () => void, isDropped: boolean) => void;
  readonly onImageComplete: (image: string) => void;
  /** An inspector asks: `clients` are those whose loaders are connected. */
  readonly facts: (clients: readonly ConnectedClient[]) => Promise<WorkerFacts>;
}

/** A page, by the id of its Client, and the name of its loader. */
export interface ConnectedClient {
  readonly client: string;
  readonly loader: string;
}

/** A page that has not brought a port in so long will not: its client is not running, or its loader cannot start. */
const portWaitMs = 2000;
/** After a vain wait, nobody waits again for so long (a page whose policy forbids our script must not be slow for ever). */
const vainWaitPauseMs = 10_000;
/** The loader's own deadline comes first, so that its error, which knows more, is the one seen. */
const replyGraceMs = 1000;

/**
 * The loaders of all tabs that have handed us a port. Ports die with each restart of this worker, loaders with their tabs; getting new ones
 * is routine. A dead loader does not close its port in every browser, so each one holds a Web Lock: when we are granted it, it is dead.
 */
export class LoaderPorts {
  readonly #options: LoaderPortsOptions;
  readonly #ports = new Set<ConnectedLoader>();
  readonly #hello = new WakeableWait(systemClock);
  /** Requests that wait for a hello. */
  #waiting = 0;
  #lock: Promise<string> | undefined;
  #noWaitUntil = 0;

  constructor(options: LoaderPortsOptions) {
    this.#options = options;
  }

  /** A live loader: the leader where we know it, else a standby, which passes requests on. */
  get best(): LoaderPort | undefined {
    return [...this.#ports].find(({ role }) => role === 'leader') ?? [...this.#ports][0];
  }

  /** A port from the page whose Client has this id. It counts once its loader has said hello in our version of the protocol. */
  add(endpoint: MessageEndpoint, client: string): void {
    const death = new AbortController();
    let port: ConnectedLoader | undefined;
    const channel: Channel<ToLoader, FromLoader> = new Channel(endpoint, {
      accept: isFromLoader,
      replyTo: repliesTo,
      onMessage: (message) => {
        if (message.type === 'hello') {
          if (message.version !== protocolVersion) return channel.close();
          if (!port) watchLock(this.#options.locks, loaderLockName(message.loader), channel, death.signal);
          port ??= new ConnectedLoader(channel, client, message.loader);
          port.role = message.role;
          this.#admit(port);
        } else if (message.type === 'store-changed') {
          const { id, dropped } = message;
          const seen = (): void => {
            if (id !== undefined) channel.post({ type: 'store-seen', id });
          };
          this.#options.onStoreChanged(seen, dropped !== undefined);
        } else if (message.type === 'facts-wanted') void this.#tellFacts(channel, message.id);
        else if (message.type === 'image-complete') this.#options.onImageComplete(message.image);
      },
      onClose: () => {
        death.abort();
        if (port) this.#ports.delete(port);
        // What it had journaled to the last can be read by ourselves now.
        this.#options.onStoreChanged(() => {}, false);
      },
    });
    this.#lock ??= this.#holdLock();
    this.#lock.then(
      (lock) => channel.post({ type: 'alive', lock }),
      (error: unknown) => console.warn('sluice: loaders cannot tell when this worker ends', error),
    );
  }

  /** A live loader, waiting a little for one. Undefined when none came. */
  async wait(signal: AbortSignal): Promise<LoaderPort | undefined> {
    if (this.best || systemClock.now() < this.#noWaitUntil) return this.best;
    // Pages are asked once, however many requests wait.
    if (this.#waiting === 0) this.#options.askForPort();
    this.#waiting += 1;
    await this.#hello.wait(portWaitMs, signal);
    this.#waiting -= 1;
    if (!this.best && !signal.aborted) this.#noWaitUntil = systemClock.now() + vainWaitPauseMs;
    return this.best;
  }

  async #tellFacts(channel: Channel<ToLoader, FromLoader>, id: number): Promise<void> {
    try {
      const facts = await this.#options.facts([...this.#ports]);
      channel.post({ type: 'facts', id, ...facts });
    } catch (error) {
      console.info('sluice: an inspector was not answered', error);
    }
  }

  #admit(port: ConnectedLoader): void {
    this.#ports.add(port);
    this.#noWaitUntil = 0;
    this.#hello.wake();
    this.#options.onHello(port);
  }

  /** Resolves with the name of a Web Lock of this worker's own, when it is held. */
  #holdLock(): Promise<string> {
    const name = serviceWorkerLockName(crypto.randomUUID());
    return new Promise((resolve, reject) => {
      const hold = (): Promise<never> => {
        resolve(name);
        return new Promise(() => {});
      };
      this.#options.locks.request(name, {}, hold).catch(reject);
    });
  }
}

class ConnectedLoader implements LoaderPort, ConnectedClient {
  role: Hello['role'] = 'standby';
  readonly client: string;
  readonly loader: string;
  readonly #channel: Channel<ToLoader, FromLoader>;

  constructor(channel: Channel<ToLoader, FromLoader>, client: string, loader: string) {
    this.#channel = channel;
    this.client = client;
    this.loader = loader;
  }

  post(message: ToLoader): void {
    this.#channel.post(message);
  }

  async readBlocks(want: BlocksWanted, deliver: Deliver, signal: AbortSignal): Promise<void> {
    const left = new Set(blocksOf(want));
    await this.#channel
      .call({
        name: `read-blocks ${want.path}`,
        message: (id) => ({ type: 'read-blocks', id, ...want }),
        cancel: (id) => ({ type: 'cancel', id }),
        timeoutMs: want.timeoutMs + replyGraceMs,
        signal,
        onReply: (reply) => {
          if (reply.type === 'failed') throw fromWireError(reply.error);
          // Each block once, and none that was not asked for: the last one ends the call.
          if (reply.type !== 'block' || !left.delete(reply.block)) return undefined;
          deliver(reply.block, reply);
          return left.size === 0 ? { value: undefined } : undefined;
        },
      })
      .catch((error: unknown) => {
        if (error instanceof SluiceError && error.code === 'call-timeout') {
          throw new SluiceError('read-timeout', error.message, { path: want.path });
        }
        throw error;
      });
  }

  readBootstrap(image: string, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#channel.call({
      name: 'read-bootstrap',
      message: (id) => ({ type: 'read-bootstrap', id, image }),
      timeoutMs,
      onReply: (reply) => {
        if (reply.type === 'failed') throw fromWireError(reply.error);
        return reply.type === 'bootstrap' ? { value: reply.bytes } : undefined;
      },
    });
  }
}
