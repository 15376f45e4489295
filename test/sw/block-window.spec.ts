import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { PendingBlock, ReadRequest } from '../../sw/block-reader.ts';
import { BlockWindow } from '../../sw/block-window.ts';
import { noise } from '../support/random.ts';
import { smallImage } from './small-image.ts';

const blockBytes = 4096;
const content = noise(5, 4 * blockBytes);

/** A window over a file of four blocks, each of which comes or fails when the test says so. */
async function slowWindow() {
  const { image } = await smallImage({ 'a.bin': { bytes: content } });
  const asked: { block: number; come: () => void; fail: (code: 'read-timeout' | 'offline') => void }[] = [];
  const read = ({ first, count }: ReadRequest): PendingBlock[] =>
    Array.from({ length: count }, (_, i) => {
      const block = first + i;
      const bytes = new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
        asked.push({
          block,
          come: () => resolve(content.slice(block * blockBytes, (block + 1) * blockBytes)),
          fail: (code) => reject(new SluiceError(code, 'it did not come')),
        });
      });
      bytes.catch(() => {});
      return { bytes, withdraw: () => {} };
    });
  const window = new BlockWindow(
    { read },
    image,
    { inode: image.lookup('a.bin')!, path: 'a.bin' },
    { start: 0, end: content.length },
    { timeoutMs: 1000, mayWaitForLoader: true, signal: new AbortController().signal, whole: true },
  );
  return { window, asked };
}

test('a block whose deadline passed before its turn is waited for anew', async () => {
  const { window, asked } = await slowWindow();
  expect(asked.map(({ block }) => block)).toEqual([0, 1, 2, 3]);
  asked[0]!.come();
  for (const late of asked.slice(1)) late.fail('read-timeout');
  expect(await window.take()).toEqual(content.slice(0, blockBytes));
  for (const block of [1, 2, 3]) {
    const taken = window.take();
    await expect.poll(() => asked.at(-1)!.block === block && asked.length === 4 + block).toBe(true);
    asked.at(-1)!.come();
    expect(await taken).toEqual(content.slice(block * blockBytes, (block + 1) * blockBytes));
  }
  expect(window.done).toBe(true);
});

test('a deadline that passes in its turn is a failure, and any other failure at any time', async () => {
  const first = await slowWindow();
  first.asked[0]!.fail('read-timeout');
  await expect(first.window.take()).rejects.toMatchObject({ code: 'read-timeout' });

  const { window, asked } = await slowWindow();
  asked[0]!.come();
  await window.take();
  asked[1]!.fail('read-timeout');
  const second = window.take();
  await expect.poll(() => asked.length).toBe(5);
  asked[4]!.fail('read-timeout');
  await expect(second).rejects.toMatchObject({ code: 'read-timeout' });

  const third = await slowWindow();
  third.asked[0]!.come();
  await third.window.take();
  third.asked[1]!.fail('offline');
  await expect(third.window.take()).rejects.toMatchObject({ code: 'offline' });
  expect(third.asked).toHaveLength(4);
});
