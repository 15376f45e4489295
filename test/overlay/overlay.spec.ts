import { expect, test } from '@playwright/test';
import type { NewNode, TreeChange } from '../../src/overlay/change.ts';
import { Overlay } from '../../src/overlay/overlay.ts';

const meta = new Uint8Array(0);
const directory = { kind: 'directory', meta } as const;
const file: NewNode & { kind: 'file' } = {
  kind: 'file',
  size: 1,
  blockSize: 4096,
  blob: '0'.repeat(64),
  mime: '',
  meta,
};
const create = (inode: number, parent: number, name: string, node: NewNode = file): TreeChange => ({
  type: 'create',
  inode,
  parent,
  name,
  node,
});

test('takes what can be, and counts it', () => {
  const overlay = new Overlay();
  expect(overlay.apply(create(10, 0, 'd', directory))).toBe(true);
  expect(overlay.apply(create(11, 10, 'f'))).toBe(true);
  expect(overlay.apply({ type: 'link', inode: 3, parent: 10, name: 'published' })).toBe(true);
  expect(overlay.apply({ type: 'unlink', parent: 0, name: 'published' })).toBe(true);
  expect(overlay.child(0, 'published')).toBe('removed');
  expect(overlay.child(10, 'published')).toEqual({ inode: 3, kind: 'file' });
  expect(overlay.child(10, 'f')).toEqual({ inode: 11, kind: 'file' });
  expect(overlay.child(0, 'other')).toBeUndefined();
  expect(overlay.sequence).toBe(4);
  expect(overlay.nextInode).toBe(12);
  expect([...overlay.files()].map(([inode]) => inode)).toEqual([11]);
});

test('refuses what cannot be, and stays as it was', () => {
  const overlay = new Overlay();
  for (const change of [create(10, 0, 'd', directory), create(11, 10, 'f')]) overlay.apply(change);
  overlay.apply({ type: 'unlink', parent: 0, name: 'gone' });
  const before = [...overlay.changes()];
  const wrong: TreeChange[] = [
    create(0, 0, 'root'),
    create(11, 0, 'again'),
    create(12, 10, 'f'),
    create(12, 11, 'in a file'),
    create(12, 0, ''),
    create(12, 0, '..'),
    create(12, 0, 'a/b'),
    create(12, 0, 'n'.repeat(256)),
    create(12, 0, 'x', { ...file, blockSize: 1000 }),
    create(12, 0, 'x', { ...file, blockSize: 2 ** 21 }),
    create(12, 0, 'x', { ...file, blob: 'name' }),
    create(12, 0, 'x', { ...file, size: 2 ** 36 + 1 }),
    create(12, 0, 'x', { ...file, size: -1 }),
    create(12, 0, 'x', { ...file, meta: new Uint8Array(513) }),
    { type: 'link', inode: 10, parent: 0, name: 'second' },
    { type: 'link', inode: 0, parent: 10, name: 'root' },
    { type: 'link', inode: 11, parent: 10, name: 'f' },
    { type: 'link', inode: 3, parent: 11, name: 'x' },
    { type: 'unlink', parent: 0, name: 'gone' },
    { type: 'unlink', parent: 0, name: 'd' },
    { type: 'unlink', parent: 10, name: 'never was' },
    { type: 'set-meta', inode: 11, meta: new Uint8Array(513) },
  ];
  for (const change of wrong) expect(overlay.apply(change), JSON.stringify(change)).toBe(false);
  expect([...overlay.changes()]).toEqual(before);
  expect(overlay.sequence).toBe(3);
});

test('folded, a long history is as short as what it left', () => {
  const overlay = new Overlay();
  for (let i = 0; i < 1000; i++) {
    overlay.apply(create(10 + i, 0, 'same'));
    overlay.apply({ type: 'unlink', parent: 0, name: 'same' });
  }
  expect([...overlay.changes()]).toEqual([{ type: 'next-inode', inode: 1010 }]);
});

test('folded, a directory comes before the file whose oldest name is in it', () => {
  const overlay = new Overlay();
  const history: TreeChange[] = [
    { type: 'unlink', parent: 0, name: 'f' },
    create(10, 0, 'f'),
    create(11, 0, 'd', directory),
    { type: 'link', inode: 10, parent: 11, name: 'g' },
    { type: 'unlink', parent: 0, name: 'f' },
    { type: 'set-meta', inode: 2, meta: Uint8Array.of(1) },
  ];
  for (const change of history) expect(overlay.apply(change)).toBe(true);
  const folded = new Overlay();
  for (const change of overlay.changes()) expect(folded.apply(change), JSON.stringify(change)).toBe(true);
  expect([...folded.changes()]).toEqual([...overlay.changes()]);
  expect(folded.namesOf(10)).toEqual([{ parent: 11, name: 'g' }]);
  expect(folded.removed(0, 'f')).toBe(true);
});

test('is empty when nothing is left of what was changed', () => {
  const overlay = new Overlay();
  expect(overlay.isEmpty).toBe(true);
  const undone: (readonly [TreeChange, TreeChange])[] = [
    [create(10, 0, 'd', directory), { type: 'unlink', parent: 0, name: 'd' }],
    [create(11, 0, 'f'), { type: 'unlink', parent: 0, name: 'f' }],
    [
      { type: 'link', inode: 3, parent: 0, name: 'second' },
      { type: 'unlink', parent: 0, name: 'second' },
    ],
  ];
  for (const [change, back] of undone) {
    expect([overlay.apply(change), overlay.isEmpty]).toEqual([true, false]);
    expect([overlay.apply(back), overlay.isEmpty]).toEqual([true, true]);
  }
  overlay.apply({ type: 'unlink', parent: 0, name: 'published' });
  expect(overlay.isEmpty).toBe(false);
  const other = new Overlay();
  other.apply({ type: 'set-meta', inode: 3, meta: Uint8Array.of(1) });
  expect(other.isEmpty).toBe(false);
});
