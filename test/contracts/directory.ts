import type { Directory } from '../../src/store/directory.ts';
import { type ContractCase, check, fails, same } from './contract.ts';

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

async function snapshotBytes(directory: Directory, path: string): Promise<number[] | undefined> {
  const snapshot = await directory.snapshot(path);
  return snapshot && [...new Uint8Array(await snapshot.arrayBuffer())];
}

/** What every {@link Directory} does. */
export const directoryContract: readonly ContractCase[] = [
  {
    name: 'a file that was made keeps what was written where it was written',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      same(file.size(), 0, 'size when new');
      file.write(bytes(1, 2, 3, 4), 0);
      file.write(bytes(9), 2);
      const read = new Uint8Array(4);
      same(file.read(read, 0), 4, 'count');
      same(read, [1, 2, 9, 4], 'bytes');
      same(file.size(), 4, 'size');
      file.flush();
      file.close();
      const again = await directory.open('a');
      same(again.read(read, 0), 4, 'count when opened again');
      same(read, [1, 2, 9, 4], 'bytes when opened again');
      again.close();
    },
  },
  {
    name: 'a view into a larger buffer is written and read as that view only',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      file.write(bytes(0, 1, 2, 3, 4, 5).subarray(2, 4), 0);
      same(file.size(), 2, 'size');
      const around = bytes(7, 7, 7, 7);
      same(file.read(around.subarray(1, 3), 0), 2, 'count');
      same(around, [7, 2, 3, 7], 'only the view');
      file.close();
    },
  },
  {
    name: 'a read at, over and past the end is short',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      file.write(bytes(1, 2, 3), 0);
      const into = bytes(8, 8, 8);
      same(file.read(into, 2), 1, 'over the end');
      same(into[0], 3, 'what there was');
      same(file.read(into, 3), 0, 'at the end');
      same(file.read(into, 100), 0, 'past the end');
      same(file.read(new Uint8Array(0), 0), 0, 'nothing asked');
      file.close();
    },
  },
  {
    name: 'a gap reads as zeros, even over old bytes that were cut off',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      file.write(bytes(1, 2, 3, 4, 5, 6), 0);
      file.truncate(2);
      same(file.size(), 2, 'cut');
      file.write(bytes(9), 5);
      const read = new Uint8Array(6);
      same(file.read(read, 0), 6, 'count');
      same(read, [1, 2, 0, 0, 0, 9], 'zeros in the gap');
      file.truncate(8);
      same(file.size(), 8, 'grown');
      const tail = bytes(7, 7, 7);
      same(file.read(tail, 5), 3, 'count of the tail');
      same(tail, [9, 0, 0], 'zeros at the end');
      file.truncate(0);
      same(file.size(), 0, 'emptied');
      file.close();
    },
  },
  {
    name: 'large and far writes across page borders',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      const far = 3 * 1024 * 1024 + 17;
      const large = new Uint8Array(300_000).map((_, i) => i * 7);
      file.write(large, far);
      same(file.size(), far + large.length, 'size');
      const read = new Uint8Array(large.length);
      same(file.read(read, far), large.length, 'count');
      check(
        read.every((byte, i) => byte === large[i]),
        'the large write reads back',
      );
      same(file.read(read, far - 10), read.length, 'count before');
      same([...read.subarray(0, 12)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], 'zeros before it');
      file.close();
    },
  },
  {
    name: 'a missing file is ENOENT without create, and makes nothing',
    async run(directory) {
      await fails('ENOENT', 'open', () => directory.open('a'));
      await fails('ENOENT', 'open in a missing folder', () => directory.open('blobs/a'));
      same(await directory.snapshot('a'), undefined, 'snapshot');
      same(await directory.snapshot('blobs/a'), undefined, 'snapshot in a missing folder');
      same(await directory.list('blobs'), [], 'list of a missing folder');
    },
  },
  {
    name: 'a file that stays open is EBUSY to a second opener and to remove; closing lets it go',
    async run(directory) {
      const file = await directory.open('blobs/a', { create: true });
      await fails('EBUSY', 'second open', () => directory.open('blobs/a', { create: true }));
      await fails('EBUSY', 'remove', () => directory.remove('blobs/a'));
      const other = await directory.open('blobs/b', { create: true });
      other.close();
      file.close();
      const again = await directory.open('blobs/a');
      again.close();
    },
  },
  {
    name: 'a file that is closed soon is waited for, or can be opened at once afterwards',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      const second = directory.open('a').catch(() => undefined);
      file.close();
      (await second)?.close();
      (await directory.open('a')).close();
    },
  },
  {
    name: 'a closed file answers closed, and may be closed again',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      file.close();
      file.close();
      await fails('closed', 'read', () => file.read(new Uint8Array(1), 0));
      await fails('closed', 'write', () => file.write(bytes(1), 0));
      await fails('closed', 'size', () => file.size());
      await fails('closed', 'truncate', () => file.truncate(0));
      await fails('closed', 'flush', () => file.flush());
    },
  },
  {
    name: 'a snapshot shows the bytes of now, while the file is open too',
    async run(directory) {
      const file = await directory.open('blobs/a', { create: true });
      file.write(bytes(1, 2, 3), 0);
      file.flush();
      same(await snapshotBytes(directory, 'blobs/a'), [1, 2, 3], 'while open');
      file.write(bytes(9, 9), 2);
      file.flush();
      same(await snapshotBytes(directory, 'blobs/a'), [1, 2, 9, 9], 'a new one after a write');
      file.close();
      same(await snapshotBytes(directory, 'blobs/a'), [1, 2, 9, 9], 'when closed');
    },
  },
  {
    name: 'a snapshot never shows bytes of later',
    async run(directory) {
      const file = await directory.open('a', { create: true });
      file.write(bytes(1, 2, 3), 0);
      file.flush();
      const snapshot = await directory.snapshot('a');
      file.write(bytes(4), 3);
      file.flush();
      same(snapshot?.size, 3, 'size');
      let read: number[] | string;
      try {
        read = [...new Uint8Array(await snapshot!.arrayBuffer())];
      } catch (error) {
        read = (error as Error).name;
      }
      check(
        ['1,2,3', 'NotReadableError', 'NotFoundError'].includes(String(read)),
        `the old bytes or a stale snapshot, not ${String(read)}`,
      );
      file.close();
    },
  },
  {
    name: 'list names the files of one folder',
    async run(directory) {
      for (const path of ['a', 'blobs/x.bin', 'blobs/y.bin', 'images/z.bin']) {
        (await directory.open(path, { create: true })).close();
      }
      same((await directory.list('blobs')).sort(), ['x.bin', 'y.bin'], 'blobs');
      same(await directory.list('images'), ['z.bin'], 'images');
    },
  },
  {
    name: 'a removed file is gone, and begins empty when it is made again',
    async run(directory) {
      const file = await directory.open('blobs/a', { create: true });
      file.write(bytes(1, 2, 3), 0);
      file.close();
      await directory.remove('blobs/a');
      await directory.remove('blobs/a');
      await directory.remove('images/never');
      same(await directory.list('blobs'), [], 'list');
      same(await directory.snapshot('blobs/a'), undefined, 'snapshot');
      const again = await directory.open('blobs/a', { create: true });
      same(again.size(), 0, 'size');
      again.close();
    },
  },
];
