import type { TreeOperation } from '../../../src/format/tree-operation.ts';
import type { TwinNode } from '../../image/twin-tree.ts';
import { noise, seededRandom } from '../../support/random.ts';
import { type MadeBy, MadeFile, type TwinMount } from './twin-mount.ts';

const names = [
  'a',
  'b',
  'c.txt',
  'größe',
  'e\u0301',
  '\u{1f600}',
  '\uff00',
  'index.html',
  'data',
  'level.pak',
  'n'.repeat(255),
  `${'ü'.repeat(127)}x`,
];
const odd = [
  '',
  '.',
  '..',
  'x\0',
  '\ud800',
  'n'.repeat(256),
  'ü'.repeat(128),
  '__sluice',
  'sluice.json',
  'sw.js',
  `${'0a'.repeat(32)}.bin`,
];
const longest = Array(16).fill('n'.repeat(255)).join('/');
const tooLong = `${longest}/x`;

/** Paths and changes of the tree that hit and miss, by chance. */
export class RandomTree {
  readonly #seed: number;
  readonly #twin: () => TwinMount;
  #random: () => number;
  #step = 0;
  #files = 0;
  #isLarge = false;

  constructor(seed: number, twin: () => TwinMount) {
    this.#seed = seed * 1_000_003;
    this.#random = seededRandom(this.#seed);
    this.#twin = twin;
  }

  /** What a step draws does not depend on how much the steps before it drew: that varies with what a crash or a server did. */
  next(): void {
    this.#step += 1;
    this.#random = seededRandom(this.#seed + this.#step);
  }

  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }

  /** Something that is there, mostly. */
  known(kind: 'file' | 'directory' | 'any' = 'any'): string {
    if (this.below(20) === 0) return this.path();
    for (let tries = 0; tries < 4; tries++) {
      const found = this.#walk(kind === 'directory' ? 0.5 : 0.9);
      if (kind === 'any' || (found.node.entries === undefined) === (kind === 'file'))
        return this.#dressed(found.path);
    }
    return this.path();
  }

  /** A name in a directory that is there, mostly. */
  fresh(): string {
    if (this.below(15) === 0) return this.path();
    const { path, node } = this.#walk(0.6);
    const into = node.entries === undefined && this.below(10) > 0 ? '' : path;
    const name = this.below(20) === 0 ? this.pick(odd) : this.pick(names);
    return this.#dressed(into === '' ? name : `${into}/${name}`);
  }

  path(): string {
    if (this.below(40) === 0) return this.pick([tooLong, longest, '', '/', '//', 'a//b']);
    const parts = Array.from({ length: 1 + this.below(3) }, () =>
      this.below(10) === 0 ? this.pick(odd) : this.pick(names),
    );
    return this.#dressed(parts.join('/'));
  }

  change(): MadeBy {
    const seed = ++this.#files;
    const meta = noise(seed, this.below(30) === 0 ? 512 + this.below(2) : this.below(4));
    // So many names that there is something of everything, and no more.
    if (this.#step % 20 === 0) this.#isLarge = [...this.#twin().nodes()].length > 80;
    const operation = this.pick<() => TreeOperation>([
      () => this.#file(seed, meta),
      () => this.#file(seed, meta),
      () => ({ type: 'mkdir', path: this.fresh(), recursive: this.below(3) === 0 }),
      () => ({ type: 'link', existing: this.known('file'), path: this.fresh() }),
      () => ({ type: 'set-meta', path: this.known(), meta }),
      () => ({ type: 'unlink', path: this.known('file') }),
      () => ({ type: 'rmdir', path: this.known('directory') }),
      ...(this.#isLarge
        ? [
            () => ({ type: 'unlink', path: this.known('file') }) as const,
            () => ({ type: 'unlink', path: this.known('file') }) as const,
            () => ({ type: 'rmdir', path: this.known('directory') }) as const,
          ]
        : []),
    ])();
    return { operation, seed };
  }

  #file(seed: number, meta: Uint8Array<ArrayBuffer>): TreeOperation {
    const withContent = this.below(2) === 0;
    const huge = !withContent && this.below(60) === 0 ? 5 * 2 ** 30 : 0;
    const blockSize = huge > 0 ? 2 ** 20 : this.pick([4096, 4096, 4096, 8192, 65536]);
    const most = withContent ? 3 : 20;
    const size =
      huge + this.pick([0, 1, blockSize, this.below(most * blockSize), this.below(most * blockSize)]);
    const right = withContent ? new MadeFile(size, blockSize, seed).slice(0, size) : undefined;
    const isWrong = right !== undefined && size > 0 && this.below(20) === 0;
    const content = isWrong ? noise(seed, size + this.pick([-1, 1])) : right;
    return { type: 'create-file', path: this.fresh(), size, blockSize, mime: 'text/x', meta, content };
  }

  #dressed(path: string): string {
    if (this.below(10) === 0) return `/${path}`;
    return this.below(30) === 0 ? `${path}/` : path;
  }

  #walk(goOn: number): { readonly path: string; readonly node: TwinNode } {
    let path = '';
    let node = this.#twin().root;
    while (node.entries !== undefined && node.entries.size > 0 && (path === '' || this.#random() < goOn)) {
      const [name, entry] = this.pick([...node.entries]);
      path = path === '' ? name : `${path}/${name}`;
      node = entry;
    }
    return { path, node };
  }
}
