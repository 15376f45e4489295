import { SluiceError } from '../format/errors.ts';
import type { BlockFile, Directory } from './directory.ts';

const pageSize = 64 * 1024;

/** Files in memory: where the browser gives no OPFS or its quota is exhausted, and in tests. Gone with its worker. */
export class MemoryDirectory implements Directory {
  readonly #files = new Map<string, MemoryBytes>();
  readonly #open = new Set<string>();

  async open(path: string, options: { create?: boolean } = {}): Promise<BlockFile> {
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    let bytes = this.#files.get(path);
    if (bytes === undefined) {
      if (!options.create) throw new SluiceError('ENOENT', 'No such file', { path });
      bytes = new MemoryBytes();
      this.#files.set(path, bytes);
    }
    this.#open.add(path);
    return new MemoryFile(bytes, path, () => this.#open.delete(path));
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    const bytes = this.#files.get(path);
    if (bytes === undefined) return undefined;
    return bytes.copy();
  }

  async list(folder: string): Promise<string[]> {
    const prefix = `${folder}/`;
    return [...this.#files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
  }

  async remove(path: string): Promise<void> {
    if (this.#open.has(path)) throw new SluiceError('EBUSY', 'The file is open', { path });
    this.#files.delete(path);
  }
}

class MemoryFile implements BlockFile {
  readonly #bytes: MemoryBytes;
  readonly #path: string;
  readonly #onClose: () => void;
  #closed = false;

  constructor(bytes: MemoryBytes, path: string, onClose: () => void) {
    this.#bytes = bytes;
    this.#path = path;
    this.#onClose = onClose;
  }

  read(into: Uint8Array, at: number): number {
    return this.#checked().read(into, at);
  }

  write(bytes: Uint8Array, at: number): void {
    this.#checked().write(bytes, at);
  }

  size(): number {
    return this.#checked().size;
  }

  truncate(length: number): void {
    this.#checked().truncate(length);
  }

  flush(): void {
    this.#checked();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }

  #checked(): MemoryBytes {
    if (this.#closed) throw new SluiceError('closed', 'The file was closed', { path: this.#path });
    return this.#bytes;
  }
}

/** Bytes in pages, so that a blob that arrives in any order is never copied to grow. Invariant: bytes past `size` are 0. */
class MemoryBytes {
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    for (const { page, start, end, offset } of pieces(at, count)) {
      const bytes = this.#pages.get(page);
      if (bytes === undefined) into.fill(0, offset, offset + end - start);
      else into.set(bytes.subarray(start, end), offset);
    }
    return count;
  }

  write(bytes: Uint8Array, at: number): void {
    for (const { page, start, end, offset } of pieces(at, bytes.length)) {
      const target = this.#pages.get(page) ?? new Uint8Array(pageSize);
      this.#pages.set(page, target);
      target.set(bytes.subarray(offset, offset + end - start), start);
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, at + bytes.length);
  }

  /** Costs what was written, however large the gaps are. (Node 20 has no Blob of more than 4 GiB; browsers do.) */
  copy(): Blob {
    const parts: BlobPart[] = [];
    let at = 0;
    for (const [page, bytes] of [...this.#pages].sort(([a], [b]) => a - b)) {
      const start = page * pageSize;
      parts.push(...zeros(start - at), bytes.slice(0, this.#size - start));
      at = Math.min(start + pageSize, this.#size);
    }
    return new Blob([...parts, ...zeros(this.#size - at)]);
  }

  truncate(length: number): void {
    for (const [page, bytes] of this.#pages) {
      const kept = length - page * pageSize;
      if (kept <= 0) this.#pages.delete(page);
      else if (kept < pageSize) bytes.fill(0, kept);
    }
    this.#size = length;
  }
}

/** So many bytes of 0 out of few parts: each is twice the one before, made of that one. */
function zeros(count: number): Blob[] {
  const parts: Blob[] = [];
  let part = new Blob([new Uint8Array(pageSize)]);
  for (let left = count; left > 0; ) {
    while (part.size * 2 <= left && part.size < 2 ** 30) part = new Blob([part, part]);
    while (part.size > left) part = part.slice(0, left);
    parts.push(part);
    left -= part.size;
  }
  return parts;
}

/** `[at, at + count)` cut at page borders: `[start, end)` within a page, `offset` within the whole. */
function* pieces(
  at: number,
  count: number,
): Generator<{ page: number; start: number; end: number; offset: number }> {
  for (let offset = 0; offset < count; ) {
    const page = Math.floor((at + offset) / pageSize);
    const start = at + offset - page * pageSize;
    const end = Math.min(pageSize, start + count - offset);
    yield { page, start, end, offset };
    offset += end - start;
  }
}
