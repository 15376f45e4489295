import { SluiceError } from '../../src/format/errors.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { seededRandom } from '../support/random.ts';

/** The power went: nothing works any more. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * What a disk holds after a crash:
 * `written` – everything that was written before; `flushed` – only what was flushed, file by file;
 * `torn` – everything, and a part of the write that was under way;
 * `scattered` – what was flushed, and of all later writes some sectors, in no order.
 */
export const crashModels = ['written', 'flushed', 'torn', 'scattered'] as const;
export type CrashModel = (typeof crashModels)[number];

/** Small, because the tests' blocks are. */
const sectorSize = 16;

type Bytes = Uint8Array<ArrayBuffer>;

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Bytes }
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'remove' };

interface DiskFile {
  /** As readers see it; undefined: no such file. */
  bytes: Bytes | undefined;
  /** As it was at the last flush; undefined: its name never became durable. */
  readonly durable: Bytes | undefined;
  /** What happened since that flush. */
  readonly changes: Change[];
}

export interface Fault {
  /** Which operation fails, counted from 0; -1: none. Writes, truncations, flushes and removals count; where flushes are `lost`, they alone. */
  readonly at: number;
  readonly kind: 'crash' | 'full' | 'lost';
  /** So many operations in a row have no room, or fail; default 1. */
  readonly times?: number;
  readonly seed: number;
}

const noFault: Fault = { at: -1, kind: 'crash', seed: 0 };

/**
 * A memory directory that fails at a chosen operation, as a disk does when the power goes (`crash`: it and everything
 * after it fails), when there is no room (`full`: it alone fails, perhaps after a part of it was done), or when it cannot write to its medium (`lost`: a
 * flush fails, and, as with Linux, what it should have made durable never will be, though reads may show it and the next flush succeeds; other operations work).
 */
export class CrashDisk implements Directory {
  readonly #files = new Map<string, DiskFile>();
  readonly #open = new Set<string>();
  readonly #fault: Fault;
  #operations = 0;
  #flushes = 0;
  #crashed = false;
  #interrupted: { path: string; change: Change } | undefined;

  constructor(files: ReadonlyMap<string, Bytes> = new Map(), fault: Fault = noFault) {
    for (const [path, bytes] of files) this.#files.set(path, { bytes, durable: bytes, changes: [] });
    this.#fault = fault;
  }

  get operations(): number {
    return this.#operations;
  }

  get flushes(): number {
    return this.#flushes;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<BlockFile> {
    this.#alive();
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    const file = this.#files.get(path);
    if (file?.bytes === undefined) {
      if (!options.create) throw new SluiceError('ENOENT', 'No such file', { path });
      const empty = new Uint8Array(0);
      if (file === undefined) this.#files.set(path, { bytes: empty, durable: undefined, changes: [] });
      else file.bytes = empty;
    }
    this.#open.add(path);
    return this.#file(path);
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    this.#alive();
    const bytes = this.#files.get(path)?.bytes;
    return bytes && new Blob([bytes]);
  }

  async list(folder: string): Promise<string[]> {
    this.#alive();
    return [...this.#files]
      .filter(([path, { bytes }]) => bytes !== undefined && path.startsWith(`${folder}/`))
      .map(([path]) => path.slice(folder.length + 1));
  }

  async remove(path: string): Promise<void> {
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    this.#change(path, { kind: 'remove' });
  }

  /** The files that a crash at this moment leaves behind. */
  after(model: CrashModel, seed: number): Map<string, Bytes> {
    const random = seededRandom(seed);
    const left = new Map<string, Bytes>();
    for (const [path, { bytes, durable, changes }] of this.#files) {
      let survivor = model === 'flushed' ? durable : bytes;
      if (model === 'scattered') survivor = scatter(durable, changes, random);
      if (model === 'torn' && this.#interrupted?.path === path) {
        survivor = apply(survivor, cut(this.#interrupted.change, random));
      }
      // A new file whose name reached the disk and whose bytes did not.
      if (survivor === undefined && bytes !== undefined && random() < 0.5) survivor = new Uint8Array(0);
      if (survivor !== undefined) left.set(path, survivor.slice());
    }
    return left;
  }

  #file(path: string): BlockFile {
    const bytes = (): Bytes => {
      if (!this.#open.has(path)) throw new SluiceError('closed', 'The file was closed', { path });
      return this.#files.get(path)!.bytes!;
    };
    return {
      read: (into, at) => {
        this.#alive();
        const part = bytes().subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (from, at) => {
        bytes();
        this.#change(path, { kind: 'write', at, bytes: Uint8Array.from(from) });
      },
      size: () => {
        this.#alive();
        return bytes().length;
      },
      truncate: (length) => {
        bytes();
        this.#change(path, { kind: 'truncate', length });
      },
      flush: () => {
        const { durable, changes } = this.#files.get(path)!;
        const isLost = this.#isLost();
        if (isLost) this.#files.set(path, { bytes: bytes(), durable, changes: [] });
        this.#operate();
        if (isLost) throw new SluiceError('unreadable', 'Could not be written', { path });
        // What a flush that failed had lost is not among the changes any more.
        const now = changes.reduce(apply, durable) ?? new Uint8Array(0);
        this.#files.set(path, { bytes: bytes(), durable: now, changes: [] });
      },
      close: () => {
        this.#open.delete(path);
      },
    };
  }

  #change(path: string, change: Change): void {
    const file = this.#files.get(path);
    this.#alive();
    if (change.kind === 'remove' && file?.bytes === undefined) return;
    this.#operate(path, change);
    this.#commit(path, change);
  }

  #commit(path: string, change: Change): void {
    const file = this.#files.get(path)!;
    file.bytes = apply(file.bytes, change);
    file.changes.push(change);
  }

  #isLost(): boolean {
    const { at, kind, times = 1 } = this.#fault;
    const since = this.#flushes++ - at;
    return kind === 'lost' && at >= 0 && since >= 0 && since < times;
  }

  #operate(path?: string, change?: Change): void {
    this.#alive();
    const { at, kind, times = 1 } = this.#fault;
    const since = this.#operations++ - at;
    if (kind === 'lost' || at < 0 || since < 0 || since >= (kind === 'full' ? times : 1)) return;
    if (kind === 'full') {
      const done = change && cut(change, seededRandom(this.#fault.seed));
      if (done?.kind === 'write') this.#commit(path!, done);
      throw new SluiceError('ENOSPC', 'No room');
    }
    this.#crashed = true;
    if (path !== undefined && change !== undefined) this.#interrupted = { path, change };
    throw new Crash(`at operation ${at}`);
  }

  #alive(): void {
    if (this.#crashed) throw new Crash('already');
  }
}

/** Always new bytes: what was flushed is kept as it was. */
function apply(bytes: Bytes | undefined, change: Change): Bytes | undefined {
  if (change.kind === 'remove') return undefined;
  const before = bytes ?? new Uint8Array(0);
  if (change.kind === 'truncate') {
    const after = new Uint8Array(change.length);
    after.set(before.subarray(0, change.length));
    return after;
  }
  const after = new Uint8Array(Math.max(before.length, change.at + change.bytes.length));
  after.set(before);
  after.set(change.bytes, change.at);
  return after;
}

/** A beginning of a write; of anything else all or nothing, as file systems do. */
function cut(change: Change, random: () => number): Change {
  if (change.kind !== 'write')
    return random() < 0.5 ? change : { kind: 'write', at: 0, bytes: new Uint8Array(0) };
  return { ...change, bytes: change.bytes.slice(0, Math.floor(random() * (change.bytes.length + 1))) };
}

function scatter(
  durable: Bytes | undefined,
  changes: readonly Change[],
  random: () => number,
): Bytes | undefined {
  // A removed file and the one that was made under its name are two: either the removal happened, or nothing after it.
  const removal = changes.findLastIndex((change) => change.kind === 'remove');
  const removed = removal >= 0 && random() < 0.5;
  let bytes = removed ? undefined : durable;
  const relevant = removal < 0 ? changes : removed ? changes.slice(removal + 1) : changes.slice(0, removal);
  const likelihood = random();
  for (const change of relevant) {
    if (change.kind === 'remove') continue;
    if (change.kind === 'truncate') {
      if (random() < likelihood) bytes = apply(bytes, change);
      continue;
    }
    for (let start = 0; start < change.bytes.length; start += sectorSize) {
      if (random() >= likelihood) continue;
      const sector = change.bytes.slice(start, start + sectorSize);
      bytes = apply(bytes, { kind: 'write', at: change.at + start, bytes: sector });
    }
  }
  return bytes;
}
