import { asSluiceError, codeOf, SluiceError } from '../src/format/errors.ts';
import type { FileTree } from '../src/image/file-tree.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { deferred } from '../src/protocol/deferred.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Deliver, EncodedBlock } from './encoded-block.ts';
import type { LoaderPort, LoaderPorts } from './loader-ports.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { blocksOf, type Run, runsOf } from './runs.ts';
import type { SelfFetch } from './self-fetch.ts';
import type { ServedReads } from './served-reads.ts';

/** Consecutive blocks that one reader wants. */
export interface ReadRequest extends Run {
  readonly image: FileTree;
  /** For people: errors, state(), the read log. */
  readonly path: string;
  readonly blob: number;
  /** How long the reader is ready to wait for each block; 0 = only what is here. */
  readonly timeoutMs: number;
  /** Whether a page is there that could still bring a loader. */
  readonly mayWaitForLoader: boolean;
  /** Only a part of each block is wanted, so that another reader may soon want the rest of it. */
  readonly partial: boolean;
  /** One of many reads of a long answer: worth a loader's thread where there is one. */
  readonly long: boolean;
}

/** Blocks that are wanted here before somebody reads them. */
export type BringRequest = Omit<ReadRequest, 'path' | 'mayWaitForLoader' | 'partial' | 'long'>;

/** A read that is under way. `bytes` settles within the deadline. */
export interface PendingBlock {
  /** The decoded block; shared with other readers, so it must not be written or transferred. */
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
  /** Nobody waits for it any more: `bytes` rejects, if it has not settled. */
  withdraw(): void;
}

export interface BlockReaderOptions {
  /** Undefined where there is no store (no OPFS, nothing stored yet). */
  readonly local: () => Promise<Pick<LocalBlocks, 'has' | 'read'> | undefined>;
  readonly ports: Pick<LoaderPorts, 'best' | 'wait'>;
  readonly selfFetch: Pick<SelfFetch, 'read' | 'give'>;
  readonly served: Pick<ServedReads, 'note'>;
  readonly decode: (block: EncodedBlock) => Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
}

const decodedCacheBytes = 8 * 1024 * 1024;
/** A reader with a timeout of 0 does not wait for bytes to come, but reading what is here takes its time too. */
const localReadMs = 1000;
/** A loader that has not decoded what is here by then has too much to do; whoever waits less long than several times that does not ask it. */
const decodeElsewhereMs = 1000;
const hurryMs = 5000;

/** A block on its way; several readers may share it. */
interface Arrival {
  readonly key: string;
  readonly batch: Batch;
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (reason: unknown) => void;
  readers: number;
  /** Somebody waits for it, and not only if it is here. */
  isAwaited: boolean;
  /** When the last of its readers gives up, by the system clock's `now()`. */
  deadline: number;
  /** Some reader wants a part only: worth keeping decoded. */
  keep: boolean;
  decodedMs: number;
}

/** The blocks that one request brings: those of its run that were not on their way already, by index. */
interface Batch {
  readonly request: ReadRequest;
  /** It goes on whether or not somebody waits. */
  readonly ahead: boolean;
  readonly abort: AbortController;
  /** What has not been delivered yet. */
  readonly missing: Map<number, Arrival>;
}

/**
 * Reads blocks: from the store, else through a loader, else from the network by itself. A block is on its way once at a
 * time, however many readers wait. Each reader has its own deadline and may withdraw; when all readers of a batch did, its
 * requests are cancelled. A loader that dies in the middle is replaced by the next source for what is left.
 */
export class BlockReader {
  readonly #options: BlockReaderOptions;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #noDecoders = new WeakSet<LoaderPort>();
  /** Blocks that small files share, or that are read by range. */
  readonly #decoded = new BoundedCache<Uint8Array<ArrayBuffer>>(decodedCacheBytes);

  constructor(options: BlockReaderOptions) {
    this.#options = options;
  }

  /** One pending block for each block of the request, in order. */
  read(request: ReadRequest): PendingBlock[] {
    const { sha256 } = request.image.blob(request.blob);
    const batch = newBatch(request, false);
    const pending = [...blocksOf(request)].map((block): PendingBlock => {
      const key = `${sha256}:${block}`;
      const decoded = this.#decoded.get(key);
      if (decoded) {
        this.#note(request, block, 0, 0, undefined);
        return { bytes: Promise.resolve(decoded), withdraw: () => {} };
      }
      return this.#join(this.#arrivals.get(key) ?? this.#await(key, batch, block), request, block);
    });
    if (batch.missing.size > 0) void this.#load(batch);
    return pending;
  }

  /**
   * Fetches blocks that nobody may be waiting for yet; whoever does joins in. Settles when they have come or failed, which is for their readers to hear:
   * never rejects.
   */
  async bring(request: BringRequest): Promise<void> {
    const { sha256 } = request.image.blob(request.blob);
    const batch = newBatch(
      { ...request, path: '', mayWaitForLoader: false, partial: false, long: false },
      true,
    );
    for (const block of blocksOf(request)) {
      const key = `${sha256}:${block}`;
      if (this.#arrivals.has(key)) continue;
      const arrival = this.#await(key, batch, block);
      arrival.isAwaited = true;
      arrival.deadline = systemClock.now() + request.timeoutMs;
    }
    if (batch.missing.size > 0) await this.#load(batch);
  }

  /** What was read from the store before this call is not served from memory any more. */
  forgetDecoded(): void {
    this.#decoded.clear();
    for (const arrival of this.#arrivals.values()) arrival.keep = false;
  }

  /** The block is on its way from now on, with its batch. */
  #await(key: string, batch: Batch, block: number): Arrival {
    const arrival = newArrival(key, batch);
    this.#arrivals.set(key, arrival);
    batch.missing.set(block, arrival);
    return arrival;
  }

  #join(arrival: Arrival, request: ReadRequest, block: number): PendingBlock {
    const began = systemClock.now();
    const waitMs = Math.max(request.timeoutMs, localReadMs);
    arrival.readers += 1;
    arrival.keep ||= request.partial;
    arrival.isAwaited ||= request.timeoutMs > 0;
    arrival.deadline = Math.max(arrival.deadline, systemClock.now() + waitMs);
    const { promise, resolve, reject } = deferred<Uint8Array<ArrayBuffer>>();
    const note = (failed?: string): void =>
      this.#note(request, block, Math.round(systemClock.now() - began), arrival.decodedMs, failed);
    promise.then(
      () => note(),
      // It is thrown where it is awaited. That nobody waits any more is no error.
      (error: unknown) => {
        const code = codeOf(error);
        if (code !== 'closed') note(code);
      },
    );
    let waiting = true;
    const leave = (): void => {
      if (!waiting) return;
      waiting = false;
      stopTimer();
      arrival.readers -= 1;
      if (arrival.readers === 0) this.#abandonIfUnread(arrival.batch);
    };
    const stopTimer = systemClock.after(waitMs, () => {
      reject(timedOut(request));
      leave();
    });
    arrival.bytes.then(resolve, reject).finally(leave);
    const withdraw = (): void => {
      reject(new SluiceError('closed', `Nobody waits for /${request.path} any more`));
      leave();
    };
    return { bytes: promise, withdraw };
  }

  /** A batch of which somebody still wants a block goes on as a whole: the others may find a reader again. */
  #abandonIfUnread({ ahead, missing, abort }: Batch): void {
    if (ahead) return;
    const arrivals = [...missing.values()];
    if (arrivals.length === 0 || arrivals.some(({ readers }) => readers > 0)) return;
    for (const { key } of arrivals) this.#arrivals.delete(key);
    abort.abort();
  }

  async #load(batch: Batch): Promise<void> {
    const { image, blob } = batch.request;
    const deliver: Deliver = (block, encoded) => {
      const arrival = batch.missing.get(block);
      batch.missing.delete(block);
      if (arrival) void this.#settle(arrival, encoded);
    };
    try {
      const local = await this.#options.local();
      if (local) {
        if (batch.request.long) await this.#decodeElsewhere(batch, local, deliver);
        const runs = runsOf([...batch.missing.keys()]);
        await Promise.all(runs.map((run) => local.read(image.blob(blob), run, deliver)));
      }
    } catch (error) {
      this.#fail(batch, [...batch.missing.keys()], error);
    }
    await Promise.all(runsOf([...batch.missing.keys()]).map((run) => this.#loadMissing(batch, run, deliver)));
  }

  /**
   * What is here, decoded by a loader while this thread writes the answer (measured: half as fast again). What does not come is read and decoded
   * here, and a loader that failed, or has no time, is not asked so again.
   */
  async #decodeElsewhere(
    { request, abort, missing }: Batch,
    local: Pick<LocalBlocks, 'has'>,
    deliver: Deliver,
  ): Promise<void> {
    const port = this.#options.ports.best;
    // One that does not lead (yet: a page that is only starting) would have to wait, or to ask another itself.
    if (port?.role !== 'leader' || this.#noDecoders.has(port) || request.timeoutMs < hurryMs) return;
    const { image, blob, path } = request;
    const here = [...missing.keys()].filter((block) => local.has(image.blob(blob), block));
    const want = { image: image.id, path, blob, timeoutMs: decodeElsewhereMs, decoded: true };
    const reads = runsOf(here).map((run) => port.readBlocks({ ...run, ...want }, deliver, abort.signal));
    try {
      await Promise.all(reads);
    } catch (error) {
      if (abort.signal.aborted) throw error;
      this.#noDecoders.add(port);
      console.info('sluice: the loader does not decode:', asSluiceError(error).message);
    }
  }

  /** Ends with every block of the run delivered or failed. */
  async #loadMissing(batch: Batch, run: Run, deliver: Deliver): Promise<void> {
    const left = (): number[] => [...blocksOf(run)].filter((block) => batch.missing.has(block));
    const { image, blob } = batch.request;
    try {
      for (const block of left()) this.#options.selfFetch.give(image, blob, block, deliver);
      for (const part of runsOf(left())) await this.#ask(batch, part, deliver);
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : undefined;
      const now = systemClock.now();
      const isExpired = ({ isAwaited, deadline }: Arrival): boolean => !isAwaited || deadline <= now;
      const expired = left().filter((block) => isExpired(batch.missing.get(block)!));
      if (batch.abort.signal.aborted) this.#fail(batch, left(), error);
      // The loader is gone: what is left is asked again, of whoever is there now (no longer than somebody waits for it).
      else if (code === 'disconnected') await this.#loadMissing(batch, run, deliver);
      // One bad block must not fail its neighbours, which other files may share: each gets its own verdict.
      else if (code === 'integrity' && left().length > 1) {
        await Promise.all(left().map((first) => this.#loadMissing(batch, { first, count: 1 }, deliver)));
      }
      // The reader who asked first has waited long enough, or would not wait at all; others came later.
      else if (code === 'read-timeout' && expired.length < left().length) {
        this.#fail(batch, expired, error);
        await this.#loadMissing(batch, run, deliver);
      } else this.#fail(batch, left(), error);
    }
  }

  /** A run of missing blocks, from a loader if there is one. */
  async #ask(batch: Batch, run: Run, deliver: Deliver): Promise<void> {
    const { request, abort, missing } = batch;
    const { image, blob, path } = request;
    const { ports, selfFetch } = this.#options;
    // What is brought ahead a loader that comes meanwhile does not have to ask for: it is told that it is under way.
    const port = batch.ahead
      ? undefined
      : (ports.best ?? (request.mayWaitForLoader ? await ports.wait(abort.signal) : undefined));
    const arrivals = [...blocksOf(run)].flatMap((block) => missing.get(block) ?? []);
    const now = systemClock.now();
    const timeoutMs = arrivals.every(({ isAwaited }) => isAwaited)
      ? Math.max(1, ...arrivals.map(({ deadline }) => deadline - now))
      : 0;
    if (port) {
      try {
        return await port.readBlocks(
          { ...run, image: image.id, path, blob, timeoutMs },
          deliver,
          abort.signal,
        );
      } catch (error) {
        // A loader of an older tab may not know this image, nor be able to: no reason to fail while the network can.
        if (!(error instanceof SluiceError) || error.code !== 'unreadable') throw error;
        console.info('sluice: the loader could not read, fetching by ourselves:', error.message);
      }
    }
    if (timeoutMs === 0) throw timedOut(request);
    if (image.blob(blob).blockSize !== undefined) {
      throw new SluiceError('offline', `/${path} was made at run time: only a data loader has its bytes`, {
        path,
      });
    }
    const left = [...blocksOf(run)].filter((block) => missing.has(block));
    for (const part of runsOf(left)) {
      await selfFetch.read(image, blob, part, deliver, { timeoutMs, signal: abort.signal });
    }
  }

  #note(
    { image, path, blob }: ReadRequest,
    block: number,
    waitedMs: number,
    decodedMs: number,
    failed: string | undefined,
  ): void {
    const read = { path, blob, first: block, count: 1, at: Date.now() - waitedMs, waitedMs, decodedMs };
    this.#options.served.note(image.id, failed === undefined ? read : { ...read, failed });
  }

  async #settle(arrival: Arrival, encoded: EncodedBlock): Promise<void> {
    // Brought ahead, and nobody has come for it yet: it is remembered as it is.
    if (arrival.readers === 0) return this.#forget(arrival);
    try {
      const began = systemClock.now();
      const bytes = await this.#options.decode(encoded);
      arrival.decodedMs = systemClock.now() - began;
      if (arrival.keep) {
        // A raw block may be a view of a whole run's bytes, which must not live as long as it.
        const own = bytes.buffer.byteLength === bytes.length ? bytes : bytes.slice();
        this.#decoded.set(arrival.key, own, own.length);
      }
      arrival.resolve(bytes);
    } catch (error) {
      arrival.reject(error);
    }
    this.#forget(arrival);
  }

  #fail(batch: Batch, blocks: readonly number[], error: unknown): void {
    for (const block of blocks) {
      const arrival = batch.missing.get(block);
      batch.missing.delete(block);
      if (!arrival) continue;
      arrival.reject(error);
      this.#forget(arrival);
    }
  }

  /** Nothing that failed is remembered: the next read tries again. An abandoned key may belong to a newer arrival by now. */
  #forget(arrival: Arrival): void {
    if (this.#arrivals.get(arrival.key) === arrival) this.#arrivals.delete(arrival.key);
  }
}

function newBatch(request: ReadRequest, ahead: boolean): Batch {
  return { request, ahead, abort: new AbortController(), missing: new Map() };
}

function newArrival(key: string, batch: Batch): Arrival {
  const { promise, resolve, reject } = deferred<Uint8Array<ArrayBuffer>>();
  promise.catch(() => {}); // Each reader sees it through its own promise; without readers it is nobody's failure.
  return {
    key,
    batch,
    bytes: promise,
    resolve,
    reject,
    readers: 0,
    isAwaited: false,
    deadline: 0,
    keep: false,
    decodedMs: 0,
  };
}

function timedOut({ path, timeoutMs }: ReadRequest): SluiceError {
  return new SluiceError('read-timeout', `No bytes of /${path} came within ${timeoutMs} ms`, { path });
}
