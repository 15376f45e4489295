import { SluiceError, toWireError, type WireError } from '../format/errors.ts';
import type { BlockSource, Chunk, RangeRequest } from './block-source.ts';
import { Channel, type MessageEndpoint } from './channel.ts';
import {
  hasShape,
  isBytes,
  isCount,
  isDigest,
  isMessageOf,
  isOneOf,
  isOptional,
  isWireError,
  type Shape,
} from './shapes.ts';

/**
 * A {@link BlockSource} of the page, used by its loader: what travels on the port between them. The loader pulls: each `source-next` is
 * answered by one chunk, the end or a failure, so that a fast source never runs ahead of what the loader takes. The idea of a data loader
 * outside of the filesystem is Incremental FS's.
 */

/** Loader → page: the next bytes of stream `stream`, which begins with its first request. */
export interface SourceNext {
  readonly type: 'source-next';
  readonly id: number;
  readonly stream: number;
  readonly request: Omit<RangeRequest, 'signal'>;
}

/** Loader → page: nobody wants more of the stream. */
export interface SourceCancel {
  readonly type: 'source-cancel';
  readonly stream: number;
}

/** Page → loader: one answer to `source-next`. `bytes` is transferred; undefined at the end. */
export interface SourceChunk {
  readonly type: 'source-chunk';
  readonly id: number;
  readonly chunk: Chunk | undefined;
  /** See BlockSource; as it is now. */
  readonly wholeFiles: boolean;
}

/** Page → loader: the stream has failed. */
export interface SourceFailed {
  readonly type: 'source-failed';
  readonly id: number;
  readonly error: WireError;
  /** What an OriginError knows beyond its code. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
}

export type ToSource = SourceNext | SourceCancel;
export type FromSource = SourceChunk | SourceFailed;

const requestShape: Shape = {
  file: (value) => hasShape(value, { sha256: isDigest, length: isCount }),
  start: isCount,
  end: isCount,
  priority: isOneOf('high', 'low'),
  cached: isOptional(isOneOf(true, false)),
};

const toSourceShapes: Record<ToSource['type'], Shape> = {
  'source-next': { id: isCount, stream: isCount, request: (value) => hasShape(value, requestShape) },
  'source-cancel': { stream: isCount },
};

const fromSourceShapes: Record<FromSource['type'], Shape> = {
  'source-chunk': {
    id: isCount,
    chunk: isOptional((value) => hasShape(value, { offset: isCount, bytes: isBytes })),
    wholeFiles: isOneOf(true, false),
  },
  'source-failed': {
    id: isCount,
    error: isWireError,
    retryable: isOneOf(true, false),
    retryAfterMs: isOptional(isCount),
  },
};

export function isToSource(value: unknown): value is ToSource {
  return isMessageOf(toSourceShapes, value);
}

export function isFromSource(value: unknown): value is FromSource {
  return isMessageOf(fromSourceShapes, value);
}

/**
 * Answers a loader's requests at the other end of `port` with `source`, until the answered function is called, or the port closes. Bytes are
 * copied before they are sent: the source keeps its own.
 */
export function serveSource(source: BlockSource, port: MessageEndpoint): () => void {
  const streams = new Map<number, Stream>();
  const channel: Channel<FromSource, ToSource> = new Channel(port, {
    accept: isToSource,
    replyTo: () => undefined,
    onMessage: (message) => {
      if (message.type === 'source-next') void next(message);
      else end(message.stream);
    },
    onClose: () => {
      for (const stream of [...streams.keys()]) end(stream);
    },
  });
  const end = (stream: number): void => {
    streams.get(stream)?.end();
    streams.delete(stream);
  };
  const next = async ({ id, stream, request }: SourceNext): Promise<void> => {
    try {
      const running = streams.get(stream) ?? new Stream(source, request);
      streams.set(stream, running);
      const chunk = await running.next();
      if (!chunk) streams.delete(stream);
      const answer: SourceChunk = { type: 'source-chunk', id, chunk, wholeFiles: source.wholeFiles };
      // Whoever asked would not hear it, and wait.
      if (!isFromSource(answer))
        throw new SluiceError(
          'unreadable',
          'A source has `wholeFiles`, and gives chunks of `offset` and `bytes`',
        );
      channel.post(answer, chunk ? [chunk.bytes.buffer] : []);
    } catch (error) {
      channel.post({ type: 'source-failed', id, ...failure(error) });
      end(stream);
    }
  };
  return () => channel.close();
}

/** One request under way in the page's source. */
class Stream {
  readonly #abort = new AbortController();
  readonly #chunks: AsyncIterator<Chunk>;

  constructor(source: BlockSource, request: SourceNext['request']) {
    this.#chunks = source.fetch({ ...request, signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  /** A chunk in a buffer of its own; undefined at the end. */
  async next(): Promise<Chunk | undefined> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      if (value.bytes.length !== 0) return { offset: value.offset, bytes: value.bytes.slice() };
    }
  }

  end(): void {
    this.#abort.abort(new SluiceError('closed', 'Nobody wants these bytes any more'));
    // A source that waits for something else than its signal is not waited for.
    this.#chunks.return?.(undefined).catch(() => {});
  }
}

function failure(error: unknown): Pick<SourceFailed, 'error' | 'retryable' | 'retryAfterMs'> {
  const { retryable, retryAfterMs } = (error ?? {}) as { retryable?: unknown; retryAfterMs?: unknown };
  const ms = Math.min(Math.max(0, Math.round(Number(retryAfterMs))), Number.MAX_SAFE_INTEGER);
  return {
    error: toWireError(error),
    retryable: retryable === true,
    retryAfterMs: isCount(ms) ? ms : undefined,
  };
}
