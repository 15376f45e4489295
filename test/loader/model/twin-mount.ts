import type { TreeOperation } from '../../../src/format/tree-operation.ts';
import { type TwinNode, twinApply, twinDirectory, twinFile } from '../../image/twin-tree.ts';

/** The bytes of a file made at run time: every block has others, from the file's seed. */
export class MadeFile {
  readonly size: number;
  readonly blockSize: number;
  readonly #seed: number;
  /** Blocks that were asked to be there, in vain or not. */
  readonly asked: Set<number>;
  /** Blocks that must be readable. */
  readonly present: Set<number>;
  /** Blocks that must be there after a crash. */
  readonly durable: Set<number>;

  constructor(size: number, blockSize: number, seed: number, blocks: Iterable<number> = []) {
    this.size = size;
    this.blockSize = blockSize;
    this.#seed = seed;
    this.asked = new Set(blocks);
    this.present = new Set(blocks);
    this.durable = new Set(blocks);
  }

  get blockCount(): number {
    return Math.ceil(this.size / this.blockSize);
  }

  block(index: number): Uint8Array<ArrayBuffer> {
    const start = index * this.blockSize;
    const length = Math.min(this.blockSize, this.size - start);
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i++)
      words[i] = Math.imul(this.#seed * 7919 + index * 104_729 + i, 0x9e3779b1);
    return new Uint8Array(words.buffer, 0, length);
  }

  slice(start: number, end: number): Uint8Array<ArrayBuffer> {
    const stop = Math.max(start, Math.min(end, this.size));
    const into = new Uint8Array(stop - start);
    for (const index of this.blocksOf(start, stop)) {
      const block = this.block(index);
      const at = index * this.blockSize;
      const part = block.subarray(Math.max(0, start - at), stop - at);
      into.set(part, Math.max(0, at - start));
    }
    return into;
  }

  /** The blocks that `[start, end)` touches. */
  blocksOf(start: number, end: number): number[] {
    const stop = Math.min(end, this.size);
    if (start >= stop) return [];
    const first = Math.floor(start / this.blockSize);
    return Array.from({ length: Math.ceil(stop / this.blockSize) - first }, (_, i) => first + i);
  }

  /** As `filledRanges` tells them. */
  filled(): { start: number; end: number }[] {
    const ranges: { start: number; end: number }[] = [];
    for (const index of [...this.present].sort((a, b) => a - b)) {
      const start = index * this.blockSize;
      const end = Math.min(start + this.blockSize, this.size);
      const last = ranges.at(-1);
      if (last?.end === start) last.end = end;
      else ranges.push({ start, end });
    }
    return ranges;
  }
}

export interface MadeBy {
  readonly operation: TreeOperation;
  /** Of the content of a file that it makes. */
  readonly seed: number;
}

/** What a mounted image should be, with no thought of how: nodes that hold nodes, and files that hold their bytes. */
export class TwinMount {
  root: TwinNode = twinDirectory();

  /** A file as it was published. */
  publish(path: string, bytes: Uint8Array): void {
    const names = path.split('/');
    let node = this.root;
    for (const name of names.slice(0, -1)) {
      if (!node.entries!.has(name)) node.entries!.set(name, twinDirectory());
      node = node.entries!.get(name)!;
    }
    node.entries!.set(names.at(-1)!, { ...twinFile(bytes.length), data: bytes });
  }

  /** Does it and answers undefined, or answers the code of what is wrong. */
  apply({ operation, seed }: MadeBy): string | undefined {
    const code = twinApply(this.root, operation);
    if (code === undefined && operation.type === 'create-file') {
      const { path, size, blockSize, content } = operation;
      const node = this.lookup(path)!;
      const blocks = Math.ceil(size / blockSize);
      node.data = new MadeFile(
        size,
        blockSize,
        seed,
        content === undefined ? [] : Array.from({ length: blocks }, (_, i) => i),
      );
    }
    return code;
  }

  /** As `stat` and the reading calls find it. */
  lookup(path: string): TwinNode | undefined {
    const names = path.split('/');
    if (names[0] === '') names.shift();
    let node: TwinNode | undefined = this.root;
    for (const [i, name] of names.entries()) {
      if (name === '' && i === names.length - 1) return node.entries === undefined ? undefined : node;
      node = node.entries?.get(name);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** A twin that can be changed by itself; the bytes of files are shared. Hard links stay one node. */
  clone(): TwinMount {
    const made = new Map<TwinNode, TwinNode>();
    const copy = (node: TwinNode): TwinNode => {
      const known = made.get(node);
      if (known !== undefined) return known;
      const twin = { ...node, entries: node.entries && new Map<string, TwinNode>() };
      made.set(node, twin);
      for (const [name, entry] of node.entries ?? []) twin.entries!.set(name, copy(entry));
      return twin;
    };
    const twin = new TwinMount();
    twin.root = copy(this.root);
    return twin;
  }

  /** Every node with one of its paths, the root included. */
  *nodes(): Generator<readonly [path: string, node: TwinNode]> {
    const seen = new Set<TwinNode>();
    const visit = function* (path: string, node: TwinNode): Generator<readonly [string, TwinNode]> {
      if (seen.has(node)) return;
      seen.add(node);
      yield [path, node];
      for (const [name, entry] of node.entries ?? [])
        yield* visit(path === '' ? name : `${path}/${name}`, entry);
    };
    yield* visit('', this.root);
  }
}

/** The names in a directory, in the order in which `readdir` has them. */
export function twinReaddir(node: TwinNode): { name: string; kind: 'file' | 'directory' }[] {
  return [...node.entries!]
    .map(([name, { entries }]) => ({
      name,
      kind: entries === undefined ? ('file' as const) : ('directory' as const),
    }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
