import { expect, test } from '@playwright/test';
import { BlockTable } from '../../src/format/block-table.ts';
import type { TreeOperation } from '../../src/format/tree-operation.ts';
import { compareBytes, utf8Encode } from '../../src/format/utf8.ts';
import { Image } from '../../src/image/image.ts';
import { MountedTree } from '../../src/image/mounted-tree.ts';
import { maxRuntimeNodes, planChange } from '../../src/image/tree-operations.ts';
import { Overlay } from '../../src/overlay/overlay.ts';
import { seededRandom } from '../support/random.ts';
import { tinyImage } from './tiny-image.ts';
import { twinApply, twinDirectory, twinFile, twinListing } from './twin-tree.ts';

const traceLimit = Error.stackTraceLimit;
const none = new Uint8Array(0);

async function mounted(): Promise<MountedTree> {
  return new MountedTree(await Image.open((await tinyImage()).bootstrap), new Overlay());
}

let blobs = 0;

/** Plans and makes a change; answers the code of what is wrong with it. */
function change(tree: MountedTree, operation: TreeOperation, maxNodes?: number): string | undefined {
  blobs += 1;
  const blob = blobs.toString(16).padStart(64, '0');
  try {
    const plan = planChange(tree, operation, maxNodes === undefined ? { blob } : { blob, maxNodes });
    if (!plan.every((step) => tree.overlay.apply(step))) return 'not applied';
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const file = (path: string, size = 0, more: Partial<TreeOperation & { type: 'create-file' }> = {}) =>
  ({
    type: 'create-file',
    path,
    size,
    blockSize: 4096,
    mime: '',
    meta: none,
    content: undefined,
    ...more,
  }) as const;
const mkdir = (path: string, recursive = false) => ({ type: 'mkdir', path, recursive }) as const;
const link = (existing: string, path: string) => ({ type: 'link', existing, path }) as const;
const unlink = (path: string) => ({ type: 'unlink', path }) as const;
const rmdir = (path: string) => ({ type: 'rmdir', path }) as const;
const names = (tree: MountedTree, path: string): string[] =>
  [...tree.readdir(tree.lookup(path)!)].map(({ name }) => name);

test('directory_structure: files and directories made at run time stand beside published ones, in order', async () => {
  const tree = await mounted();
  expect(change(tree, mkdir('größe/b'))).toBeUndefined();
  expect(change(tree, mkdir('c/d/e', true))).toBeUndefined();
  expect(
    change(tree, file('c/d/e/f.txt', 9000, { mime: 'text/plain', meta: Uint8Array.of(1, 2) })),
  ).toBeUndefined();
  expect(change(tree, file('größe/\u{1f600}'))).toBeUndefined();
  expect(change(tree, file('größe/\uff00'))).toBeUndefined();
  expect(names(tree, '')).toEqual(['a.js', 'c', 'größe', 'index.html', 'nothing']);
  // By bytes, not by UTF-16 units.
  expect(names(tree, 'größe')).toEqual(['b', 'data.bin', 'empty', '\uff00', '\u{1f600}']);
  const inode = tree.lookup('/c/d/e/f.txt')!;
  expect(inode).toBeGreaterThanOrEqual(tree.image.inodeCount);
  expect(tree.inode(inode)).toMatchObject({
    kind: 'file',
    size: 9000,
    mime: 'text/plain',
    meta: Uint8Array.of(1, 2),
    links: 1,
    parent: tree.lookup('c/d/e'),
  });
  expect(tree.pathOf(inode)).toBe('c/d/e/f.txt');
  expect([...tree.files()].map(({ path }) => path)).toEqual([
    'a.js',
    'c/d/e/f.txt',
    'größe/data.bin',
    'größe/\uff00',
    'größe/\u{1f600}',
    'index.html',
    'nothing',
  ]);
  const record = tree.blob(tree.image.blobCount + inode - tree.image.inodeCount);
  expect(record).toMatchObject({ length: 9000, tableLength: 0, blockCount: 3, blockSize: 4096 });
  expect([...tree.mapRange(inode, 4000, 99999)]).toMatchObject([
    { block: 0, blockOffset: 4000, length: 96, fileOffset: 4000 },
    { block: 1, blockOffset: 0, length: 4096, fileOffset: 4096 },
    { block: 2, blockOffset: 0, length: 808, fileOffset: 8192 },
  ]);
  const table = BlockTable.fixed(record);
  expect([0, 1, 2].map((i) => [table.stored(i), table.logicalLength(i), table.codec(i)])).toEqual([
    [{ start: 0, end: 4096 }, 4096, 0],
    [{ start: 4096, end: 8192 }, 4096, 0],
    [{ start: 8192, end: 9000 }, 808, 0],
  ]);
});

test('dirs_corner_cases: what a directory, a name and a link may not be', async () => {
  const tree = await mounted();
  const deep = `${'d'.repeat(255)}/`.repeat(16);
  expect(change(tree, mkdir('a/b', true))).toBeUndefined();
  const cases: [TreeOperation, string | undefined][] = [
    [mkdir('a'), 'EEXIST'],
    [mkdir('a', true), undefined],
    [mkdir('/'), 'EEXIST'],
    [mkdir('größe'), 'EEXIST'],
    [mkdir('x/y'), 'ENOENT'],
    [mkdir('a.js/y'), 'ENOTDIR'],
    [mkdir('a.js/y', true), 'ENOTDIR'],
    [mkdir('a.js', true), 'EEXIST'],
    [mkdir('a/.'), 'EINVAL'],
    [mkdir('a/..'), 'EINVAL'],
    [mkdir('a//x'), 'EINVAL'],
    [mkdir('a/x\0'), 'EINVAL'],
    [mkdir('a/\ud800'), 'EINVAL'],
    [mkdir(`a/${'é'.repeat(127)}`), undefined],
    [mkdir(`a/${'é'.repeat(128)}`), 'ENAMETOOLONG'],
    [mkdir(`${deep}d`, true), 'ENAMETOOLONG'],
    [mkdir(deep, true), undefined],
    [mkdir('__sluice'), 'EINVAL'],
    [mkdir('a/__sluice'), undefined],
    [file('sluice.json'), 'EINVAL'],
    [file('sw.js'), 'EINVAL'],
    [file(`${'0'.repeat(64)}.bin`), 'EINVAL'],
    [file('a/sw.js'), undefined],
    [mkdir('index.html'), 'EINVAL'],
    [file('a/f/'), 'EINVAL'],
    [link('a', 'a/b/itself'), 'EINVAL'],
    [link('a', 'a'), 'EINVAL'],
    [link('a', 'ab'), 'EMLINK'],
    [link('', 'a/root'), 'EINVAL'],
    [link('a/b', 'b2'), 'EMLINK'],
    [link('größe', 'a/g'), 'EMLINK'],
    [link('a.js', 'a/b'), 'EEXIST'],
    [link('none', 'a/n'), 'ENOENT'],
    [rmdir('a'), 'ENOTEMPTY'],
    [rmdir('größe'), 'ENOTEMPTY'],
    [rmdir('a.js'), 'ENOTDIR'],
    [rmdir('/'), 'EINVAL'],
    [unlink('/'), 'EINVAL'],
    [unlink('a'), 'EISDIR'],
    [unlink('größe/empty'), 'EISDIR'],
    [unlink('a.js/'), 'ENOTDIR'],
    [rmdir('größe/empty'), undefined],
    [rmdir('größe/empty'), 'ENOENT'],
    [mkdir('größe/empty'), undefined],
    [rmdir('größe/empty/'), undefined],
    [file('s', -1), 'EINVAL'],
    [file('s', 1.5), 'EINVAL'],
    [file('s', 1, { blockSize: 2048 }), 'EINVAL'],
    [file('s', 1, { blockSize: 5000 }), 'EINVAL'],
    [file('s', 2 ** 36 + 1), 'EFBIG'],
    [file('s', 2 ** 36), undefined],
    [file('t', 1, { mime: 'text/plain\r\nX: y' }), 'EINVAL'],
    [file('t', 1, { content: new Uint8Array(2) }), 'E2BIG'],
    [file('t', 3, { content: new Uint8Array(2) }), 'EINVAL'],
  ];
  for (const [operation, code] of cases) {
    expect.soft(change(tree, operation), JSON.stringify(operation).slice(0, 80)).toBe(code);
  }
});

test('errors_on_overwrite: a name that is taken stays what it is, published or made at run time', async () => {
  const tree = await mounted();
  expect(change(tree, file('made', 5))).toBeUndefined();
  for (const path of ['a.js', 'made', 'größe']) {
    const inode = tree.lookup(path);
    expect(change(tree, file(path, 7)), path).toBe('EEXIST');
    expect(change(tree, mkdir(path)), path).toBe('EEXIST');
    expect(change(tree, link('index.html', path)), path).toBe('EEXIST');
    expect(tree.lookup(path)).toBe(inode);
  }
  // Its removal makes room for another one.
  expect(change(tree, unlink('a.js'))).toBeUndefined();
  expect(change(tree, file('a.js', 7))).toBeUndefined();
  expect(tree.inode(tree.lookup('a.js')!).size).toBe(7);
});

test('hard links: a file lives until its last name goes, published ones too', async () => {
  const tree = await mounted();
  expect(change(tree, file('f', 5))).toBeUndefined();
  const inode = tree.lookup('f')!;
  expect(change(tree, link('f', 'größe/g'))).toBeUndefined();
  expect(tree.inode(inode).links).toBe(2);
  expect(change(tree, unlink('f'))).toBeUndefined();
  expect(tree.lookup('größe/g')).toBe(inode);
  expect(tree.pathOf(inode)).toBe('größe/g');
  expect(change(tree, unlink('größe/g'))).toBeUndefined();
  expect(() => tree.inode(inode)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(change(tree, file('f', 5))).toBeUndefined();
  expect(tree.lookup('f')).not.toBe(inode);

  const page = tree.lookup('index.html')!;
  expect(tree.fallback).toBe(page);
  expect(change(tree, link('index.html', 'größe/page'))).toBeUndefined();
  expect(tree.inode(page).links).toBe(2);
  expect(tree.pathOf(page)).toBe('index.html');
  expect(change(tree, unlink('index.html'))).toBeUndefined();
  expect(tree.lookup('index.html')).toBeUndefined();
  expect(tree.pathOf(page)).toBe('größe/page');
  expect(tree.inode(page).parent).toBe(tree.lookup('größe'));
  expect(change(tree, unlink('größe/page'))).toBeUndefined();
  expect(tree.fallback).toBeUndefined();
  expect(tree.inode(page)).toMatchObject({ links: 0, size: 34 });
  expect(() => tree.pathOf(page)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('attribute: up to 512 bytes of meta for each file, changeable, also of published ones', async () => {
  const tree = await mounted();
  const meta = new Uint8Array(512).fill(7);
  const setMeta = (path: string, bytes: Uint8Array<ArrayBuffer>) =>
    ({ type: 'set-meta', path, meta: bytes }) as const;
  expect(change(tree, file('f', 0, { meta }))).toBeUndefined();
  expect(tree.inode(tree.lookup('f')!).meta).toEqual(meta);
  expect(change(tree, file('g', 0, { meta: new Uint8Array(513) }))).toBe('E2BIG');
  expect(change(tree, setMeta('f', new Uint8Array(513)))).toBe('E2BIG');
  expect(change(tree, setMeta('none', meta))).toBe('ENOENT');
  expect(change(tree, setMeta('f', none))).toBeUndefined();
  expect(tree.inode(tree.lookup('f')!).meta).toBeUndefined();
  const data = tree.lookup('größe/data.bin')!;
  expect(tree.inode(data).meta).toEqual(Uint8Array.of(0, 255, 10));
  expect(change(tree, setMeta('größe/data.bin', meta))).toBeUndefined();
  expect(tree.inode(data).meta).toEqual(meta);
  expect(tree.inode(data).tag).toBe(tree.image.inode(data).tag);
});

test('file_count_limit: more files than allowed are ENFILE, and removing one makes room', async () => {
  const tree = await mounted();
  for (let i = 0; i < 10; i++) expect(change(tree, file(`f${i}`), 10)).toBeUndefined();
  expect(change(tree, file('more'), 10)).toBe('ENFILE');
  expect(change(tree, mkdir('more'), 10)).toBe('ENFILE');
  // A further name is no further file.
  expect(change(tree, link('f0', 'more'), 10)).toBeUndefined();
  expect(change(tree, unlink('f1'), 10)).toBeUndefined();
  expect(change(tree, mkdir('x/y', true), 10)).toBe('ENFILE');
  expect(change(tree, mkdir('x'), 10)).toBeUndefined();
});

test('file_count_limit: where nobody says another one, the stated one', async () => {
  const overlay = new (class extends Overlay {
    override get nodeCount(): number {
      return maxRuntimeNodes - 1 + super.nodeCount;
    }
  })();
  const tree = new MountedTree((await mounted()).image, overlay);
  expect(maxRuntimeNodes).toBe(2 ** 20);
  expect(change(tree, mkdir('x/y', true))).toBe('ENFILE');
  expect(change(tree, file('last'))).toBeUndefined();
  expect(change(tree, file('more'))).toBe('ENFILE');
});

test('large_file: more than 4 GiB of logical bytes are mapped to the last one', async () => {
  const tree = await mounted();
  const size = 5 * 2 ** 30 + 1;
  expect(change(tree, file('big', size, { blockSize: 2 ** 16 }))).toBeUndefined();
  const inode = tree.lookup('big')!;
  expect([...tree.mapRange(inode, size - 2, size)]).toMatchObject([
    { block: 81919, blockOffset: 65535, length: 1, fileOffset: size - 2 },
    { block: 81920, blockOffset: 0, length: 1, fileOffset: size - 1 },
  ]);
  expect([...tree.mapExtents(inode, size - 2, size)]).toMatchObject([
    {
      firstBlock: 81919,
      blockCount: 2,
      shift: 16,
      storedOffset: size - 1 - 65536,
      storedLength: 65537,
      storedExact: true,
    },
  ]);
  const table = BlockTable.fixed(tree.blob(tree.blobCount - 1));
  expect(table.stored(81920)).toEqual({ start: size - 1, end: size });
});

test('a tree without changes is the image', async () => {
  const tree = await mounted();
  const { image } = tree;
  for (const path of [
    '',
    '/',
    'index.html',
    '/größe/',
    'größe/data.bin',
    'none',
    'a.js/',
    'a//b',
    '\ud800',
  ]) {
    expect(tree.lookup(path)).toBe(image.lookup(path));
  }
  for (let n = 0; n < image.inodeCount; n++) {
    expect(tree.inode(n)).toEqual(image.inode(n));
    expect(tree.pathOf(n)).toBe(image.pathOf(n));
  }
  expect([...tree.files()]).toEqual([...image.files()]);
  expect(tree.blobCount).toBe(image.blobCount);
});

test.afterEach(() => {
  Error.stackTraceLimit = traceLimit;
});

for (const seed of [1, 2, 3, 4]) {
  test(`random operations beside a simple twin, folded and unfolded, seed ${seed}`, async () => {
    // Thousands of the errors here are awaited; their traces are what would take the time.
    Error.stackTraceLimit = 0;
    const image = await Image.open((await tinyImage()).bootstrap);
    let tree = new MountedTree(image, new Overlay());
    const twin = twinDirectory();
    const data = twinDirectory();
    data.entries!.set('data.bin', twinFile(5000, '0,255,10')).set('empty', twinDirectory());
    twin.entries!.set('index.html', twinFile(34)).set('größe', data);
    twin.entries!.set('a.js', twinFile(19)).set('nothing', twinFile(0));

    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const pool = [
      'a',
      'b',
      'c',
      'größe',
      'empty',
      'data.bin',
      'index.html',
      'a.js',
      'nothing',
      '\u{1f600}',
      '\uff00',
    ];
    const odd = ['.', '..', '', 'sw.js', 'x\0', 'n'.repeat(256)];
    const path = (): string => {
      const count = 1 + below(4);
      const parts = Array.from({ length: count }, () =>
        below(40) === 0 ? odd[below(odd.length)]! : pool[below(pool.length)]!,
      );
      return (below(5) === 0 ? '/' : '') + parts.join('/');
    };
    const known = (): string => {
      return paths.length === 0 || below(4) === 0 ? path() : paths[below(paths.length)]!.replace(/\/$/, '');
    };
    const counts = new Map<string, number>();
    let paths = [...twinListing(twin).keys()];
    for (let step = 0; step < 3000; step++) {
      const meta = new Uint8Array(below(30) === 0 ? 513 : below(4)).fill(below(256));
      const directory = known();
      const shallow = directory.split('/').length < 4;
      const target = shallow && below(3) > 0 ? `${directory}/${pool[below(pool.length)]}` : path();
      const operation = [
        () => file(target, below(20000), { meta }),
        () => mkdir(target, below(3) === 0),
        () => link(known(), target),
        () => unlink(known()),
        () => rmdir(known()),
        () => ({ type: 'set-meta', path: known(), meta }) as const,
      ][[0, 1, 2, 3, 3, 3, 4, 4, 5][below(9)]!]!();
      const before = tree.overlay.sequence;
      const expected = twinApply(twin, operation);
      const code = change(tree, operation);
      if (code !== expected) expect(code, JSON.stringify(operation)).toBe(expected);
      if (expected !== undefined && tree.overlay.sequence !== before)
        throw new Error('an error changed the tree');
      if (expected === undefined) paths = [...twinListing(twin).keys()];
      counts.set(expected ?? operation.type, (counts.get(expected ?? operation.type) ?? 0) + 1);
      if (step % 50 !== 0) continue;
      const folded = new Overlay();
      expect([...tree.overlay.changes()].every((each) => folded.apply(each))).toBe(true);
      expect(folded.nextInode).toBe(tree.overlay.nextInode);
      expect(folded.nodeCount).toBe(tree.overlay.nodeCount);
      expect([...folded.changes()]).toHaveLength([...tree.overlay.changes()].length);
      expect(listing(new MountedTree(image, folded))).toEqual(twinListing(twin));
      expect(listing(tree)).toEqual(twinListing(twin));
      if (below(2) === 0) tree = new MountedTree(image, folded);
    }
    // Every kind of operation succeeded, and every kind of error came.
    for (const kind of ['create-file', 'mkdir', 'link', 'unlink', 'rmdir', 'set-meta'])
      expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(5);
    const codes = [
      'ENOENT',
      'EEXIST',
      'ENOTDIR',
      'EISDIR',
      'EINVAL',
      'EMLINK',
      'ENOTEMPTY',
      'ENAMETOOLONG',
      'E2BIG',
    ];
    for (const code of codes) expect(counts.get(code) ?? 0, code).toBeGreaterThan(0);
  });
}

/** What the twin lists, through readdir, lookup, inode and pathOf. */
function listing(tree: MountedTree): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (directory: number, prefix: string): void => {
    let previous = none;
    for (const { name, inode, kind } of tree.readdir(directory)) {
      const bytes = utf8Encode(name);
      if (compareBytes(previous, bytes) >= 0) throw new Error(`${name} is not in order`);
      previous = bytes;
      const path = prefix + name;
      if (tree.lookup(path) !== inode || tree.lookup(tree.pathOf(inode)) !== inode)
        throw new Error(`${path} is lost`);
      const { size, links, meta } = tree.inode(inode);
      found.set(kind === 'file' ? path : `${path}/`, `${size} ${links} ${(meta ?? none).join()}`);
      if (kind === 'directory') visit(inode, `${path}/`);
    }
  };
  visit(0, '');
  return found;
}
