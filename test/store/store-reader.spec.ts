import { expect, test } from '@playwright/test';
import { BlockStore } from '../../src/store/block-store.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { blockOf, publishedBlob, tableOf } from '../contracts/published.ts';

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
      return (await this.#inner.snapshot(path))!.slice(start, end).arrayBuffer();
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

for (const moment of ['a look at the journal', 'a read of the blob'] as const) {
  test(`a blob that is removed and begun again at ${moment} is not read as what it was`, async () => {
    const directory = new LiveSnapshots();
    const store = await BlockStore.open(directory);
    const blob = await publishedBlob(1, 3);
    const { sha256 } = blob.description;
    const write = async (block: number): Promise<void> => {
      store.blob(blob.description);
      await store.writeTable(sha256, tableOf(blob));
      await store.writeBlock(sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
      await store.commit();
    };
    await write(0);
    const reader = await StoreReader.open(directory);
    directory.next(moment, async () => {
      await store.removeImage('00'.repeat(32), new Set());
      await write(2);
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
