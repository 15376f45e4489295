import { expect, test } from '@playwright/test';
import {
  type DirectoryModel,
  encodeBootstrap,
  type FileModel,
  type NodeModel,
} from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { seededRandom } from '../support/random.ts';
import { deflate } from './tiny-image.ts';

const empty = { kind: 'file', size: 0, tag: new Uint8Array(8), extents: [] } as const;

/** Names that have broken tools before; every random name grows out of some of them. */
const parts = [
  'a',
  'b',
  'z',
  'A',
  '0',
  '.',
  '..',
  '...',
  ' ',
  '%',
  '%20',
  '%2F',
  '#',
  '?',
  '+',
  '&',
  '\\',
  ':',
  '*',
  '"',
  '<',
  '\n',
  '\u0001',
  '\u007f',
  '\u00e9',
  'e\u0301',
  '\u1e9b\u0323',
  '\u212b',
  '\u00c5',
  'A\u030a',
  'ß',
  'ﬁ',
  'İ',
  'ı',
  '日本',
  '\ud55c',
  '\u1112\u1161\u11ab',
  '🎲',
  '👩‍🚀',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\u200f',
  '\u{10ffff}',
  'constructor',
  '__proto__',
  'CON',
  'index.html',
];

function randomName(random: () => number): string {
  let name = '';
  for (let more = 1 + random() * 4; more > 0; more--) name += parts[Math.floor(random() * parts.length)];
  // Now and then as long as a name may be.
  if (random() < 0.02) name += 'x'.repeat(255 - Buffer.byteLength(name));
  return name;
}

/** A random tree and its twin: every path with its kind, and for directories the names in them. */
function randomTree(seed: number, count: number) {
  const random = seededRandom(seed);
  const root: NodeModel[] = [];
  const directories: { path: string; entries: NodeModel[] }[] = [{ path: '', entries: root }];
  const twin = new Map<string, 'file' | 'directory'>();
  const children = new Map<string, string[]>([['', []]]);
  while (twin.size < count) {
    // Old directories grow large, young ones deep.
    const { path, entries } = directories[Math.floor(directories.length * random() ** 3)]!;
    const name = randomName(random);
    const full = path === '' ? name : `${path}/${name}`;
    if (name === '.' || name === '..' || twin.has(full)) continue;
    children.get(path)!.push(name);
    if (random() < 0.1) {
      const directory: DirectoryModel & { entries: NodeModel[] } = { kind: 'directory', name, entries: [] };
      entries.push(directory);
      directories.push({ path: full, entries: directory.entries });
      children.set(full, []);
      twin.set(full, 'directory');
    } else {
      entries.push({ ...empty, name, meta: Buffer.from(full).subarray(-500) });
      twin.set(full, 'file');
    }
  }
  return { root, twin, children, random };
}

test('every name is found, nothing else is: against a map', async () => {
  const { root, twin, children } = randomTree(1, 5000);
  const image = await Image.open(encodeBootstrap({ root, blobs: [], codecs: [] }, deflate));
  expect(image.inodeCount).toBe(5001);
  const wrong: string[] = [];
  for (const [path, kind] of twin) {
    const inode = image.lookup(path);
    if (inode === undefined || inode !== image.lookup(`/${path}`)) {
      wrong.push(`not found: ${path}`);
      continue;
    }
    const found = image.inode(inode);
    const meta = found.meta === undefined ? undefined : Buffer.from(found.meta).toString('hex');
    if (found.kind !== kind) wrong.push(`kind of ${path}`);
    if (kind === 'file' && meta !== Buffer.from(path).subarray(-500).toString('hex'))
      wrong.push(`another file: ${path}`);
    if (image.pathOf(inode) !== path) wrong.push(`path of ${path}`);
    if ((image.lookup(`${path}/`) === inode) !== (kind === 'directory')) wrong.push(`slash behind ${path}`);
    const near = [
      `${path}x`,
      path.slice(0, -1),
      path.normalize('NFC'),
      path.normalize('NFD'),
      path.toUpperCase(),
      `${path}/x`,
      `${path}//`,
    ];
    for (const other of near) {
      const asDirectory = other.endsWith('/') && twin.get(other.slice(0, -1)) === 'directory';
      const expected = other === '' || twin.has(other) || asDirectory;
      // A cut surrogate pair is no text that a name could be.
      const isText = Buffer.from(other).toString() === other;
      if (isText && (image.lookup(other) !== undefined) !== expected) wrong.push(`near ${path}: ${other}`);
    }
  }
  for (const [path, names] of children) {
    const listed = [...image.readdir(image.lookup(path)!)].map(({ name }) => name);
    const sorted = names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    if (JSON.stringify(listed) !== JSON.stringify(sorted)) wrong.push(`entries of ${path}`);
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  const files = [...twin].filter(([, kind]) => kind === 'file').map(([path]) => path);
  expect(new Set([...image.files()].map(({ path }) => path))).toEqual(new Set(files));
});

test('the root, slashes, and a path through a file', async () => {
  const root: NodeModel[] = [
    { ...empty, name: 'f' },
    { kind: 'directory', name: 'd', entries: [{ ...empty, name: 'g' }] },
  ];
  const image = await Image.open(encodeBootstrap({ root, blobs: [], codecs: [] }, deflate));
  expect([image.lookup(''), image.lookup('/'), image.pathOf(0)]).toEqual([0, 0, '']);
  expect([image.lookup('d'), image.lookup('/d/'), image.lookup('d/g')]).toEqual([1, 1, 3]);
  for (const path of ['//', 'd//g', '//d', 'f/', 'f/g', 'd/g/', 'd/.', 'd/..', './d', 'D', ' ']) {
    expect(image.lookup(path), path).toBeUndefined();
  }
  expect(() => [...image.readdir(2)]).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  for (const n of [-1, 4, 1.5, Number.NaN]) {
    expect(() => image.inode(n)).toThrow(expect.objectContaining({ code: 'ERANGE' }));
  }
});

test('the order in which entries are described does not matter', () => {
  const { root, random } = randomTree(2, 500);
  const shuffle = (nodes: readonly NodeModel[]): NodeModel[] =>
    nodes
      .map((node) => ({
        node: node.kind === 'file' ? node : { ...node, entries: shuffle(node.entries) },
        key: random(),
      }))
      .sort((a, b) => a.key - b.key)
      .map(({ node }) => node);
  const first = encodeBootstrap({ root, blobs: [], codecs: [] }, deflate);
  expect(
    Buffer.compare(first, encodeBootstrap({ root: shuffle(root), blobs: [], codecs: [] }, deflate)),
  ).toBe(0);
});

test('a directory a thousand levels deep', async () => {
  let root: NodeModel[] = [{ ...empty, name: 'end' }];
  for (let level = 0; level < 1000; level++) root = [{ kind: 'directory', name: 'd', entries: root }];
  const image = await Image.open(encodeBootstrap({ root, blobs: [], codecs: [] }, deflate));
  const path = `${'d/'.repeat(1000)}end`;
  expect(image.lookup(path)).toBe(1001);
  expect(image.pathOf(1001)).toBe(path);
  expect([...image.files()]).toEqual([{ inode: 1001, path }]);
});

test('100,000 files open and answer at once', async () => {
  const directories: NodeModel[] = [];
  for (let d = 0; d < 1000; d++) {
    const entries: FileModel[] = [];
    for (let f = 0; f < 100; f++) {
      const tag = Uint8Array.from(Buffer.from(`${d * 7919 + f * 104729}0000000`.slice(0, 8)));
      entries.push({
        ...empty,
        name: `chunk-${(d * 100 + f).toString(36)}.js`,
        tag,
        mime: 'text/javascript',
      });
    }
    directories.push({ kind: 'directory', name: `part-${d}`, entries });
  }
  const bootstrap = encodeBootstrap({ root: directories, blobs: [], codecs: [] }, deflate);
  const began = performance.now();
  const image = await Image.open(bootstrap);
  const opened = performance.now();
  const inode = image.lookup('part-731/chunk-none.js');
  const found = performance.now();
  expect(inode).toBeUndefined();
  const known = `part-731/chunk-${(73_150).toString(36)}.js`;
  expect(image.pathOf(image.lookup(known)!)).toBe(known);
  console.log(
    `100,000 files: bootstrap ${(bootstrap.length / 1e6).toFixed(2)} MB (body ${(image.superblock.bodyLength / 1e6).toFixed(2)} MB), ` +
      `open ${(opened - began).toFixed(1)} ms, first lookup ${(found - opened).toFixed(2)} ms`,
  );
  expect(found - began).toBeLessThan(3000);
});
