import { SluiceError, toWireError } from '../format/errors.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import { type BlocksQuery, loaderLockName } from '../protocol/messages.ts';
import type { LoaderService } from './loader-service.ts';
import { type FromLeader, inboxName, isToLeader, type PeerCall, replyName } from './peer-messages.ts';
import { argumentsOf } from './peer-shapes.ts';

export interface PeerServerOptions {
  readonly scope: string;
  /** The leader itself. */
  readonly loader: string;
  readonly service: LoaderService;
  readonly newChannel: (name: string) => MessageEndpoint;
  readonly locks: Pick<LockManager, 'request'>;
}

/** A standby that has called. */
interface Peer {
  readonly outbox: MessageEndpoint;
  readonly calls: Map<number, AbortController>;
}

/** Answers the calls of standbys with the leader's service. A standby that died (its Web Lock was released) is forgotten. */
export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #inbox: MessageEndpoint;
  readonly #peers = new Map<string, Peer>();
  readonly #closed = new AbortController();

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#inbox = options.newChannel(inboxName(options.scope, options.loader));
    this.#inbox.addEventListener('message', this.#onMessage);
  }

  close(): void {
    this.#closed.abort();
    this.#inbox.removeEventListener('message', this.#onMessage);
    this.#inbox.close();
    for (const from of [...this.#peers.keys()]) this.#forget(from);
  }

  readonly #onMessage = ({ data }: MessageEvent): void => {
    if (!isToLeader(data)) return;
    const peer = this.#peer(data.from);
    if (data.type === 'cancel') peer.calls.get(data.id)?.abort();
    else void this.#answer(peer, data);
  };

  async #answer(peer: Peer, call: PeerCall): Promise<void> {
    const { id } = call;
    const abort = new AbortController();
    peer.calls.set(id, abort);
    const reply = (message: FromLeader): void => {
      if (peer.calls.get(id) === abort && !abort.signal.aborted) peer.outbox.postMessage(message);
    };
    try {
      const value = await this.#invoke(call, abort.signal, reply);
      reply({ type: 'result', id, value });
    } catch (error) {
      reply({ type: 'failed', id, error: toWireError(error) });
    } finally {
      peer.calls.delete(id);
    }
  }

  async #invoke(call: PeerCall, signal: AbortSignal, reply: (message: FromLeader) => void): Promise<unknown> {
    const { service } = this.#options;
    const { id, method } = call;
    const checks = argumentsOf[method];
    if (!checks.every((check, i) => check(call.args[i])))
      throw new SluiceError('EINVAL', `The arguments of "${method}" are not those of this version`);
    const args = call.args.slice(0, checks.length);
    if (method === 'readBlocks') {
      const [query] = args as [BlocksQuery];
      return service.readBlocks(
        query,
        (block, stored) => reply({ type: 'block', id, block, stored }),
        signal,
      );
    }
    const invoke = service[method] as (...args: readonly unknown[]) => Promise<unknown>;
    // The methods that wait take a signal behind their arguments.
    return invoke.call(service, ...args, signal);
  }

  #peer(from: string): Peer {
    const known = this.#peers.get(from);
    if (known) return known;
    const { scope, loader, newChannel, locks } = this.#options;
    const peer = {
      outbox: newChannel(replyName(scope, loader, from)),
      calls: new Map<number, AbortController>(),
    };
    this.#peers.set(from, peer);
    locks
      .request(loaderLockName(from), { mode: 'shared', signal: this.#closed.signal }, () =>
        this.#forget(from),
      )
      .catch(() => {}); // Our own close(): the request was called off.
    return peer;
  }

  #forget(from: string): void {
    const peer = this.#peers.get(from);
    if (!peer) return;
    this.#peers.delete(from);
    for (const abort of peer.calls.values()) abort.abort();
    peer.outbox.close();
  }
}
