import { getEventListeners } from 'node:events';
import { expect, test } from '@playwright/test';
import type { FileBytes } from '../../src/client/file-bytes.ts';
import { readStream } from '../../src/client/read-stream.ts';
import type { Stats } from '../../src/client/stats.ts';
import { SluiceError } from '../../src/format/errors.ts';

const away = new SluiceError('offline', 'away');

/** What is still listening to the caller's signal when the stream is over, and how it ended. */
async function read(bytes: Partial<FileBytes>, cancel = false): Promise<[listeners: number, end: unknown]> {
  const { signal } = new AbortController();
  const given = {
    stat: async () => ({ size: 3 }) as Stats,
    piece: async (_path: string, start: number, end: number) => new Uint8Array(end - start),
    ...bytes,
  } as FileBytes;
  const stream = readStream(given, 'a', { signal });
  const ending = cancel ? stream.cancel() : new Response(stream).arrayBuffer();
  const end = await ending.then(
    () => 'well',
    (error: unknown) => error,
  );
  return [getEventListeners(signal, 'abort').length, end];
}

test('nothing listens to the signal any more when a stream is over, however it ends', async () => {
  expect(await read({})).toEqual([0, 'well']);
  expect(await read({}, true)).toEqual([0, 'well']);
  expect(await read({ piece: () => Promise.reject(away) })).toEqual([0, away]);
  expect(await read({ stat: () => Promise.reject(away) })).toEqual([0, away]);
});
