import { fromWireError, SluiceError } from '../format/errors.ts';
import { Channel, type MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import type { DirectoryEntry, FileStat } from '../protocol/loader-api.ts';
import type { BlocksQuery, ProvideBlocks, ReleaseRecord } from '../protocol/messages.ts';
import type { ReadLog } from '../protocol/state.ts';
import type { LoaderService, OpenOptions, ServiceState } from './loader-service.ts';
import { type FromLeader, isFromLeader, type RemoteMethod, type ToLeader } from './peer-messages.ts';
import type { StoredBlock } from './stored-block.ts';

/** For what the leader answers from what it knows. */
const callMs = 10_000;
/** The leader's own deadline comes first, so that its error, which knows more, is the one seen. */
const graceMs = 2000;
/** An image may have to be opened over a slow link. */
const openMs = 55_000;
const prefetchMs = 60 * 60 * 1000;

export interface RemoteServiceOptions {
  /** This loader. */
  readonly loader: string;
  /** Where the leader listens. */
  readonly outbox: MessageEndpoint;
  /** Where this loader listens. */
  readonly inbox: MessageEndpoint;
  readonly clock: Clock;
}

/** The leader's service, from another tab. A leader that goes away ends every call with `disconnected`. */
export class RemoteService implements LoaderService {
  readonly #loader: string;
  readonly #channel: Channel<ToLeader, FromLeader>;

  constructor({ loader, outbox, inbox, clock }: RemoteServiceOptions) {
    this.#loader = loader;
    this.#channel = new Channel(twoWay(outbox, inbox), {
      accept: isFromLeader,
      replyTo: (message) => message.id,
      onMessage: () => {},
      clock,
    });
  }

  open(options: OpenOptions): Promise<ReleaseRecord> {
    return this.#call('open', [options], openMs);
  }

  async readBlocks(
    query: BlocksQuery,
    onBlock: (block: number, stored: StoredBlock) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#call('readBlocks', [query], query.timeoutMs + graceMs, { onBlock, signal });
  }

  readBootstrap(image: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call('readBootstrap', [image]);
  }

  provideBlocks(image: string, blocks: ProvideBlocks['blocks']): Promise<void> {
    return this.#call('provideBlocks', [image, blocks]);
  }

  state(image: string): Promise<ServiceState> {
    return this.#call('state', [image]);
  }

  readLog(image: string): Promise<ReadLog> {
    return this.#call('readLog', [image]);
  }

  flush(): Promise<void> {
    return this.#call('flush', []);
  }

  stat(image: string, path: string): Promise<FileStat> {
    return this.#call('stat', [image, path]);
  }

  readdir(image: string, path: string): Promise<readonly DirectoryEntry[]> {
    return this.#call('readdir', [image, path]);
  }

  read(
    image: string,
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call('read', [image, path, start, end, timeoutMs], timeoutMs + graceMs);
  }

  prefetch(image: string, paths: readonly string[]): Promise<void> {
    return this.#call('prefetch', [image, paths], prefetchMs);
  }

  async close(): Promise<void> {
    this.#channel.close(new SluiceError('disconnected', 'Another loader leads now'));
  }

  /** What comes back is the leader's word: the same build of the same loader, under the same origin. */
  #call<T>(
    method: RemoteMethod,
    args: readonly unknown[],
    timeoutMs = callMs,
    blocks?: { readonly onBlock: (block: number, stored: StoredBlock) => void; readonly signal: AbortSignal },
  ): Promise<T> {
    const from = this.#loader;
    return this.#channel.call<T>({
      name: `${method} of the leading loader`,
      message: (id) => ({ type: 'call', from, id, method, args }),
      cancel: (id) => ({ type: 'cancel', from, id }),
      timeoutMs,
      ...(blocks ? { signal: blocks.signal } : {}),
      onReply: (reply) => {
        if (reply.type === 'failed') throw failure(reply);
        if (reply.type === 'result') return { value: reply.value as T };
        blocks?.onBlock(reply.block, reply.stored);
        return undefined;
      },
    });
  }
}

/** A leader that closes says so; for us it is gone, and the next one can be asked. */
function failure({ error }: FromLeader & { type: 'failed' }): SluiceError {
  return error.code === 'closed' ? new SluiceError('disconnected', error.message) : fromWireError(error);
}

function twoWay(outbox: MessageEndpoint, inbox: MessageEndpoint): MessageEndpoint {
  return {
    postMessage: (message) => outbox.postMessage(message),
    addEventListener: (type, listener) => inbox.addEventListener(type, listener),
    removeEventListener: (type, listener) => inbox.removeEventListener(type, listener),
    close: () => {
      inbox.close();
      outbox.close();
    },
  };
}
