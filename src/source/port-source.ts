import { fromWireError, SluiceError } from '../format/errors.ts';
import type { BlockSource, Chunk, RangeRequest } from '../protocol/block-source.ts';
import { Channel, type MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import {
  type FromSource,
  isFromSource,
  type SourceChunk,
  type SourceFailed,
  type ToSource,
} from '../protocol/source-port.ts';
import { OriginError } from './origin-error.ts';

export interface PortSourceOptions {
  /** The other end is served by `serveSource`. */
  readonly port: MessageEndpoint;
  /** A source that gives no further chunk for so long is given up, for this request. Default 10 s. */
  readonly stallMs?: number;
  readonly clock?: Clock;
}

/**
 * A source of blocks in another context, over a port: a peer, an archive, a database, a test. It pulls one chunk after the other, so that
 * nothing piles up here. What it is told is not believed: bytes that are not the next of the file are `bad-origin`, an end that comes too early too.
 * A source that is silent is `read-timeout`, one that is gone `offline`: like a server, it is asked again.
 */
export class PortSource implements BlockSource {
  readonly #channel: Channel<ToSource, FromSource>;
  readonly #stallMs: number;
  #wholeFiles = false;
  #nextStream = 1;

  constructor({ port, stallMs = 10_000, clock }: PortSourceOptions) {
    this.#stallMs = stallMs;
    this.#channel = new Channel(port, {
      accept: isFromSource,
      replyTo: (message) => message.id,
      onMessage: () => {},
      ...(clock ? { clock } : {}),
    });
  }

  get wholeFiles(): boolean {
    return this.#wholeFiles;
  }

  async *fetch(request: RangeRequest): AsyncGenerator<Chunk, void> {
    const { file, end } = request;
    const stream = this.#nextStream++;
    let at: number | undefined;
    let open = true;
    try {
      for (;;) {
        const chunk = await this.#next(stream, request);
        open = chunk !== undefined;
        if (!chunk) break;
        const wrong = at === undefined ? chunk.offset > request.start : chunk.offset !== at;
        at = chunk.offset + chunk.bytes.length;
        if (wrong || at > file.length || chunk.bytes.length === 0) {
          throw new OriginError(`${file.sha256}.bin: the source gave bytes of another place`);
        }
        yield chunk;
      }
      if ((at ?? request.start) < end)
        throw new OriginError(`${file.sha256}.bin: the source ended too early`, { retryable: true });
    } finally {
      if (open) this.#channel.post({ type: 'source-cancel', stream });
    }
  }

  close(): void {
    this.#channel.close();
  }

  async #next(
    stream: number,
    { file, start, end, priority, cached, signal }: RangeRequest,
  ): Promise<Chunk | undefined> {
    signal.throwIfAborted();
    const request = {
      file: { sha256: file.sha256, length: file.length },
      start,
      end,
      priority,
      ...(cached ? { cached } : {}),
    };
    try {
      return await this.#channel.call<Chunk | undefined>({
        name: `The source of ${file.sha256}.bin`,
        message: (id) => ({ type: 'source-next', id, stream, request }),
        timeoutMs: this.#stallMs,
        signal,
        onReply: (reply) => ({ value: this.#take(reply) }),
      });
    } catch (error) {
      if (signal.aborted || !(error instanceof SluiceError)) throw error;
      throw asReadError(error);
    }
  }

  #take(reply: SourceChunk | SourceFailed): Chunk | undefined {
    if (reply.type === 'source-failed') throw failure(reply);
    this.#wholeFiles = reply.wholeFiles;
    return reply.chunk;
  }
}

function failure({ error, retryable, retryAfterMs }: SourceFailed): SluiceError {
  return error.code === 'bad-origin'
    ? new OriginError(error.message, { retryable, retryAfterMs })
    : fromWireError(error);
}

/** What ends a call between contexts, in the words of a source. */
function asReadError(error: SluiceError): SluiceError {
  if (error.code === 'call-timeout') return new SluiceError('read-timeout', error.message, { cause: error });
  if (error.code === 'disconnected' || error.code === 'closed')
    return new SluiceError('offline', error.message, { cause: error });
  return error;
}
