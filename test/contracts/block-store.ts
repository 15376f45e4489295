import { BlockStore } from '../../src/store/block-store.ts';
import type { Directory } from '../../src/store/directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { blobFile, storedBlobs } from './blob-file.ts';
import { type ContractCase, check, fails, same } from './contract.ts';
import { blockOf, type PublishedBlob, publishedBlob, publishedImage, tableOf } from './published.ts';

async function writeBlocks(store: BlockStore, blob: PublishedBlob, blocks: Iterable<number>): Promise<void> {
  for (const block of blocks) {
    await store.writeBlock(blob.description.sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
  }
}

async function writeAll(store: BlockStore, blob: PublishedBlob): Promise<void> {
  store.blob(blob.description);
  await store.writeTable(blob.description.sha256, tableOf(blob));
  await writeBlocks(store, blob, blob.blocks.keys());
}

async function readBlock(
  store: BlockStore,
  blob: PublishedBlob,
  block: number,
): Promise<Uint8Array | undefined> {
  const { start, end } = blob.blocks[block]!;
  return store.readBlock(blob.description.sha256, block, start, end - start);
}

function readerBlock(
  reader: StoreReader,
  blob: PublishedBlob,
  block: number,
): Promise<Uint8Array | undefined> {
  return reader.read(blob.description.sha256, blob.blocks[block]!.start, blob.blocks[block]!.end);
}

async function fileBytes(directory: Directory, blob: PublishedBlob): Promise<Uint8Array> {
  const file = await directory.snapshot(await blobFile(directory, blob.description.sha256));
  return new Uint8Array(await file!.arrayBuffer());
}

/** What a {@link BlockStore} and a {@link StoreReader} do over any directory. */
export const blockStoreContract: readonly ContractCase[] = [
  {
    name: 'a new store is empty and mounts again as an empty one',
    async run(directory) {
      for (let mount = 0; mount < 3; mount++) {
        const store = await BlockStore.open(directory);
        same(store.images(), [], 'images');
        same(store.damage?.message, undefined, 'damage');
        await store.close();
      }
    },
  },
  {
    name: 'what was written is readable at once, and there again after commit and remount',
    async run(directory) {
      const blob = await publishedBlob(1, 10);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      const presence = store.blob(blob.description);
      same([presence.count, presence.hasTable, presence.complete], [0, false, false], 'nothing at first');
      await store.writeTable(sha256, tableOf(blob));
      await writeBlocks(store, blob, [7, 2, 3]);
      same(
        [presence.count, presence.hasTable, presence.has(2), presence.has(1)],
        [3, true, true, false],
        'at once',
      );
      same(await readBlock(store, blob, 7), blockOf(blob, 7), 'a block before commit');
      same(await store.readTable(sha256), tableOf(blob), 'the table before commit');
      same(await readBlock(store, blob, 1), undefined, 'a missing block');
      same(await store.commit(), { sealed: [] }, 'commit');
      await store.close();

      const again = await BlockStore.open(directory);
      const replayed = again.blob(blob.description);
      same(
        [...blob.blocks.keys()].filter((block) => replayed.has(block)),
        [2, 3, 7],
        'present after remount',
      );
      same(await again.readTable(sha256), tableOf(blob), 'the table after remount');
      for (const block of [2, 3, 7])
        same(await readBlock(again, blob, block), blockOf(blob, block), `block ${block}`);
      await again.close();
    },
  },
  {
    name: 'a complete blob is sealed by commit, is the published file bit for bit, and stays so',
    async run(directory) {
      const blob = await publishedBlob(2, 20);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      await writeAll(store, blob);
      const presence = store.blob(blob.description);
      same([presence.complete, presence.sealed], [true, false], 'complete, not sealed yet');
      same(await store.commit(), { sealed: [sha256] }, 'commit');
      same(presence.sealed, true, 'sealed');
      same(await store.commit(), { sealed: [] }, 'sealed once');
      same(await fileBytes(directory, blob), blob.bytes, 'the file');
      same(await readBlock(store, blob, 5), blockOf(blob, 5), 'reads');
      await writeBlocks(store, blob, [5]);
      await store.close();
      const again = await BlockStore.open(directory);
      same(again.blob(blob.description).sealed, true, 'sealed after remount');
      same(await readBlock(again, blob, 19), blockOf(blob, 19), 'reads after remount');
      await again.close();
    },
  },
  {
    name: 'writing what is present, and many writers of one block at once, changes nothing',
    async run(directory) {
      const blob = await publishedBlob(3, 4);
      const store = await BlockStore.open(directory);
      store.blob(blob.description);
      await Promise.all([0, 1, 2, 1, 0, 1].map((block) => writeBlocks(store, blob, [block])));
      await store.commit();
      const other = new Uint8Array(blockOf(blob, 1).length);
      await store.writeBlock(blob.description.sha256, 1, blob.blocks[1]!.start, other);
      same(await readBlock(store, blob, 1), blockOf(blob, 1), 'still the first bytes');
      same(store.blob(blob.description).count, 3, 'count');
      await store.close();
    },
  },
  {
    name: 'a blob without blocks, and one whose only block is a byte',
    async run(directory) {
      const store = await BlockStore.open(directory);
      const none = await publishedBlob(4, 0);
      const one = await publishedBlob(5, 1, 1);
      await writeAll(store, none);
      await writeAll(store, one);
      const { sealed } = await store.commit();
      same([...sealed].sort(), [none.description.sha256, one.description.sha256].sort(), 'sealed');
      same(await fileBytes(directory, none), none.bytes, 'no blocks');
      same(await fileBytes(directory, one), one.bytes, 'one block');
      await store.close();
    },
  },
  {
    name: 'images are kept as published',
    async run(directory) {
      const image = await publishedImage(6, 5000);
      const store = await BlockStore.open(directory);
      same(store.hasImage(image.id), false, 'before');
      same(await store.readImage(image.id), undefined, 'no bytes before');
      await store.addImage(image.id, image.bytes);
      same(await store.readImage(image.id), image.bytes, 'at once');
      await store.close();
      const again = await BlockStore.open(directory);
      same(again.images(), [image.id], 'after remount');
      same(await again.readImage(image.id), image.bytes, 'bytes after remount');
      await again.close();
    },
  },
  {
    name: 'more blobs than files may be open, in any order',
    async run(directory) {
      const blobs = await Promise.all(Array.from({ length: 9 }, (_, i) => publishedBlob(100 + i, 6)));
      const store = await BlockStore.open(directory, { maxOpenFiles: 3 });
      for (const blob of blobs) store.blob(blob.description);
      await Promise.all(blobs.map((blob) => store.writeTable(blob.description.sha256, tableOf(blob))));
      for (let block = 0; block < 6; block++) {
        await Promise.all(blobs.map((blob) => writeBlocks(store, blob, [(block * 5) % 6])));
      }
      for (const blob of blobs) same(await readBlock(store, blob, 3), blockOf(blob, 3), 'before commit');
      same((await store.commit()).sealed.length, 9, 'all sealed');
      for (const blob of blobs) same(await fileBytes(directory, blob), blob.bytes, 'the file');
      await store.close();
    },
  },
  {
    name: 'a second writer is EBUSY while the first lives',
    async run(directory) {
      const store = await BlockStore.open(directory);
      await fails('EBUSY', 'second writer', () => BlockStore.open(directory));
      await store.close();
      await (await BlockStore.open(directory)).close();
    },
  },
  {
    name: 'wrong calls are refused by code',
    async run(directory) {
      const blob = await publishedBlob(7, 3);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      await fails('EINVAL', 'unknown blob', () => store.writeBlock(sha256, 0, 200, new Uint8Array(1)));
      await fails('EINVAL', 'no digest', () => store.blob({ ...blob.description, sha256: '../escape' }));
      await fails('EINVAL', 'no image digest', () => store.addImage('../escape', new Uint8Array(1)));
      await fails('EINVAL', 'table longer than blob', () =>
        store.blob({ ...blob.description, tableLength: 1e6 }),
      );
      await fails('EINVAL', 'absurd count', () => store.blob({ ...blob.description, blockCount: 2 ** 31 }));
      store.blob(blob.description);
      await fails('EINVAL', 'contradiction', () => store.blob({ ...blob.description, blockCount: 2 }));
      await fails('EINVAL', 'short table', () => store.writeTable(sha256, tableOf(blob).subarray(1)));
      await fails('ERANGE', 'no such block', () =>
        store.writeBlock(sha256, 3, blob.blocks[0]!.start, new Uint8Array(1)),
      );
      await fails('ERANGE', 'in the table', () => store.writeBlock(sha256, 0, 0, new Uint8Array(1)));
      await fails('ERANGE', 'past the end', () =>
        store.writeBlock(sha256, 2, blob.bytes.length, new Uint8Array(1)),
      );
      await fails('ERANGE', 'read past the end', () => store.readBlock(sha256, 2, blob.bytes.length, 1));
      await store.close();
      await store.close();
      await fails('closed', 'write after close', () => writeBlocks(store, blob, [0]));
      await fails('closed', 'commit after close', () => store.commit());
    },
  },
  {
    name: 'removed images are gone with their files and times of use, nothing else is, and one can come again',
    async run(directory) {
      const [first, second, kept] = await Promise.all([8, 9, 10].map((seed) => publishedImage(seed, 100)));
      const blob = await publishedBlob(11, 5);
      const store = await BlockStore.open(directory);
      for (const [atMs, { id, bytes }] of [first!, second!, kept!].entries()) {
        await store.addImage(id, bytes);
        store.used(id, atMs);
      }
      await writeAll(store, blob);
      await store.commit();
      const reader = await StoreReader.open(directory);
      same(await store.removeImages([first!.id, second!.id, 'ab'.repeat(32)]), 200, 'bytes');
      same(await store.removeImages([first!.id]), 0, 'there is nothing left of it');
      same(store.images(), [kept!.id], 'images');
      same(await store.readImage(first!.id), undefined, 'its bytes');
      same(
        [first, kept].map((image) => store.lastUsed(image!.id)),
        [undefined, 2],
        'used',
      );
      same(await directory.list('images'), [`${kept!.id}.bin`], 'files');
      same(store.blob(blob.description).sealed, true, 'the blob');
      // A reader that still believes in it finds that out.
      same(reader.images().length, 3, 'it believes');
      same(await reader.image(first!.id), undefined, 'and gets nothing');
      await reader.refresh();
      same(reader.images(), [kept!.id], 'it learned');
      await store.addImage(first!.id, first!.bytes);
      await store.close();
      const again = await BlockStore.open(directory);
      same(again.images(), [kept!.id, first!.id], 'after remount');
      same(
        [first, second, kept].map((image) => again.lastUsed(image!.id)),
        [undefined, undefined, 2],
        'used',
      );
      same(await again.readImage(first!.id), first!.bytes, 'what came again');
      same(await readBlock(again, blob, 4), blockOf(blob, 4), 'the blob reads');
      await again.close();
    },
  },
  {
    name: 'a journal that outgrows its snapshot is compacted and says the same',
    async run(directory) {
      const blob = await publishedBlob(12, 200, 5);
      const store = await BlockStore.open(directory, { minCompaction: 600 });
      store.blob(blob.description);
      let largest = 0;
      for (let block = 0; block < 200; block += 2) {
        await writeBlocks(store, blob, [block]);
        await store.commit();
        for (const slot of ['journal-a', 'journal-b']) {
          largest = Math.max(largest, (await directory.snapshot(slot))!.size);
        }
      }
      await writeBlocks(store, blob, [1, 3, 5]);
      await store.close();
      // 100 lone blocks: a snapshot of about 2.2 KB, and up to four times that before the next.
      check(largest < 4 * 2400, `the journal stays short, not ${largest}`);
      const again = await BlockStore.open(directory);
      const presence = again.blob(blob.description);
      const expected = [...blob.blocks.keys()].filter((block) => block % 2 === 0 || block < 6);
      same(
        [...blob.blocks.keys()].filter((block) => presence.has(block)),
        expected,
        'present',
      );
      for (const block of expected)
        same(await readBlock(again, blob, block), blockOf(blob, block), `block ${block}`);
      await again.close();
    },
  },
  {
    name: 'files that somebody else removed are missing, not invented, and come again',
    async run(directory) {
      const image = await publishedImage(13, 100);
      const [gone, kept] = [await publishedBlob(14, 8), await publishedBlob(15, 8)];
      const store = await BlockStore.open(directory);
      await store.addImage(image.id, image.bytes);
      await writeAll(store, gone);
      await writeAll(store, kept);
      await store.close();
      await directory.remove(await blobFile(directory, gone.description.sha256));
      await directory.remove(`images/${image.id}.bin`);
      const again = await BlockStore.open(directory);
      same(again.images(), [], 'the image');
      same(again.blob(gone.description).count, 0, 'the removed blob');
      same(again.blob(kept.description).sealed, true, 'the other blob');
      await writeBlocks(again, gone, [3]);
      await again.close();
      const third = await BlockStore.open(directory);
      same(third.blob(gone.description).count, 1, 'after remount');
      same(await readBlock(third, gone, 3), blockOf(gone, 3), 'it reads');
      await third.close();
    },
  },
  {
    name: 'a blob whose file is too short stops being present when that is found',
    async run(directory) {
      const blob = await publishedBlob(16, 8);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      await writeAll(store, blob);
      await store.close();
      const file = await directory.open(await blobFile(directory, sha256));
      file.truncate(blob.blocks[4]!.start);
      file.close();
      const again = await BlockStore.open(directory);
      const presence = again.blob(blob.description);
      same(await readBlock(again, blob, 6), undefined, 'the block that is not there');
      same(
        [presence.count, presence.sealed, presence.hasTable],
        [0, false, false],
        'nothing is believed any more',
      );
      await writeAll(again, blob);
      same(await again.commit(), { sealed: [sha256] }, 'sealed again');
      same(await fileBytes(directory, blob), blob.bytes, 'the file');
      await again.close();
    },
  },
  {
    name: 'files that the journal does not know are removed at mount, foreign names are left alone',
    async run(directory) {
      await (await BlockStore.open(directory)).close();
      const orphan = 'ab'.repeat(32);
      for (const path of [`blobs/${orphan}-7.bin`, `images/${orphan}.bin`, 'blobs/notes.txt']) {
        (await directory.open(path, { create: true })).close();
      }
      await (await BlockStore.open(directory)).close();
      same(await directory.list('blobs'), ['notes.txt'], 'blobs');
      same(await directory.list('images'), [], 'images');
    },
  },
  {
    name: 'a reader sees what was committed, and only that, and follows',
    async run(directory) {
      const early = await StoreReader.open(directory);
      same(early.images(), [], 'no store yet');
      const image = await publishedImage(17, 1000);
      const blob = await publishedBlob(18, 12);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      const reader = await StoreReader.open(directory);
      await store.addImage(image.id, image.bytes);
      store.blob(blob.description);
      await store.writeTable(sha256, tableOf(blob));
      await writeBlocks(store, blob, [0, 5]);
      await reader.refresh();
      same(
        [reader.images(), reader.has(sha256, 0), reader.hasTable(sha256)],
        [[], false, false],
        'before commit',
      );
      await store.commit();
      same(reader.has(sha256, 5), false, 'before refresh');
      await reader.refresh();
      await early.refresh();
      for (const each of [reader, early]) {
        same(
          [each.has(sha256, 5), each.has(sha256, 4), each.hasTable(sha256)],
          [true, false, true],
          'presence',
        );
        same(await each.image(image.id), image.bytes, 'image');
        same(await readerBlock(each, blob, 5), blockOf(blob, 5), 'block');
        same(await each.read(sha256, 0, tableOf(blob).length), tableOf(blob), 'table');
      }
      const copy = await reader.slice(sha256, blob.blocks[0]!.start, blob.blocks[0]!.end);
      await writeBlocks(store, blob, [1, 2]);
      await store.commit();
      same(new Uint8Array(await copy!.arrayBuffer()), blockOf(blob, 0), 'a slice outlives later writes');
      await reader.refresh();
      same(reader.has(sha256, 2), true, 'follows');
      same(await readerBlock(reader, blob, 2), blockOf(blob, 2), 'new block from a new snapshot');
      await store.close();
    },
  },
  {
    name: 'a file that was begun and not journaled can be looked into, and goes if nothing of it becomes present',
    async run(directory) {
      const [known, used, unused, older] = await Promise.all(
        [60, 61, 62, 63].map((seed) => publishedBlob(seed, 4)),
      );
      const of = (...blobs: (PublishedBlob | undefined)[]) =>
        blobs.map((blob) => blob!.description.sha256).sort();
      const before = await BlockStore.open(directory);
      await writeAll(before, known!);
      await before.close();
      // As a writer leaves them that is killed; one under a name of another generation.
      const [knownSha256] = of(known);
      const end = (await blobFile(directory, knownSha256!)).slice(`blobs/${knownSha256}`.length);
      for (const [blob, name] of [
        [used!, end],
        [unused!, end],
        [older!, '-1.bin'],
      ] as const) {
        const file = await directory.open(`blobs/${blob.description.sha256}${name}`, { create: true });
        file.write(blob.bytes, 0);
        file.close();
      }

      const store = await BlockStore.open(directory);
      same(store.strays().sort(), of(used, unused), 'strays');
      same(await storedBlobs(directory), of(known, used, unused), 'another generation’s is gone');
      const presence = store.blob(used!.description);
      same([presence.count, presence.hasTable], [0, false], 'nothing is believed');
      const { start, end: stop } = used!.blocks[2]!;
      same(await store.probe(of(used)[0]!, start, stop), blockOf(used!, 2), 'looked into');
      await writeBlocks(store, used!, [2]);
      await store.removeStrays();
      same([store.strays(), await storedBlobs(directory)], [[], of(known, used)], 'what is left');
      await store.close();
      const again = await BlockStore.open(directory);
      const replayed = again.blob(used!.description);
      same(
        [0, 1, 2, 3].filter((block) => replayed.has(block)),
        [2],
        'present after remount',
      );
      same(await readBlock(again, used!, 2), blockOf(used!, 2), 'read after remount');
      same(again.strays(), [], 'no strays any more');
      await again.close();
    },
  },
  {
    name: 'a reader answers with the file of a sealed blob',
    async run(directory) {
      const blob = await publishedBlob(19, 12);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory);
      const reader = await StoreReader.open(directory);
      await writeAll(store, blob);
      await store.commit();
      await reader.refresh();
      same(reader.sealed(sha256), true, 'sealed');
      const slice = await reader.slice(sha256, 10, blob.bytes.length - 3);
      same(new Uint8Array(await slice!.arrayBuffer()), blob.bytes.subarray(10, -3), 'slice');
      same(await readerBlock(reader, blob, 11), blockOf(blob, 11), 'read');
      // The writer reads it too, through a handle of its own; the reader's snapshot stays good.
      same(await readBlock(store, blob, 3), blockOf(blob, 3), 'the writer reads');
      same(new Uint8Array(await slice!.arrayBuffer()), blob.bytes.subarray(10, -3), 'slice again');
      await store.close();
    },
  },
  {
    name: 'a reader that did not refresh is not fooled by a blob that was dropped and begun again',
    async run(directory) {
      const [sealed, partial] = [await publishedBlob(20, 6), await publishedBlob(21, 6)];
      const store = await BlockStore.open(directory);
      await writeAll(store, sealed);
      store.blob(partial.description);
      await writeBlocks(store, partial, [0, 1, 2, 5]);
      await store.commit();
      // A reader notices with its first question, so each question has a reader of its own; some hold a file already.
      const questions = [];
      for (const blob of [sealed, partial]) {
        for (const warm of [false, true]) {
          const reader = await StoreReader.open(directory);
          if (warm) same(await readerBlock(reader, blob, 0), blockOf(blob, 0), 'before');
          questions.push({ blob, reader });
        }
      }
      await store.evict([sealed, partial].map(({ description }) => description.sha256));
      for (const blob of [sealed, partial]) {
        store.blob(blob.description);
        await writeBlocks(store, blob, [5]);
      }
      await store.commit();
      for (const { blob, reader } of questions) {
        same(reader.has(blob.description.sha256, 0), true, 'it still believes');
        // A snapshot that was kept from before may still have the old, right bytes.
        const read = await readerBlock(reader, blob, 0);
        check(read === undefined || String(read) === String(blockOf(blob, 0)), 'right bytes or none');
        await reader.refresh();
        same(reader.has(blob.description.sha256, 0), false, 'it learned');
        same(await readerBlock(reader, blob, 5), blockOf(blob, 5), 'what came again');
      }
      await store.close();
    },
  },
  {
    name: 'a reader follows through compactions',
    async run(directory) {
      const blob = await publishedBlob(23, 120, 5);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory, { minCompaction: 300 });
      const reader = await StoreReader.open(directory);
      store.blob(blob.description);
      for (let block = 0; block < 120; block += 2) {
        await writeBlocks(store, blob, [block]);
        await store.commit();
        await reader.refresh();
        same([reader.has(sha256, block), reader.has(sha256, block + 1)], [true, false], `block ${block}`);
        same(await readerBlock(reader, blob, block), blockOf(blob, block), `bytes of ${block}`);
      }
      await store.close();
    },
  },
  {
    name: 'reading while writing: right bytes or none, never others',
    async run(directory) {
      const blob = await publishedBlob(24, 200, 2000);
      const { sha256 } = blob.description;
      const store = await BlockStore.open(directory, { minCompaction: 500 });
      const reader = await StoreReader.open(directory);
      store.blob(blob.description);
      await store.writeTable(sha256, tableOf(blob));
      let writing = true;
      const write = async (): Promise<void> => {
        for (const block of blob.blocks.keys()) {
          await writeBlocks(store, blob, [block]);
          if (block % 5 === 0) await store.commit();
        }
        await store.commit();
        writing = false;
      };
      let reads = 0;
      const read = async (): Promise<void> => {
        for (let block = 0; writing; block = (block + 7) % 200) {
          if (block < 7) await reader.refresh();
          if (!reader.has(sha256, block)) continue;
          const bytes = await readerBlock(reader, blob, block);
          if (bytes !== undefined) same(bytes, blockOf(blob, block), `block ${block}`);
          reads += 1;
        }
      };
      await Promise.all([write(), read()]);
      check(reads > 0, 'something was read meanwhile');
      await reader.refresh();
      same(reader.sealed(sha256), true, 'sealed in the end');
      same(await reader.read(sha256, 0, blob.bytes.length), blob.bytes, 'all of it');
      await store.close();
    },
  },
];
