import { decodeBlock } from '../codec/decode-block.ts';
import type { StartZstd } from '../codec/zstd-decoder.ts';
import { codecId } from '../format/codec-id.ts';
import { SluiceError, toWireError } from '../format/errors.ts';
import { Channel, type MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import { isToLoader } from '../protocol/guards.ts';
import {
  type FromLoader,
  type Hello,
  type ProvideBlocks,
  protocolVersion,
  type ReadBlocks,
  type ToLoader,
  type WorkerFacts,
} from '../protocol/messages.ts';
import { watchLock } from '../protocol/watch-lock.ts';
import type { LoaderService } from './loader-service.ts';
import type { StoredBlock } from './stored-block.ts';

/** For a service worker to look at the store again. */
const storeSeenMs = 2000;
const factsMs = 1000;
/**
 * What a service worker had asked for when it died goes on for so long: the next read starts it again, and then it asks for the same. Measured with one that
 * was killed eight times while two tabs read: 2.2 to 3.6 % of the image were fetched twice without, under 1 % with it.
 */
const orphanMs = 2000;

/** Does something with the service of the moment (see Succession). */
export type UseService = <T>(name: string, work: (service: LoaderService) => Promise<T>) => Promise<T>;

/** One service worker at the other end of a brokered port: its requests to the service, the service's news to it. */
export class ServiceWorkerPort {
  readonly #channel: Channel<FromLoader, ToLoader>;
  readonly #locks: Pick<LockManager, 'request'>;
  readonly #use: UseService;
  readonly #zstd: StartZstd;
  readonly #end = new AbortController();
  readonly #reads = new Map<number, AbortController>();
  #closing = false;

  constructor(
    endpoint: MessageEndpoint,
    locks: Pick<LockManager, 'request'>,
    use: UseService,
    clock: Clock,
    zstd: StartZstd,
    onClose: (port: ServiceWorkerPort) => void,
  ) {
    this.#locks = locks;
    this.#use = use;
    this.#zstd = zstd;
    this.#channel = new Channel(endpoint, {
      accept: isToLoader,
      replyTo: (message) =>
        message.type === 'store-seen' || message.type === 'facts' ? message.id : undefined,
      onMessage: (message) => void this.#onMessage(message),
      onClose: () => {
        this.#end.abort();
        if (this.#closing) this.#withdraw();
        else if (this.#reads.size > 0) clock.after(orphanMs, () => this.#withdraw());
        onClose(this);
      },
    });
  }

  hello(loader: string, role: Hello['role']): void {
    this.post({ type: 'hello', version: protocolVersion, loader, role });
  }

  post(message: FromLoader): void {
    this.#channel.post(message);
  }

  /**
   * Tells that the store has changed, and resolves when the service worker answers by what is there now. A service worker that was
   * stopped is not waited for: it reads everything anew when it starts. One that says nothing is not waited for long.
   */
  async storeSeen(): Promise<void> {
    const seen = this.#channel.call<true>({
      name: 'store-changed',
      message: (id) => ({ type: 'store-changed', sealed: [], id }),
      timeoutMs: storeSeenMs,
      onReply: () => ({ value: true }),
    });
    await seen.catch((error: unknown) => console.info('sluice: the service worker did not answer:', error));
  }

  /** Undefined where it does not say: they are told to people, and nothing hangs on them. */
  async facts(): Promise<WorkerFacts | undefined> {
    try {
      return await this.#channel.call<WorkerFacts>({
        name: 'facts-wanted',
        message: (id) => ({ type: 'facts-wanted', id }),
        timeoutMs: factsMs,
        onReply: (reply) => (reply.type === 'facts' ? { value: reply } : undefined),
      });
    } catch (error) {
      console.info('sluice: the service worker did not answer:', error);
      return undefined;
    }
  }

  close(): void {
    this.#closing = true;
    this.#channel.close();
  }

  #withdraw(): void {
    // Not `disconnected`: that would say that the leader is gone, see Succession.use.
    for (const abort of this.#reads.values()) abort.abort(new SluiceError('closed', 'The port was closed'));
  }

  async #onMessage(message: ToLoader): Promise<void> {
    switch (message.type) {
      case 'alive':
        return watchLock(this.#locks, message.lock, this.#channel, this.#end.signal);
      case 'cancel':
        this.#reads.get(message.id)?.abort(new SluiceError('closed', 'Nobody waits any more'));
        return;
      case 'read-blocks':
        return this.#answer(message.id, () => this.#readBlocks(message));
      case 'read-bootstrap':
        return this.#answer(message.id, async () => {
          const bytes = await this.#use('read-bootstrap', (service) => service.readBootstrap(message.image));
          this.#channel.post({ type: 'bootstrap', id: message.id, bytes }, [bytes.buffer]);
        });
      case 'provide-blocks':
        // A gift: whoever gave it does not wait, and what is not taken is fetched.
        return this.#use('provide-blocks', (service) => takeGift(service, message)).catch((error) =>
          console.info('sluice: provided blocks were not taken:', error),
        );
      case 'bringing-blocks': {
        const { image, blob, first, count } = message;
        return this.#use('bringing-blocks', (service) =>
          service.expectBlocks(image, { blob, first, count }),
        ).catch((error) => console.info('sluice: expected blocks are fetched all the same:', error));
      }
      case 'reads-served': {
        const { image, life, reads } = message;
        return this.#use('reads-served', (service) => service.logReads(image, life, reads)).catch((error) =>
          console.info('sluice: reads were not logged:', error),
        );
      }
    }
  }

  async #readBlocks(message: ReadBlocks): Promise<void> {
    const { id } = message;
    const abort = new AbortController();
    this.#reads.set(id, abort);
    // A new leader is asked for all of them again; the service worker counts on one reply a block.
    const sent = new Set<number>();
    const decoding: Promise<void>[] = [];
    try {
      await this.#use(`read-blocks ${message.path}`, (service) =>
        service.readBlocks(
          message,
          (block, stored) => {
            if (sent.has(block)) return;
            sent.add(block);
            if (message.decoded && stored.codec !== codecId.raw) {
              const posted = this.#postDecoded(id, block, stored);
              // It ends the request, whatever is still to come of it.
              posted.catch((error: unknown) => abort.abort(error));
              decoding.push(posted);
            } else this.#post(id, block, { ...stored, bytes: stored.bytes.slice() });
          },
          abort.signal,
        ),
      );
      await Promise.all(decoding);
    } finally {
      this.#reads.delete(id);
    }
  }

  async #postDecoded(id: number, block: number, { codec, bytes, logicalLength }: StoredBlock): Promise<void> {
    const logical = await decodeBlock(codec, bytes, logicalLength, this.#zstd);
    this.#post(id, block, { codec: codecId.raw, logicalLength, bytes: logical });
  }

  /** The bytes are given away. */
  #post(id: number, block: number, { codec, logicalLength, bytes }: StoredBlock): void {
    this.#channel.post({ type: 'block', id, block, codec, logicalLength, bytes }, [bytes.buffer]);
  }

  async #answer(id: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#channel.post({ type: 'failed', id, error: toWireError(error) });
    }
  }
}

/** To verify and store them takes its time, in which they must not be asked for. */
async function takeGift(service: LoaderService, { image, blocks }: ProvideBlocks): Promise<void> {
  for (const { blob, block } of blocks)
    if (block >= 0) await service.expectBlocks(image, { blob, first: block, count: 1 });
  await service.provideBlocks(image, blocks);
}
