import { seededRandom as random } from '../support/random.ts';

/** Which share of the store's operations fails, each kind on its own; the sequence of a worker's life follows from `seed`. */
export interface StoreFaults {
  readonly seed: number;
  /** Of writes: the quota is exhausted, nothing is written. */
  readonly write: number;
  /** Of writes: half of the bytes are written, then it fails. */
  readonly torn: number;
  readonly flush: number;
  /** Of files that are opened: somebody else holds them. */
  readonly open: number;
  readonly read: number;
  /** Milliseconds since 1970: from then on nothing fails. */
  readonly until: number;
}

/** The BroadcastChannel on which workers are told what to do to themselves: see {@link faultsPrelude}. */
export const tortureChannel = 'sluice-torture';

export type TortureOrder =
  | { readonly type: 'end' }
  | { readonly type: 'hang' }
  | { readonly type: 'jump'; readonly ms: number };

/**
 * Goes in front of `loader.js` and `sw.js`, in copies of the tests' own: file handles that fail as `store` says, a clock that jumps,
 * and a worker that ends or hangs when it is told to. Works in every browser.
 */
export function faultsPrelude(store: StoreFaults | undefined): string {
  return `(${install})(${JSON.stringify({ store: store ?? null, channel: tortureChannel })}, ${random});\n`;
}

/** Runs in the worker, so it may use nothing of this module but types. */
function install(
  { store, channel }: { store: StoreFaults | null; channel: string },
  seededRandom: typeof random,
): void {
  const worker = globalThis as unknown as { close?: () => void; importScripts?: unknown };
  const isLoader = 'FileSystemSyncAccessHandle' in globalThis && !('clients' in globalThis);
  let jumped = 0;
  const now = Date.now.bind(Date);
  Date.now = () => now() + jumped;
  new BroadcastChannel(channel).onmessage = ({ data }: MessageEvent<TortureOrder>) => {
    if (data.type === 'jump') jumped += data.ms;
    if (!isLoader) return;
    if (data.type === 'end') worker.close?.();
    if (data.type === 'hang') for (;;);
  };
  if (!isLoader || !store) return;
  const random = seededRandom(store.seed);
  const fails = (kind: Exclude<keyof StoreFaults, 'seed' | 'until'>): boolean =>
    now() < store.until && random() < store[kind];
  const files = FileSystemFileHandle.prototype;
  const { createSyncAccessHandle } = files;
  files.createSyncAccessHandle = async function (this: FileSystemFileHandle) {
    if (fails('open')) throw new DOMException('torture: held by another', 'NoModificationAllowedError');
    return createSyncAccessHandle.call(this);
  };
  const handles = FileSystemSyncAccessHandle.prototype;
  const { read, write, flush } = handles;
  handles.read = function (this: FileSystemSyncAccessHandle, ...args) {
    if (fails('read')) throw new DOMException('torture: not readable', 'NotReadableError');
    return read.apply(this, args);
  };
  handles.write = function (this: FileSystemSyncAccessHandle, bytes, options) {
    if (fails('write')) throw new DOMException('torture: the quota is exhausted', 'QuotaExceededError');
    if (!fails('torn')) return write.call(this, bytes, options);
    const all = bytes as Uint8Array<ArrayBuffer>;
    write.call(this, all.subarray(0, all.length >> 1), options);
    throw new DOMException('torture: torn', 'UnknownError');
  };
  handles.flush = function (this: FileSystemSyncAccessHandle) {
    if (fails('flush')) throw new DOMException('torture: not flushed', 'UnknownError');
    return flush.call(this);
  };
}
