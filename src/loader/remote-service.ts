import { fromWireError, SluiceError } from '../format/errors.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import { Channel, type MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import type { FsmapPage, FsmapQuery } from '../protocol/fsmap.ts';
import type { Inspection, InspectorSwitches, SiteOverview } from '../protocol/inspection.ts';
import type {
  ByteRange,
  DirectoryEntry,
  FileStat,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import type { BlockRun, BlocksQuery, ReleaseRecord, ServedRead } from '../protocol/messages.ts';
import { readDeadlineMs } from '../protocol/read-deadline.ts';
import type { PendingReadInfo, ReadLog } from '../protocol/state.ts';
import type {
  InspectQuery,
  LoaderService,
  OpenOptions,
  RemoteMethod,
  ServiceState,
} from './loader-service.ts';
import { type FromLeader, isFromLeader, type ToLeader } from './peer-messages.ts';
import type { StoredBlock } from './stored-block.ts';

/** For what the leader answers from what it knows. */
const callMs = 10_000;
/** The leader's own deadline comes first, so that its error, which knows more, is the one seen. */
const graceMs = 2000;
/** An image may have to be opened over a slow link. */
const openMs = 55_000;
const prefetchMs = 60 * 60 * 1000;
/** A block table may have to be fetched before given blocks can be verified. */
const provideMs = 40_000;

/** For what has to reach the disk, or be read from it: a file may come with its content, a map walks many block tables. */
const storeMs = 60_000;
/** All that is stored is read, at half of the disk's speed and behind all readers. */
const scrubMs = 6 * 60 * 60 * 1000;

/** What a call may have besides its arguments. */
interface CallOptions {
  /** Default {@link callMs}. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onBlock?: (block: number, stored: StoredBlock) => void;
}

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
    return this.#call('open', [options], { timeoutMs: openMs });
  }

  async readBlocks(
    query: BlocksQuery,
    onBlock: (block: number, stored: StoredBlock) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#call('readBlocks', [query], { timeoutMs: query.timeoutMs + graceMs, onBlock, signal });
  }

  readBootstrap(image: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call('readBootstrap', [image]);
  }

  provideBlocks(image: string, blocks: readonly ProvidedBlock[]): Promise<void> {
    return this.#call('provideBlocks', [image, blocks], { timeoutMs: provideMs });
  }

  expectBlocks(image: string, blocks: BlockRun): Promise<void> {
    return this.#call('expectBlocks', [image, blocks]);
  }

  pendingReads(
    image: string,
    after: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<readonly PendingReadInfo[]> {
    return this.#call('pendingReads', [image, after, waitMs], { timeoutMs: waitMs + graceMs, signal });
  }

  state(image: string): Promise<ServiceState> {
    return this.#call('state', [image]);
  }

  logReads(image: string, life: string, reads: readonly ServedRead[]): Promise<void> {
    return this.#call('logReads', [image, life, reads]);
  }

  readLog(image: string): Promise<ReadLog> {
    return this.#call('readLog', [image]);
  }

  setReadLog(image: string, capacity: number): Promise<void> {
    return this.#call('setReadLog', [image, capacity]);
  }

  launched(image: string): Promise<void> {
    return this.#call('launched', [image]);
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
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call('read', [image, path, start, end, timeoutMs], {
      timeoutMs: readDeadlineMs(end - start, timeoutMs) + graceMs,
      signal,
    });
  }

  prefetch(
    image: string,
    paths: readonly string[],
    priority: PrefetchPriority,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#call('prefetch', [image, paths, priority], { timeoutMs: prefetchMs, signal });
  }

  filledRanges(image: string, path: string): Promise<readonly ByteRange[]> {
    return this.#call('filledRanges', [image, path]);
  }

  changeTree(image: string, operation: TreeOperation, request: string): Promise<void> {
    return this.#call('changeTree', [image, operation, request], { timeoutMs: storeMs });
  }

  pin(image: string, paths: readonly string[], pinned: boolean): Promise<void> {
    return this.#call('pin', [image, paths, pinned], { timeoutMs: storeMs });
  }

  evict(image: string, paths: readonly string[]): Promise<void> {
    return this.#call('evict', [image, paths], { timeoutMs: storeMs });
  }

  scrub(image: string, signal: AbortSignal): Promise<ScrubReport> {
    return this.#call('scrub', [image], { timeoutMs: scrubMs, signal });
  }

  fsmap(image: string, query: FsmapQuery): Promise<FsmapPage> {
    return this.#call('fsmap', [image, query], { timeoutMs: storeMs });
  }

  inspect(query: InspectQuery): Promise<Inspection> {
    return this.#call('inspect', [query]);
  }

  overview(): Promise<SiteOverview> {
    return this.#call('overview', []);
  }

  blockTable(image: string, blob: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#call('blockTable', [image, blob]);
  }

  setSwitches(switches: InspectorSwitches): Promise<void> {
    return this.#call('setSwitches', [switches]);
  }

  endLeader(): Promise<void> {
    return this.#call('endLeader', []);
  }

  async close(): Promise<void> {
    this.#channel.close(new SluiceError('disconnected', 'Another loader leads now'));
  }

  /** What comes back is the leader's word: the same build of the same loader, under the same origin. */
  #call<T>(
    method: RemoteMethod,
    args: readonly unknown[],
    { timeoutMs = callMs, signal, onBlock }: CallOptions = {},
  ): Promise<T> {
    const from = this.#loader;
    return this.#channel.call<T>({
      name: `${method} of the leading loader`,
      message: (id) => ({ type: 'call', from, id, method, args }),
      cancel: (id) => ({ type: 'cancel', from, id }),
      timeoutMs,
      ...(signal ? { signal } : {}),
      onReply: (reply) => {
        if (reply.type === 'failed') throw failure(reply);
        if (reply.type === 'result') return { value: reply.value as T };
        onBlock?.(reply.block, reply.stored);
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
