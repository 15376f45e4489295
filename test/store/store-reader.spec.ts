import { expect, test } from '@playwright/test';
import { BlockStore } from '../../src/store/block-store.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { blockOf, type PublishedBlob, publishedBlob, tableOf } from '../contracts/published.ts';

type Moment = 'a look at the journal' | 'a read of the blob';

/**
 * Files in memory whose snapshots read what the file holds at the time of the reading, as those of a browser may that does not
 * notice changes. Something can be made to happen at a moment.
 */
class LiveSnapshots implements Directory {
  readonly #inner = new MemoryDirectory();
  #moment: Moment | undefined;
  #happening: () => Promise<void> = async () => {};

  next(moment: Moment, happening: () => Promise<void>): void {
    this.#moment = moment;
    this.#happening = happening;
  }

  async snapshot(path: string): Promise<Blob | undefined> {
    const taken = await this.#inner.snapshot(path);
    if (path.startsWith('journal')) {
      await this.#come('a look at the journal');
      return taken;
    }
    const arrayBuffer = async (start: number, end: number): Promise<ArrayBuffer> => {
      await this.#come('a read of the blob');
      const now = await this.#inner.snapshot(path);
      if (!now) throw new DOMException('The file is gone', 'NotFoundError');
      return now.slice(start, end).arrayBuffer();
    };
    const slice = (start: number, end: number) => ({ arrayBuffer: () => arrayBuffer(start, end) });
    return taken && ({ size: taken.size, slice } as unknown as Blob);
  }

  open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    return this.#inner.open(path, options);
  }
  list(folder: string): Promise<string[]> {
    return this.#inner.list(folder);
  }
  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }

  async #come(moment: Moment): Promise<void> {
    if (this.#moment !== moment) return;
    this.#moment = undefined;
    await this.#happening();
  }
}

/** The table and these blocks, committed. */
async function write(store: BlockStore, blob: PublishedBlob, blocks: Iterable<number>): Promise<void> {
  const { sha256 } = blob.description;
  store.blob(blob.description);
  await store.writeTable(sha256, tableOf(blob));
  for (const block of blocks)
    await store.writeBlock(sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
  await store.commit();
}

for (const moment of ['a look at the journal', 'a read of the blob'] as const) {
  test(`a blob that is removed and begun again at ${moment} is not read as what it was`, async () => {
    const directory = new LiveSnapshots();
    const store = await BlockStore.open(directory);
    const blob = await publishedBlob(1, 3);
    const { sha256 } = blob.description;
    await write(store, blob, [0]);
    const reader = await StoreReader.open(directory);
    directory.next(moment, async () => {
      await store.evict([sha256]);
      await write(store, blob, [2]);
    });
    const { start, end } = blob.blocks[0]!;
    const read = await reader.read(sha256, start, end);
    // Either it was read in time, or it cannot be had; zeros from the new file are neither.
    if (read !== undefined) expect([...read]).toEqual([...blockOf(blob, 0)]);
    await reader.refresh();
    expect([reader.has(sha256, 0), reader.has(sha256, 2)]).toEqual([false, true]);
    await store.close();
  });
}

test('a part of a sealed blob that was handed out is gone with the blob, and not a part of what comes after it', async () => {
  const directory = new LiveSnapshots();
  const store = await BlockStore.open(directory);
  const blob = await publishedBlob(4, 3);
  const { sha256 } = blob.description;
  await write(store, blob, blob.blocks.keys());
  const reader = await StoreReader.open(directory);
  const { start, end } = blob.blocks[0]!;
  const part = await reader.slice(sha256, start, end);
  expect([...new Uint8Array(await part!.arrayBuffer())]).toEqual([...blockOf(blob, 0)]);
  await store.evict([sha256]);
  await write(store, blob, [2]);
  await expect(part!.arrayBuffer()).rejects.toThrow();
  await store.close();
});

test('a store that was cleared and begun anew is not taken for the one before', async () => {
  const directory = new LiveSnapshots();
  const blobs = await Promise.all([1, 2, 3].map((seed) => publishedBlob(seed, 3)));
  /** A store with the tables of these blobs. */
  const begin = async (these: typeof blobs): Promise<void> => {
    const store = await BlockStore.open(directory);
    for (const blob of these) {
      store.blob(blob.description);
      await store.writeTable(blob.description.sha256, tableOf(blob));
    }
    await store.close();
  };
  const known = (reader: StoreReader) => blobs.map(({ description }) => reader.hasTable(description.sha256));
  await begin(blobs.slice(0, 1));
  const reader = await StoreReader.open(directory);
  expect(known(reader)).toEqual([true, false, false]);
  for (const name of ['journal-a', 'journal-b']) await directory.remove(name);
  // Its journal is longer, so there is something behind where the reader was.
  await begin(blobs.slice(1));
  await reader.refresh();
  expect(known(reader)).toEqual([false, true, true]);
});

test('a snapshot of a sealed file that fails for once is taken again; where a block of it was dropped meanwhile, it is not', async () => {
  const directory = new LiveSnapshots();
  const store = await BlockStore.open(directory);
  const blob = await publishedBlob(5, 3);
  const { sha256 } = blob.description;
  await write(store, blob, blob.blocks.keys());
  const reader = await StoreReader.open(directory);
  const { start, end } = blob.blocks[1]!;
  const stale = new DOMException('stale', 'NotReadableError');
  directory.next('a read of the blob', () => Promise.reject(stale));
  expect([...(await reader.read(sha256, start, end))!]).toEqual([...blockOf(blob, 1)]);
  directory.next('a read of the blob', async () => {
    await store.dropBlocks(sha256, [1]);
    throw stale;
  });
  expect(await reader.read(sha256, start, end)).toBeUndefined();
  expect(reader.has(sha256, 1)).toBe(false);
  await store.close();
});
