import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import type { TreeChange } from '../../src/overlay/change.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import type { Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { openOpfsDirectory } from '../../src/store/opfs-directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { blockOf, publishedBlob, tableOf } from '../contracts/published.ts';

/** What a contract over any directory cannot say: damaged and foreign journals, byte by byte. */

async function contents(directory: Directory): Promise<Record<string, string>> {
  const paths = ['journal-a', 'journal-b'];
  for (const folder of ['blobs', 'images']) {
    for (const name of await directory.list(folder)) paths.push(`${folder}/${name}`);
  }
  const all: Record<string, string> = {};
  for (const path of paths) {
    const snapshot = await directory.snapshot(path);
    if (snapshot !== undefined) all[path] = Buffer.from(await snapshot.arrayBuffer()).toString('hex');
  }
  return all;
}

async function edit(
  directory: Directory,
  path: string,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const file = await directory.open(path);
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  file.truncate(0);
  file.write(change(bytes), 0);
  file.close();
}

/** A store with one blob, of which block 1 is present; which slot is current. */
async function smallStore(): Promise<{
  directory: Directory;
  current: string;
  blob: Awaited<ReturnType<typeof publishedBlob>>;
}> {
  const directory = new MemoryDirectory();
  const blob = await publishedBlob(1, 3);
  const store = await BlockStore.open(directory);
  store.blob(blob.description);
  await store.writeTable(blob.description.sha256, tableOf(blob));
  await store.writeBlock(blob.description.sha256, 1, blob.blocks[1]!.start, blockOf(blob, 1));
  await store.close();
  const current = (await directory.snapshot('journal-a'))!.size > 0 ? 'journal-a' : 'journal-b';
  return { directory, current, blob };
}

function laterVersion(slot: Uint8Array): Uint8Array {
  const later = slot.slice();
  const view = new DataView(later.buffer);
  view.setUint32(8, 2, true);
  view.setUint32(28, crc32(later.subarray(0, 28)), true);
  return later;
}

function unknownRecord(slot: Uint8Array): Uint8Array {
  const record = new Uint8Array(9 + 2);
  const view = new DataView(record.buffer);
  view.setUint32(0, 2, true);
  record[4] = 64;
  const covered = Uint8Array.from([...slot.slice(-4), ...record.slice(0, -4)]);
  view.setUint32(7, crc32(covered), true);
  return Uint8Array.from([...slot, ...record]);
}

for (const [what, change] of Object.entries({
  'a later version': laterVersion,
  'an unknown record': unknownRecord,
})) {
  test(`a store with ${what} is refused and left alone`, async () => {
    const { directory, current } = await smallStore();
    await edit(directory, current, change);
    const before = await contents(directory);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(BlockStore.open(directory)).rejects.toMatchObject({ code: 'store-too-new' });
      await expect(StoreReader.open(directory)).rejects.toMatchObject({ code: 'store-too-new' });
    }
    expect(await contents(directory)).toEqual(before);
  });
}

test('a later version in the other slot is left alone too', async () => {
  const { directory, current } = await smallStore();
  const other = current === 'journal-a' ? 'journal-b' : 'journal-a';
  const slot = new Uint8Array(await (await directory.snapshot(current))!.arrayBuffer());
  await edit(directory, other, () => laterVersion(slot));
  const before = await contents(directory);
  await expect(BlockStore.open(directory)).rejects.toMatchObject({ code: 'store-too-new' });
  expect(await contents(directory)).toEqual(before);
});

test('a journal without a header is given up with a word, and its files go', async () => {
  const { directory, current, blob } = await smallStore();
  await edit(directory, current, (bytes) => bytes.fill(0x55));
  const store = await BlockStore.open(directory);
  expect(store.damage).toMatchObject({ code: 'corrupt-store' });
  expect(await directory.list('blobs')).toEqual([]);
  expect(store.blob(blob.description).count).toBe(0);
  await store.writeBlock(blob.description.sha256, 2, blob.blocks[2]!.start, blockOf(blob, 2));
  await store.close();
  const again = await BlockStore.open(directory);
  expect(again.damage).toBeUndefined();
  expect(again.blob(blob.description).has(2)).toBe(true);
});

test('a journal that is cut loses its end only, and can be appended to', async () => {
  const { directory, current, blob } = await smallStore();
  // Behind the blocks is the 9 bytes' session-end.
  await edit(directory, current, (bytes) => bytes.slice(0, -10));
  const cut = (await directory.snapshot(current))!.size;
  const store = await BlockStore.open(directory);
  expect(store.damage).toBeUndefined();
  expect((await directory.snapshot(current))!.size, 'what is left of the record').toBeLessThan(cut);
  const presence = store.blob(blob.description);
  expect([presence.hasTable, presence.has(1)]).toEqual([true, false]);
  await store.writeBlock(blob.description.sha256, 0, blob.blocks[0]!.start, blockOf(blob, 0));
  await store.close();
  const again = await BlockStore.open(directory);
  expect([0, 1, 2].map((block) => again.blob(blob.description).has(block))).toEqual([true, false, false]);
});

test('of two complete slots the younger generation is current', async () => {
  const { directory, current, blob } = await smallStore();
  const other = current === 'journal-a' ? 'journal-b' : 'journal-a';
  const old = new Uint8Array(await (await directory.snapshot(current))!.arrayBuffer());
  const store = await BlockStore.open(directory);
  await store.evict([blob.description.sha256]);
  await store.close();
  // As a crash between the new generation's flush and the emptying of the old one leaves it.
  await edit(directory, current, () => old);
  expect((await directory.snapshot(other))!.size).toBeGreaterThan(0);
  const reader = await StoreReader.open(directory);
  expect(reader.has(blob.description.sha256, 1)).toBe(false);
  const again = await BlockStore.open(directory);
  expect(again.blob(blob.description).count).toBe(0);
  expect((await directory.snapshot(current))!.size).toBe(0);
});

test('where there is no OPFS, there is a reason', async () => {
  const reasons: unknown[] = [];
  expect(await openOpfsDirectory('sluice/test', (reason) => reasons.push(reason))).toBeUndefined();
  expect(reasons).toEqual([expect.objectContaining({ code: 'unreadable' })]);
});

test('what was requested and done is known over compactions and mounts', async () => {
  const directory = new MemoryDirectory();
  const image = 'ab'.repeat(32);
  const request = 'cd'.repeat(32);
  const node = { kind: 'directory', meta: new Uint8Array(0) } as const;
  const make = (inode: number): TreeChange => ({ type: 'create', inode, parent: 99, name: `${inode}`, node });
  const store = await BlockStore.open(directory, { minCompaction: 1 });
  await store.change(image, [make(100), make(101)], request);
  expect(store.isDone(request)).toBe(true);
  for (let inode = 102; inode < 150; inode++) await store.change(image, [make(inode)]);
  await expect(store.change(image, [make(149)], 'ef'.repeat(32))).rejects.toMatchObject({ code: 'EINVAL' });
  await store.close();
  const again = await BlockStore.open(directory);
  expect([again.isDone(request), again.isDone('ef'.repeat(32))]).toEqual([true, false]);
  await again.close();
});
