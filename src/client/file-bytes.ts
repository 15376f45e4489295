import { SluiceError } from '../format/errors.ts';
import { readDeadlineMs } from '../protocol/read-deadline.ts';
import type { LoaderProcess } from './loader-process.ts';
import { Stats } from './stats.ts';
import { untilAborted } from './until-aborted.ts';

/** How one read waits. */
export interface ReadOptions {
  /** Withdraws the read: blocks that nobody else waits for are not asked for any more. */
  readonly signal?: AbortSignal | undefined;
  /** How long each missing block is waited for, in ms; 0 = not at all. Default: the mount's `readTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** One call's worth of a long read: each has a deadline of its own, so that a slow link may take its time for a large file. */
export const pieceBytes = 1 << 20;
/** Pieces asked for at once, so that the link never idles between two calls. */
const piecesAtOnce = 4;
/** The loader ends a read that is late; this is for a loader that says nothing. */
const graceMs = 5_000;
let lastTicket = 0;

/** Bytes of files, through a loader. */
export class FileBytes {
  readonly #loader: LoaderProcess;
  readonly #timeoutMs: () => number;

  /** `timeoutMs` is asked at each read that brings none. */
  constructor(loader: LoaderProcess, timeoutMs: () => number) {
    this.#loader = loader;
    this.#timeoutMs = timeoutMs;
  }

  /** Of a file: `EISDIR` for a directory. */
  async stat(path: string): Promise<Stats> {
    const stats = new Stats(await this.#loader.call(`stat ${path}`, (api) => api.stat(path)));
    if (stats.isDirectory())
      throw new SluiceError('EISDIR', `EISDIR: illegal operation on a directory, read '${path}'`, { path });
    return stats;
  }

  /** Bytes `[start, end)` of the file, which has them, in a buffer of their own. At most {@link pieceBytes}. */
  async piece(
    path: string,
    start: number,
    end: number,
    options: ReadOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { signal, timeoutMs = this.#timeoutMs() } = options;
    if (!(timeoutMs >= 0))
      throw new SluiceError('EINVAL', `EINVAL: ${timeoutMs} ms is no time to wait`, { path });
    signal?.throwIfAborted();
    const ticket = ++lastTicket;
    const bytes = this.#loader.call(
      `read ${path}`,
      (api) => api.read(path, start, end, timeoutMs, ticket),
      readDeadlineMs(end - start, timeoutMs) + graceMs,
    );
    if (signal === undefined) return bytes;
    const withdraw = (): void => {
      this.#loader
        .call('cancelRead', (api) => api.cancelRead(ticket))
        .catch((error) => console.info('sluice: a read goes on until its deadline:', error));
    };
    signal.addEventListener('abort', withdraw);
    return untilAborted(bytes, signal).finally(() => signal.removeEventListener('abort', withdraw));
  }

  /** Fills `target` with the bytes of the file from `start`, some pieces at a time. When one fails the others are withdrawn. */
  async fill(target: Uint8Array, path: string, start: number, options: ReadOptions = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    let next = 0;
    const some = async (): Promise<void> => {
      while (next < target.length) {
        const at = next;
        next = Math.min(target.length, at + pieceBytes);
        const bytes = await this.piece(path, start + at, start + next, { ...options, signal: abort.signal });
        target.set(bytes, at);
      }
    };
    try {
      await Promise.all(Array.from({ length: piecesAtOnce }, some));
    } catch (error) {
      abort.abort(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
