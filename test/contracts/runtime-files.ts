import { sha256 } from '../../src/format/sha256.ts';
import type { NewNode, TreeChange } from '../../src/overlay/change.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { noise } from '../support/random.ts';
import { blobFile, storedBlobs } from './blob-file.ts';
import { type ContractCase, check, fails, same } from './contract.ts';
import { blockOf, type PublishedBlob, publishedBlob, publishedImage, tableOf } from './published.ts';

const app = 'a0'.repeat(32);
const other = 'a1'.repeat(32);
const none = new Uint8Array(0);
const blockSize = 4096;

function nameOf(n: number): string {
  return (n + 1).toString(16).padStart(64, 'f');
}

function create(inode: number, name: string, size: number, more: Partial<NewNode> = {}): TreeChange {
  const node = {
    kind: 'file',
    size,
    blockSize,
    blob: nameOf(inode),
    mime: '',
    meta: none,
    ...more,
  } as NewNode;
  return { type: 'create', inode, parent: 0, name, node };
}

const unlink = (name: string): TreeChange => ({ type: 'unlink', parent: 0, name });

async function put(
  store: BlockStore,
  inode: number,
  block: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await store.writeLocalBlock(nameOf(inode), block, bytes, await sha256(bytes));
}

async function sealedBlob(store: BlockStore, seed: number): Promise<PublishedBlob> {
  const blob = await publishedBlob(seed, 8);
  store.blob(blob.description);
  await store.writeTable(blob.description.sha256, tableOf(blob));
  for (const block of blob.blocks.keys()) await putPublished(store, blob, block);
  await store.commit();
  return blob;
}

function putPublished(store: BlockStore, blob: PublishedBlob, block: number): Promise<void> {
  return store.writeBlock(blob.description.sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
}

/** What a store keeps of files made at run time, and of what is taken away from it. */
export const runtimeFilesContract: readonly ContractCase[] = [
  {
    name: 'work_after_remount: changes of a tree and blocks of its files are there again, removed names stay removed',
    async run(directory) {
      const bytes = noise(1, blockSize + 10);
      const meta = noise(2, 512);
      const changes: TreeChange[] = [
        { type: 'create', inode: 50, parent: 0, name: 'größe', node: { kind: 'directory', meta: none } },
        create(51, 'f', bytes.length, { meta, mime: 'text/plain' }),
        { type: 'link', inode: 51, parent: 50, name: '\u{1f600}' },
        { type: 'link', inode: 51, parent: 0, name: 'third' },
        { type: 'link', inode: 3, parent: 50, name: 'published' },
        unlink('published'),
        unlink('f'),
        { type: 'set-meta', inode: 4, meta },
      ];
      const store = await BlockStore.open(directory);
      const overlay = store.overlay(app);
      await store.change(app, changes);
      same(overlay.sequence, changes.length, 'the object that was asked for before has it');
      await put(store, 51, 1, bytes.slice(blockSize));
      await store.commit();
      const all = [...overlay.changes()];
      await store.close();
      for (let mount = 0; mount < 2; mount++) {
        const again = await BlockStore.open(directory, { minCompaction: 1 });
        same([...again.overlay(app).changes()], all, 'changes');
        same([...again.overlay(other).changes()], [], 'of another image');
        same(again.overlay(app).child(0, 'published'), 'removed', 'stays removed');
        same(
          again.overlay(app).namesOf(51),
          [
            { parent: 50, name: '\u{1f600}' },
            { parent: 0, name: 'third' },
          ],
          'names',
        );
        same(again.overlay(app).namesOf(3), [{ parent: 50, name: 'published' }], 'name of a published file');
        same(again.overlay(app).meta(4), meta, 'meta');
        const presence = again.blobs()[0]!.presence;
        same(
          [presence.count, presence.has(0), presence.has(1), presence.sealed],
          [1, false, true, false],
          'presence',
        );
        same(await again.readBlock(nameOf(51), 1, blockSize, 10), bytes.subarray(blockSize), 'block');
        same(again.localDigest(nameOf(51), 1), await sha256(bytes.subarray(blockSize)), 'digest');
        same(again.localDigest(nameOf(51), 0), undefined, 'no digest of a missing block');
        // Makes a new generation, which says the same.
        await again.dropBlocks(nameOf(51), []);
        await again.close();
      }
    },
  },
  {
    name: 'a private block is written once, and a whole file is sealed',
    async run(directory) {
      const bytes = noise(3, 2 * blockSize);
      const store = await BlockStore.open(directory);
      await store.change(app, [create(60, 'f', bytes.length), create(61, 'empty', 0)]);
      await put(store, 60, 0, bytes.slice(0, blockSize));
      await put(store, 60, 0, noise(4, blockSize));
      same(await store.readBlock(nameOf(60), 0, 0, blockSize), bytes.subarray(0, blockSize), 'the first one');
      same(store.localDigest(nameOf(60), 0), await sha256(bytes.subarray(0, blockSize)), 'its digest');
      await put(store, 60, 1, bytes.slice(blockSize));
      same(
        (await store.commit()).sealed.toSorted(),
        [nameOf(60), nameOf(61)].sort(),
        'sealed, one by a change',
      );
      await store.close();
      const again = await BlockStore.open(directory);
      same(
        again.blobs().map(({ presence }) => presence.sealed),
        [true, true],
        'after remount',
      );
      same(
        again.localDigest(nameOf(60), 1),
        await sha256(bytes.subarray(blockSize)),
        'digest of a sealed one',
      );
      await again.close();
    },
  },
  {
    name: 'with its last name a file’s blob goes, not before',
    async run(directory) {
      const bytes = noise(5, 100);
      const store = await BlockStore.open(directory);
      await store.change(app, [create(70, 'f', 100), create(71, 'g', 100)]);
      for (const inode of [70, 71]) await put(store, inode, 0, bytes);
      await store.commit();
      await store.change(app, [{ type: 'link', inode: 70, parent: 0, name: 'second' }, unlink('f')]);
      same(await store.readBlock(nameOf(70), 0, 0, 100), bytes, 'one name is left');
      const presence = store.blobs()[0]!.presence;
      await store.change(app, [unlink('second')]);
      same(presence.count, 0, 'nothing is present any more');
      same(await storedBlobs(directory), [nameOf(71)], 'files');
      await fails('EINVAL', 'not known any more', () => store.readBlock(nameOf(70), 0, 0, 100));
      // Numbers of blobs in the journal stay right behind one that went.
      await store.change(app, [create(72, 'h', 100)]);
      await put(store, 72, 0, noise(6, 100));
      await store.close();
      const again = await BlockStore.open(directory);
      same(
        again.blobs().map(({ description }) => description.sha256),
        [nameOf(71), nameOf(72)],
        'after remount',
      );
      same(await again.readBlock(nameOf(71), 0, 0, 100), bytes, 'the one');
      same(await again.readBlock(nameOf(72), 0, 0, 100), noise(6, 100), 'the other');
      await again.close();
    },
  },
  {
    name: 'a long history of names is folded',
    async run(directory) {
      const store = await BlockStore.open(directory, { minCompaction: 2000 });
      let largest = 0;
      for (let i = 0; i < 120; i++) {
        await store.change(app, [
          create(100 + i, 'same', 5),
          { type: 'link', inode: 2, parent: 0, name: 'l' },
        ]);
        await store.change(app, [unlink('same'), unlink('l')]);
        for (const slot of ['journal-a', 'journal-b']) {
          largest = Math.max(largest, (await directory.snapshot(slot))!.size);
        }
      }
      check(largest < 4000, `the journal stays short, not ${largest}`);
      await store.close();
      const again = await BlockStore.open(directory);
      same([...again.overlay(app).changes()], [{ type: 'next-inode', inode: 220 }], 'what is left');
      same(again.blobs(), [], 'no blobs');
      await again.close();
    },
  },
  {
    name: 'a private blob that no file has is gone after remount',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const description = { sha256: nameOf(80), length: 10, tableLength: 0, blockCount: 1, blockSize };
      store.blob(description);
      await put(store, 80, 0, noise(7, 10));
      store.blob({ ...description, sha256: nameOf(81) });
      await put(store, 81, 0, noise(8, 10));
      await store.commit();
      // Filled before it got its name: it appears whole.
      await store.change(app, [create(81, 'whole', 10)]);
      await store.close();
      const again = await BlockStore.open(directory);
      same(
        again.blobs().map(({ description: { sha256 } }) => sha256),
        [nameOf(81)],
        'blobs',
      );
      same(await storedBlobs(directory), [nameOf(81)], 'files');
      same(await again.readBlock(nameOf(81), 0, 0, 10), noise(8, 10), 'its bytes');
      await again.close();
    },
  },
  {
    name: 'removing an image keeps what was made in it: nobody else has that',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const image = await publishedImage(9, 10);
      await store.addImage(image.id, image.bytes);
      await store.change(image.id, [create(90, 'f', 10), unlink('x')]);
      await put(store, 90, 0, noise(10, 10));
      const overlay = store.overlay(image.id);
      const tree = [...overlay.changes()];
      await store.removeImages([image.id]);
      same(store.overlay(image.id) === overlay, true, 'the same object');
      await store.close();
      const again = await BlockStore.open(directory);
      same(again.images(), [], 'images');
      same([...again.overlay(image.id).changes()], tree, 'its tree after remount');
      same(await again.readBlock(nameOf(90), 0, 0, 10), noise(10, 10), 'and its bytes');
      await again.close();
    },
  },
  {
    name: 'large_file: a private blob of more than 4 GiB keeps its last block',
    async run(directory) {
      const size = 2 ** 32 + 3 * 2 ** 20 + 5;
      const last = Math.floor(size / 2 ** 20);
      const start = last * 2 ** 20;
      const bytes = noise(11, size - start);
      const store = await BlockStore.open(directory);
      await store.change(app, [create(95, 'big', size, { blockSize: 2 ** 20 } as Partial<NewNode>)]);
      await put(store, 95, last, bytes);
      await put(store, 95, 0, noise(12, 2 ** 20));
      await store.commit();
      await store.close();
      const again = await BlockStore.open(directory);
      same(again.blobs()[0]!.description.length, size, 'length');
      same(await again.readBlock(nameOf(95), last, start, bytes.length), bytes, 'the last block');
      await again.change(app, [unlink('big')]);
      same(await storedBlobs(directory), [], 'removed');
      await again.close();
    },
  },
  {
    name: 'a reader sees changes when they are made, and counts what it learns',
    async run(directory) {
      const store = await BlockStore.open(directory, { minCompaction: 1500 });
      const reader = await StoreReader.open(directory);
      for (let i = 0; i < 30; i++) {
        const before = reader.sequence;
        await reader.refresh();
        same(reader.sequence, before, 'nothing new');
        await store.change(app, [create(200 + i, `f${i}`, 50)]);
        if (i > 2) await store.change(app, [unlink(`f${i - 3}`)]);
        same(reader.overlay(app).child(0, `f${i}`), undefined, 'before the refresh');
        await reader.refresh();
        check(reader.sequence > before, 'something new');
        same([...reader.overlay(app).changes()], [...store.overlay(app).changes()], 'the same tree');
        await put(store, 200 + i, 0, noise(i, 50));
        await store.commit();
        await reader.refresh();
        same(reader.has(nameOf(200 + i), 0), true, 'present');
        same(await reader.read(nameOf(200 + i), 0, 50), noise(i, 50), 'bytes');
        if (i > 2) same(reader.has(nameOf(200 + i - 3), 0), false, 'what went');
      }
      await store.close();
    },
  },
  {
    name: 'dropped blocks are missing, durably, and come again; a reader that holds the old ones is not fooled',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const blob = await sealedBlob(store, 20);
      const { sha256 } = blob.description;
      const presence = store.blob(blob.description);
      const reader = await StoreReader.open(directory);
      same(reader.sealed(sha256), true, 'sealed before');
      await store.dropBlocks(sha256, [2, 7]);
      same(
        [presence.sealed, presence.count, presence.has(2), presence.has(3)],
        [false, 6, false, true],
        'at once',
      );
      same(await store.readBlock(sha256, 2, blob.blocks[2]!.start, 1), undefined, 'not readable');
      await reader.refresh();
      same(
        [reader.sealed(sha256), reader.has(sha256, 7), reader.has(sha256, 6)],
        [false, false, true],
        'the reader',
      );
      await store.dropBlocks(sha256, [-1]);
      same([presence.hasTable, await store.readTable(sha256)], [false, undefined], 'the table too');
      await store.close();
      const again = await BlockStore.open(directory);
      same(
        [...blob.blocks.keys()].filter((block) => again.blob(blob.description).has(block)),
        [0, 1, 3, 4, 5, 6],
        'after remount',
      );
      for (const block of [2, 7]) await putPublished(again, blob, block);
      same(await again.commit(), { sealed: [] }, 'without a table');
      await again.writeTable(sha256, tableOf(blob));
      same(await again.commit(), { sealed: [sha256] }, 'whole again');
      const file = await directory.snapshot(await blobFile(directory, sha256));
      same(new Uint8Array(await file!.arrayBuffer()), blob.bytes, 'the file');
      // A private one loses the digest with the block, and takes another one.
      await again.change(app, [create(96, 'f', 10)]);
      await put(again, 96, 0, noise(21, 10));
      await again.commit();
      await again.dropBlocks(nameOf(96), [0]);
      same(again.localDigest(nameOf(96), 0), undefined, 'no digest');
      await put(again, 96, 0, noise(22, 10));
      same(await again.commit(), { sealed: [nameOf(96)] }, 'sealed again');
      await again.close();
      const third = await BlockStore.open(directory);
      same(third.localDigest(nameOf(96), 0), await sha256Of(noise(22, 10)), 'the digest after remount');
      await third.close();
    },
  },
  {
    name: 'a read that was under way when its blob was evicted and begun anew gets nothing, not zeros',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const blob = await sealedBlob(store, 34);
      const { sha256, tableLength } = blob.description;
      const [{ start, end }, last] = [blob.blocks[0]!, blob.blocks.length - 1];
      // A sealed file is closed: the read has to wait until it is open.
      const reads = [store.readBlock(sha256, 0, start, end - start), store.readTable(sha256)];
      const evicted = store.evict([sha256]);
      store.blob(blob.description);
      const written = putPublished(store, blob, last);
      same(await Promise.all(reads), [undefined, undefined], 'what was read');
      await Promise.all([evicted, written]);
      same(store.blob(blob.description).count, 1, 'only what came again');
      const { start: from, end: to } = blob.blocks[last]!;
      same(await store.readBlock(sha256, last, from, to - from), blockOf(blob, last), 'what came again');
      check(tableLength > 0, 'there was a table');
      await store.close();
    },
  },
  {
    name: 'evicted blobs are gone with their files, others stay; one can come again',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const [first, second, kept] = [
        await sealedBlob(store, 30),
        await sealedBlob(store, 31),
        await sealedBlob(store, 32),
      ];
      const presence = store.blob(first.description);
      const reader = await StoreReader.open(directory);
      await store.evict([first, second, first].map(({ description }) => description.sha256));
      same([presence.count, presence.sealed], [0, false], 'nothing is present');
      same(await storedBlobs(directory), [kept.description.sha256], 'files');
      await store.evict([first.description.sha256]);
      await reader.refresh();
      same(
        [reader.has(first.description.sha256, 0), reader.sealed(kept.description.sha256)],
        [false, true],
        'the reader',
      );
      store.blob(first.description);
      await putPublished(store, first, 4);
      await store.close();
      const again = await BlockStore.open(directory);
      const back = again.blob(first.description);
      same([back.count, back.has(4), back.hasTable], [1, true, false], 'only what came again');
      same(again.blobs().length, 2, 'known blobs');
      await again.change(app, [create(97, 'f', 10)]);
      await fails('EINVAL', 'a private one', () => again.evict([nameOf(97)]));
      await again.close();
    },
  },
  {
    name: 'pins and times of use are there after remount and compaction',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const [one, two] = [await sealedBlob(store, 40), await sealedBlob(store, 41)];
      await store.pin([one, two].map(({ description }) => description.sha256));
      await store.unpin([two.description.sha256]);
      store.used(app, 1_700_000_000_000);
      store.used(app, 1_800_000_000_000);
      await store.close();
      for (let mount = 0; mount < 2; mount++) {
        const again = await BlockStore.open(directory);
        same(
          [one, two].map(({ description }) => again.pinned(description.sha256)),
          [true, false],
          'pinned',
        );
        same([again.lastUsed(app), again.lastUsed(other)], [1_800_000_000_000, undefined], 'used');
        await again.dropBlocks(two.description.sha256, [0]);
        await again.close();
      }
    },
  },
  {
    name: 'wrong calls about run-time files are refused by code',
    async run(directory) {
      const store = await BlockStore.open(directory);
      await store.change(app, [create(98, 'f', blockSize + 1)]);
      const name = nameOf(98);
      const digest = new Uint8Array(32);
      const bytes = new Uint8Array(blockSize);
      await fails('ERANGE', 'no such block', () => store.writeLocalBlock(name, 2, bytes, digest));
      await fails('ERANGE', 'no index', () => store.writeLocalBlock(name, -1, bytes, digest));
      await fails('EINVAL', 'too short', () => store.writeLocalBlock(name, 0, bytes.subarray(1), digest));
      await fails('EINVAL', 'too long', () => store.writeLocalBlock(name, 1, bytes, digest));
      await fails('EINVAL', 'no digest', () => store.writeLocalBlock(name, 0, bytes, digest.subarray(1)));
      await fails('EINVAL', 'without a digest', () => store.writeBlock(name, 0, 0, bytes));
      await fails('EINVAL', 'the name twice', () => store.change(app, [create(99, 'f', 1)]));
      await fails('EINVAL', 'the blob twice', () => store.change(app, [create(99, 'g', 1, { blob: name })]));
      await fails('EINVAL', 'no image', () => store.change('../escape', []));
      const published = await sealedBlob(store, 50);
      await fails('EINVAL', 'not private', () =>
        store.writeLocalBlock(published.description.sha256, 0, bytes, digest),
      );
      same([...store.overlay(app).changes()].length, 2, 'nothing of it happened');
      await store.close();
    },
  },
];

/** Only where there are snapshots of more than 4 GiB: Node 20 has none. */
export const largeFileContract: readonly ContractCase[] = [
  {
    name: 'large_file: a reader reads behind 4 GiB',
    async run(directory) {
      const start = 2 ** 32 + 2 ** 20;
      const size = start + 5;
      const last = start / 2 ** 20;
      const bytes = noise(11, 5);
      const store = await BlockStore.open(directory);
      await store.change(app, [create(95, 'big', size, { blockSize: 2 ** 20 } as Partial<NewNode>)]);
      await put(store, 95, last, bytes);
      await put(store, 95, 0, noise(12, 2 ** 20));
      await store.commit();
      const reader = await StoreReader.open(directory);
      same(reader.has(nameOf(95), last), true, 'the reader has it');
      same(await reader.read(nameOf(95), start, size), bytes, 'through a reader');
      same(await reader.read(nameOf(95), 0, 16), noise(12, 2 ** 20).subarray(0, 16), 'the first block');
      await store.close();
    },
  },
];

/** Under another name: a case above calls a blob so. */
function sha256Of(bytes: Uint8Array): Promise<Uint8Array> {
  return sha256(bytes);
}
