import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { decodeGeneration, headerLayout } from '../../src/store/journal.ts';
import { JournalWriter } from '../../src/store/journal-writer.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { journalSlots } from '../../src/store/store-paths.ts';
import { StoreReader } from '../../src/store/store-reader.ts';

/** Files in memory of which the next flush can be made to fail. */
class FailingFlush implements Directory {
  readonly #inner = new MemoryDirectory();
  failNext = false;

  async open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    const file = await this.#inner.open(path, options);
    const flush = (): void => {
      if (this.failNext) {
        this.failNext = false;
        throw new SluiceError('unreadable', 'The disk failed', { path });
      }
      file.flush();
    };
    return {
      read: (into, at) => file.read(into, at),
      write: (bytes, at) => file.write(bytes, at),
      size: () => file.size(),
      truncate: (length) => file.truncate(length),
      flush,
      close: () => file.close(),
    };
  }
  snapshot(path: string): Promise<Blob | undefined> {
    return this.#inner.snapshot(path);
  }
  list(folder: string): Promise<string[]> {
    return this.#inner.list(folder);
  }
  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }
}

async function generations(directory: Directory): Promise<(number | undefined)[]> {
  return Promise.all(
    journalSlots.map(async (path) => {
      const bytes = (await (await directory.snapshot(path))?.slice(0, headerLayout.size).arrayBuffer()) ?? [];
      return decodeGeneration(new Uint8Array(bytes));
    }),
  );
}

test('a generation that failed at its flush is not the number of the next one: a reader may have seen it', async () => {
  const directory = new FailingFlush();
  const { journal, state } = await JournalWriter.open(directory);
  const first = { type: 'image', sha256: '01'.repeat(32), length: 1 } as const;
  const second = { type: 'image', sha256: '02'.repeat(32), length: 2 } as const;
  const current = Math.max(...(await generations(directory)).map((generation) => generation ?? 0));
  directory.failNext = true;
  state.apply(first);
  expect(() => journal.rewrite(state.records())).toThrow('The disk failed');
  // Whole, though nobody promised that it is durable.
  const reader = await StoreReader.open(directory);
  expect(reader.images()).toEqual([first.sha256]);

  state.retain(() => false);
  state.apply(second);
  journal.rewrite(state.records());
  expect(await generations(directory)).toContain(current + 2);
  await reader.refresh();
  expect(reader.images()).toEqual([second.sha256]);
  journal.close();
  const store = await BlockStore.open(directory);
  expect(store.images()).toEqual([]); // The file itself was never written.
});
