import { SluiceError } from '../format/errors.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import type { FsmapRow } from '../protocol/fsmap.ts';
import type {
  ByteRange,
  LoaderApi,
  PrefetchPriority,
  ProvidedBlock,
  ScrubReport,
} from '../protocol/loader-api.ts';
import type { PendingReadInfo, ReadLog, SluiceState } from '../protocol/state.ts';
import { type FsmapRange, fsmapRows } from './fsmap-rows.ts';
import type { ImageListening } from './image-events.ts';
import type { LoaderProcess } from './loader-process.ts';
import {
  type CreateFileOptions,
  createFile,
  type FileContent,
  messageBytes,
  metaBytes,
  type NewFileOptions,
} from './new-file.ts';
import { type PendingReadsOptions, pendingSnapshots } from './pending-snapshots.ts';

/** A reader's deadline where the page sets no other. */
const defaultReadTimeoutMs = 30_000;
/** For what has to reach the disk before it is answered. */
const storeDeadlineMs = 60_000;

/**
 * An image at work: what is in it, what is made in it at run time, what waits, what is stored. `window.sluice` and a {@link MountedImage}
 * are both of these. Paths are the image's, with or without a leading slash. Everything rejects with SluiceErrors that are shaped like
 * Node's (`code`, `path`).
 *
 * What is made at run time (Incremental FS's loaders add files so) is durable when its call resolves, and every tab and the service worker
 * see it at once. Codes: ENOENT, EEXIST, ENOTDIR, EISDIR, EINVAL, EMLINK, ENOTEMPTY, ENAMETOOLONG, ENFILE, E2BIG, EFBIG.
 */
export class LiveImage extends EventTarget {
  declare addEventListener: ImageListening<AddEventListenerOptions>;
  declare removeEventListener: ImageListening<EventListenerOptions>;
  readonly #loader: LoaderProcess;
  #readTimeoutMs = defaultReadTimeoutMs;

  constructor(loader: LoaderProcess) {
    super();
    this.#loader = loader;
  }

  /** What is here, what is missing, who waits for what. */
  state(): Promise<SluiceState> {
    return this.#loader.call('state', (api) => api.state());
  }

  /** Resolves when every block of the image is stored: from then on it needs no network. */
  whenComplete(): Promise<void> {
    return this.#loader.whenComplete();
  }

  /** How long a read may wait for a missing block, in ms; 0 = not at all. Holds for reads that start later. */
  get readTimeoutMs(): number {
    return this.#readTimeoutMs;
  }

  set readTimeoutMs(ms: number) {
    if (!(ms >= 0)) throw new RangeError(`readTimeoutMs must be milliseconds, 0 or more, not ${ms}`);
    this.#readTimeoutMs = ms;
  }

  /**
   * Resolves when all of these files are stored. `demand`: as if somebody waited for them. `launch` (the default): before the background's work.
   * `background`: in its turn.
   */
  prefetch(
    paths: readonly string[],
    { priority = 'launch' }: { readonly priority?: PrefetchPriority } = {},
  ): Promise<void> {
    return this.#act(paths, 'prefetch', (api, files) => api.prefetch(files, priority));
  }

  /** The parts of a file that can be read without waiting: half-open, in order, apart. (Incremental FS's GET_FILLED_BLOCKS.) */
  filledRanges(path: string): Promise<readonly ByteRange[]> {
    return this.#loader.call(`filledRanges ${path}`, (api) => api.filledRanges(path));
  }

  /** Keeps these files (none given = the whole image), and whatever shares blobs with them, from being culled or evicted. Outlives the page. */
  pin(paths?: readonly string[]): Promise<void> {
    return this.#act(paths, 'pin', (api, files) => api.pin(files, true));
  }

  unpin(paths?: readonly string[]): Promise<void> {
    return this.#act(paths, 'unpin', (api, files) => api.pin(files, false));
  }

  /**
   * Gives back the local space of these files (none given = of the whole image), as far as no other file, stored version or pin needs it. What was made at
   * run time stays: nobody else has it. Background work stops; what is read comes again. `whenComplete` stays as it was, `state()` tells.
   */
  evict(paths?: readonly string[]): Promise<void> {
    return this.#act(paths, 'evict', (api, files) => api.evict(files));
  }

  /** Checks everything that is stored of this image. Bad blocks are dropped and fetched again; no reader sees them. */
  scrub(): Promise<ScrubReport> {
    return this.#loader.call('scrub', (api) => api.scrub(), Number.POSITIVE_INFINITY);
  }

  /** What lies where in the local store, in physical order, and whose it is. (XFS's GETFSMAP.) */
  fsmap(range?: FsmapRange): AsyncGenerator<FsmapRow, void, void> {
    return fsmapRows(this.#loader, range);
  }

  /** The reads so far, oldest first: what `sluice build --trace` takes. */
  readLog(): Promise<ReadLog> {
    return this.#loader.call('readLog', (api) => api.readLog());
  }

  /** How many reads are remembered; 0 = none. The latest that fit are kept. */
  setReadLog(capacity: number): Promise<void> {
    return this.#loader.call('setReadLog', (api) => api.setReadLog(capacity));
  }

  /**
   * Snapshots of the reads that wait for blocks: the next one as soon as there are reads that this iteration has not told. For data loaders, together
   * with {@link provideBlocks}; each iteration has a last serial of its own. Ends with the mount.
   */
  pendingReads(options?: PendingReadsOptions): AsyncGenerator<readonly PendingReadInfo[], void, void> {
    return pendingSnapshots(this.#loader, options);
  }

  /**
   * Blocks from a data loader, in any order, on demand or ahead of it, verified like fetched ones; what is present is ignored and never
   * changes. Resolves when they can be read. ENOENT: no such file or blob; ERANGE: no such block; E2BIG, EINVAL: too long, too short;
   * `integrity`: not the published bytes. The blocks before the wrong one are taken.
   */
  async provideBlocks(blocks: readonly ProvidedBlock[]): Promise<void> {
    for (let first = 0; first < blocks.length; ) {
      let end = first;
      for (let bytes = 0; end < blocks.length && bytes < messageBytes; end++)
        bytes += blocks[end]!.bytes.length;
      const some = blocks.slice(first, end);
      await this.#loader.call('provideBlocks', (api) => api.provideBlocks(some), storeDeadlineMs);
      first = end;
    }
  }

  /** Makes a file: with its content, or with its size, for `provideBlocks` to fill. What was written never changes. EEXIST: choose another name. */
  createFile(path: string, options: CreateFileOptions): Promise<void> {
    return createFile(
      { change: (operation) => this.#change(operation), provide: (blocks) => this.provideBlocks(blocks) },
      path,
      options,
    );
  }

  /** {@link createFile} with content, in the manner of `fs/promises` and with the meaning of its flag `wx`: EEXIST where the name is taken. */
  writeFile(
    path: string,
    content: FileContent,
    options: NewFileOptions & { readonly flag?: 'wx' } = {},
  ): Promise<void> {
    const { flag = 'wx', ...how } = options;
    if (flag !== 'wx')
      return Promise.reject(
        new SluiceError('EINVAL', `EINVAL: files are written once: the flag is wx, not ${flag}`, { path }),
      );
    return this.createFile(path, { ...how, content });
  }

  mkdir(path: string, { recursive = false }: { readonly recursive?: boolean } = {}): Promise<void> {
    return this.#change({ type: 'mkdir', path, recursive });
  }

  /** One name more for a file. Directories have one name only: EMLINK. */
  link(existing: string, path: string): Promise<void> {
    return this.#change({ type: 'link', existing, path });
  }

  /** Takes a name away, also a published one; with its last name a file made at run time is gone. */
  unlink(path: string): Promise<void> {
    return this.#change({ type: 'unlink', path });
  }

  rmdir(path: string): Promise<void> {
    return this.#change({ type: 'rmdir', path });
  }

  /** Up to 512 bytes for the app's own use, told by `stat`; a text becomes UTF-8. */
  setMeta(path: string, meta: string | Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#change({ type: 'set-meta', path, meta: metaBytes(meta) });
  }

  /** Not repeated by itself: what was made would be found in its own way the second time. */
  #change(operation: TreeOperation): Promise<void> {
    return this.#loader.callOnce(operation.type, (api) => api.changeTree(operation), storeDeadlineMs);
  }

  /** Which files are meant by `paths`. */
  protected async select(paths: readonly string[]): Promise<readonly string[]> {
    return paths;
  }

  /** A list that is empty, or comes to nothing, is not the whole image. */
  async #act(
    paths: readonly string[] | undefined,
    name: string,
    act: (api: Pick<LoaderApi, 'prefetch' | 'pin' | 'evict'>, files: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const files = paths && (await this.select(paths));
    if (files?.length !== 0)
      await this.#loader.call(name, (api) => act(api, files ?? []), Number.POSITIVE_INFINITY);
  }
}
