import { expect, test } from '@playwright/test';
import { decodeBlock } from '../../src/codec/decode-block.ts';
import { codecId } from '../../src/format/codec-id.ts';
import { encodeBootstrap } from '../../src/image/encode-bootstrap.ts';
import { Image } from '../../src/image/image.ts';
import { argumentsOf, isServiceEvent } from '../../src/loader/peer-shapes.ts';
import type { TreeChange } from '../../src/overlay/change.ts';
import { Overlay } from '../../src/overlay/overlay.ts';
import { isFromLoader, isPageMessage, isToLoader } from '../../src/protocol/guards.ts';
import { Presence } from '../../src/store/presence.ts';
import { StoreState } from '../../src/store/store-state.ts';
import { tinyImage } from '../image/tiny-image.ts';

/* What fuzzing has found, or reading for it. Each was a crash, a hang, a large array or an error of the platform's. */

const digest = 'ab'.repeat(32);
const meta = new Uint8Array(0);
const directory = (inode: number, parent: number): TreeChange => ({
  type: 'create',
  inode,
  parent,
  name: `d${inode}`,
  node: { kind: 'directory', meta },
});

test('an image whose headers no response can have is corrupt', async () => {
  const { model } = await tinyImage();
  for (const [text, path] of [
    ['X-One', 'index.html'],
    ['text/javascript', 'a.js'],
  ] as const) {
    for (const wrong of ['\n', '\x7f', '\0']) {
      const bytes = encodeBootstrap(model, (body) => body);
      const at = Buffer.from(bytes.buffer).indexOf(text);
      bytes[at + 1] = wrong.charCodeAt(0);
      const image = await Image.open(bytes);
      const inode = image.lookup(path)!;
      expect(() => image.inode(inode)).toThrow(expect.objectContaining({ code: 'corrupt-image' }));
    }
  }
});

test('a journal can put no directory into itself, and use no inode twice', () => {
  const overlay = new Overlay();
  expect(overlay.apply(directory(5, 5))).toBe(false);
  expect(overlay.apply(directory(5, 6))).toBe(false);
  expect(overlay.apply(directory(6, 0))).toBe(true);
  expect(overlay.apply({ type: 'set-meta', inode: 7, meta })).toBe(true);
  expect(overlay.apply(directory(7, 6))).toBe(false);
  // A file may be in a directory that is younger, by a link that outlives its first name.
  const node = { kind: 'file', size: 0, blockSize: 4096, blob: digest, mime: '', meta } as const;
  for (const change of [
    { type: 'create', inode: 8, parent: 0, name: 'f', node },
    directory(9, 0),
    { type: 'link', inode: 8, parent: 9, name: 'g' },
    { type: 'unlink', parent: 0, name: 'f' },
  ] as const)
    expect(overlay.apply(change)).toBe(true);
  const folded = new Overlay();
  for (const change of overlay.changes()) expect(folded.apply(change)).toBe(true);
});

test('a record of millions of blocks costs their bits and no more, in all no more than a disk could hold', () => {
  const presence = new Presence(2 ** 24);
  presence.add(9);
  for (let i = 0; i < 50; i++) presence.addRun(3, 2 ** 24 - 5);
  expect(presence.count).toBe(2 ** 24 - 5);
  expect([...presence.runs()]).toEqual([{ first: 3, count: 2 ** 24 - 5 }]);
  const state = new StoreState();
  const declare = (n: number): boolean =>
    state.apply({
      type: 'blob',
      sha256: n.toString(16).padStart(64, '0'),
      length: 2 ** 32 - 1,
      tableLength: 16,
      incarnation: 1,
      blockCount: 2 ** 24,
    });
  expect(Array.from({ length: 17 }, (_, n) => declare(n))).toEqual([...Array(16).fill(true), false]);
});

test('lz4 that reaches behind its begin, repeats nothing, or runs on is refused', async () => {
  const none = () => Promise.reject(new Error('no zstd here'));
  for (const [stored, length] of [
    // A match before the first byte; at distance 0; longer than the block; literals that are not there; ends with a match.
    [[0x10, 65, 9, 0, 0x10, 66], 6],
    [[0x10, 65, 0, 0, 0x10, 66], 6],
    [[0x1f, 65, 1, 0, ...Array(200).fill(255), 0, 0x10, 66], 100],
    [[0xf0, 255, 255, 0, 65], 600],
    [[0x10, 65, 1, 0], 5],
    [[], 1],
  ] as const)
    await expect(decodeBlock(codecId.lz4, Uint8Array.from(stored), length, none)).rejects.toMatchObject({
      code: 'integrity',
    });
  const good = await decodeBlock(codecId.lz4, Uint8Array.of(0x10, 65, 1, 0, 0x10, 66), 6, none);
  expect(Buffer.from(good).toString()).toBe('AAAAAB');
});

test('messages name no more than can be: blocks of a blob, bytes of a block, bytes of a bootstrap', () => {
  const read = {
    type: 'read-blocks',
    id: 1,
    image: digest,
    path: 'a',
    blob: 0,
    first: 0,
    count: 1,
    timeoutMs: 0,
  };
  expect([isToLoader(read), isToLoader({ ...read, count: 2 ** 32 })]).toEqual([true, false]);
  const block = { type: 'block', id: 1, block: 0, codec: 2, logicalLength: 4096, bytes: meta };
  expect([isFromLoader(block), isFromLoader({ ...block, logicalLength: 2 ** 40 })]).toEqual([true, false]);
  const release = { image: digest, bytes: 500 };
  const adopt = (bytes: number): boolean =>
    isPageMessage({ type: 'sluice:release', release: { ...release, bytes } });
  expect([adopt(500), adopt(2 ** 40)]).toEqual([true, false]);
});

test('news and calls of other tabs are looked at whole: half an event would have ended a loader', () => {
  expect(isServiceEvent({ type: 'release', release: { image: digest, bytes: 5 }, gone: [digest] })).toBe(
    true,
  );
  for (const event of [
    undefined,
    { type: 'release' },
    { type: 'release', release: { image: digest, bytes: 5 } },
    { type: 'release', release: null },
    { type: 'sealed' },
    { type: 'dropped', blobs: 7 },
    { type: 'progress', image: digest, progress: null },
    { type: 'toString' },
  ])
    expect(isServiceEvent(event)).toBe(false);
  const accepts = (method: keyof typeof argumentsOf, ...args: unknown[]): boolean =>
    argumentsOf[method].every((check, i) => check(args[i]));
  expect(accepts('stat', digest, 'a')).toBe(true);
  expect(accepts('stat', digest)).toBe(false);
  expect(accepts('provideBlocks', digest, [{ blob: 0, block: 0 }])).toBe(false);
  expect(accepts('changeTree', digest, { type: 'mkdir', path: 'a' }, digest)).toBe(false);
  expect(accepts('fsmap', digest, { limit: -1 })).toBe(false);
});
