import { SluiceError } from '../format/errors.ts';
import { type FileBytes, pieceBytes, type ReadOptions } from './file-bytes.ts';

export interface ReadStreamOptions extends ReadOptions {
  /** First byte. Default 0. */
  readonly start?: number;
  /** Last byte, inclusive, as in Node's `fs.createReadStream`. Default: the file's last. */
  readonly end?: number;
}

/** The file's bytes from `start` to `end`, both inclusive and both clamped to the file, a piece a pull. Cancelling withdraws the read. */
export function readStream(
  bytes: FileBytes,
  path: string,
  options: ReadStreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { start = 0, end = Number.POSITIVE_INFINITY, signal, timeoutMs } = options;
  if (!(Number.isSafeInteger(start) && start >= 0 && end >= start)) {
    throw new SluiceError('EINVAL', `EINVAL: from ${start} to ${end} is no range`, { path });
  }
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(signal?.reason);
  const over = (): void => signal?.removeEventListener('abort', onAbort);
  const unlessFailed = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      over();
      throw error;
    }
  };
  let at = start;
  let stop = 0;
  return new ReadableStream({
    start: async () => {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', onAbort);
      stop = Math.min((await unlessFailed(bytes.stat(path))).size, end + 1);
    },
    pull: async (controller) => {
      if (at >= stop) {
        over();
        controller.close();
        return;
      }
      const to = Math.min(stop, at + pieceBytes);
      const piece = await unlessFailed(bytes.piece(path, at, to, { timeoutMs, signal: abort.signal }));
      at = to;
      controller.enqueue(piece);
    },
    cancel: (reason) => {
      over();
      abort.abort(reason);
    },
  });
}
