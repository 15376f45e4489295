import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { BlockFile, Directory } from '../../src/store/directory.ts';
import { FilePool } from '../../src/store/file-pool.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { seededRandom } from '../support/random.ts';

/** Counts what is open; opening can be made to fail. */
class WatchedDirectory implements Directory {
  readonly #inner = new MemoryDirectory();
  open_ = 0;
  most = 0;
  flushed: string[] = [];
  refuse = false;

  async open(path: string, options?: { create?: boolean }): Promise<BlockFile> {
    if (this.refuse) throw new SluiceError('EBUSY', 'refused', { path });
    // Opening takes a while on a real platform; what else is queued gets its turn.
    await new Promise((resolve) => setImmediate(resolve));
    const file = await this.#inner.open(path, options);
    this.most = Math.max(this.most, ++this.open_);
    return {
      read: (into, at) => file.read(into, at),
      write: (bytes, at) => file.write(bytes, at),
      size: () => file.size(),
      truncate: (length) => file.truncate(length),
      flush: () => {
        this.flushed.push(path);
        file.flush();
      },
      close: () => {
        this.open_ -= 1;
        file.close();
      },
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

const one = Uint8Array.of(1);

test('many at once: never more open than allowed, never a file twice, no write lost', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 3, () => {});
  const random = seededRandom(1);
  const written: string[] = [];
  await Promise.all(
    Array.from({ length: 300 }, async () => {
      const path = `f${Math.floor(random() * 9)}`;
      await pool.write(path, true, (file) => file.write(one, file.size()));
      written.push(path);
    }),
  );
  expect(directory.most).toBe(3);
  for (let i = 0; i < 9; i++) {
    const size = await pool.read(`f${i}`, (file) => file.size());
    expect(size).toBe(written.filter((path) => path === `f${i}`).length);
  }
  pool.closeAll();
  expect(directory.open_).toBe(0);
});

test('the least recently used clean file goes first; an unflushed one is flushed before it goes', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 2, () => {});
  for (const path of ['a', 'b', 'c']) await pool.write(path, true, (file) => file.write(one, 0));
  expect(directory.flushed).toEqual(['a']);
  pool.flush();
  expect(directory.flushed).toEqual(['a', 'b', 'c']);
  pool.flush();
  expect(directory.flushed).toHaveLength(3);
  await pool.write('c', true, (file) => file.write(one, 1));
  // b is older and clean, c has unflushed writes.
  await pool.read('a', (file) => file.size());
  expect(directory.flushed).toHaveLength(3);
  expect(directory.most).toBe(2);
});

test('a failed opening is its caller’s, and the next one works', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 2, () => {});
  directory.refuse = true;
  const both = await Promise.allSettled([
    pool.write('a', true, (file) => file.size()),
    pool.read('b', (file) => file.size()),
  ]);
  expect(both.map((each) => (each as PromiseRejectedResult).reason.code)).toEqual(['EBUSY', 'EBUSY']);
  directory.refuse = false;
  await expect(pool.read('b', (file) => file.size())).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await pool.write('a', true, (file) => file.size())).toBe(0);
});

test('a removed file is new for whoever asks after the removal', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 2, () => {});
  await pool.write('a', true, (file) => file.write(one, 0));
  const removed = pool.remove('a');
  const size = pool.write('a', true, (file) => file.size());
  await removed;
  expect(await size).toBe(0);
});

test('what was asked for before a removal, and waits for its turn, does not go with the file', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 4, () => {});
  const busy = pool.write('b', true, (file) => file.size());
  const written = pool.write('a', true, (file) => file.write(one, 0));
  await Promise.all([busy, written, pool.remove('a'), pool.remove('a')]);
  expect(await pool.read('a', (file) => file.size())).toBe(1);
  expect((await directory.snapshot('a'))?.size).toBe(1);
});

test('closing while a file is being opened closes that one too', async () => {
  const directory = new WatchedDirectory();
  const pool = new FilePool(directory, 2, () => {});
  const opening = pool.write('a', true, (file) => file.size());
  await Promise.resolve();
  pool.closeAll();
  await expect(opening).rejects.toMatchObject({ code: 'closed' });
  expect(directory.open_).toBe(0);
  await expect(pool.read('a', (file) => file.size())).rejects.toMatchObject({ code: 'closed' });
});
