import type { ReleaseRecord } from './messages.ts';
import type { Progress, ReadLog, SluiceState } from './state.ts';

/**
 * What a page may call on its loader worker (through comlink). Every method ends: a value, a SluiceError (as a
 * WireError), or, on the page's side, a deadline or the loader's death.
 */
export interface LoaderApi {
  /** First call. Starts loading at once. Resolves when the image is mounted (bootstrap verified). */
  start(options: LoaderOptions): Promise<{ readonly loader: string; readonly image: string }>;
  /** A port to a service worker; the loader says `hello` on it. */
  connect(port: MessagePort): void;
  state(): Promise<SluiceState>;
  readLog(): Promise<ReadLog>;
  /** `onProgress` is a comlink proxy; replaces the one before. */
  watch(onProgress: (progress: Progress) => void): void;
  /**
   * `onRelease` is a comlink proxy, called when `sluice.json` names another image than the one that this loader is
   * bound to, once its bootstrap is in the store: it answers the next navigation. Replaces the one before; called at once
   * if such a release is known already.
   */
  watchRelease(onRelease: (release: ReleaseRecord) => void): void;
  whenComplete(): Promise<void>;
  /** Everything that is written is durable and journaled when this resolves. */
  flush(): Promise<void>;
  /** Reading for pages that mount an image themselves. Paths as in the image, without a leading slash or with one. */
  stat(path: string): Promise<FileStat>;
  readdir(path: string): Promise<readonly DirectoryEntry[]>;
  /** Half-open range of the file; `end` is clamped to its size. `timeoutMs`: how long each missing block is waited for. */
  read(path: string, start: number, end: number, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>>;
  prefetch(paths: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface LoaderOptions {
  /** Absolute URL of the site directory, with a trailing slash. */
  readonly scope: string;
  /** What the boot page carries; without it the loader fetches `sluice.json`. */
  readonly release?: ReleaseRecord;
  /** false: fetch only what is read. Default true. */
  readonly background?: boolean;
}

export interface FileStat {
  readonly kind: 'file' | 'directory';
  readonly size: number;
  readonly mime: string | undefined;
  readonly meta: Uint8Array<ArrayBuffer> | undefined;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}
