import { expect, test } from '@playwright/test';
import type { Hello, ReadsServed, ServedRead, ToLoader } from '../../src/protocol/messages.ts';
import { ServedReads } from '../../sw/served-reads.ts';

const image = 'a'.repeat(64);
const other = 'b'.repeat(64);

const read = (path: string, blob: number, first: number, count: number, more: Partial<ServedRead> = {}) => ({
  path,
  blob,
  first,
  count,
  at: 1000,
  waitedMs: 0,
  ...more,
});

class Listener {
  role: Hello['role'] = 'leader';
  readonly heard: ReadsServed[] = [];

  post(message: ToLoader): void {
    this.heard.push(message as ReadsServed);
  }

  get paths(): string[] {
    return this.heard.flatMap(({ reads }) => reads.map(({ path }) => path));
  }
}

function fixture() {
  const edge = { listener: new Listener() as Listener | undefined };
  return { edge, heard: edge.listener!.heard, reads: new ServedReads(() => edge.listener) };
}

test('read_log: neighbours are one, in the order of the reads, by image', () => {
  const { heard, reads } = fixture();
  reads.note(image, read('a', 0, 4, 1));
  reads.note(image, read('a', 0, 5, 2));
  reads.note(image, read('b', 0, 7, 1));
  reads.note(other, read('b', 0, 8, 1));
  reads.note(image, read('b', 0, 8, 1));
  reads.flush();
  const [first, second] = heard;
  expect(heard.map(({ type, image }) => [type, image])).toEqual([
    ['reads-served', image],
    ['reads-served', other],
  ]);
  expect(first!.reads.map(({ path, first, count }) => [path, first, count])).toEqual([
    ['a', 4, 3],
    ['b', 7, 1],
    ['b', 8, 1],
  ]);
  expect(second!.reads).toMatchObject([{ path: 'b', blob: 0, first: 8, count: 1 }]);

  // What was sent is not changed any more, and not sent again.
  reads.note(image, read('b', 0, 9, 1));
  reads.flush();
  reads.flush();
  expect(heard.slice(2)).toMatchObject([{ reads: [{ path: 'b', first: 9, count: 1 }] }]);
});

test('read_log: of neighbours that are told as one, how long they took to decode is told together', () => {
  const { heard, reads } = fixture();
  reads.note(image, read('a', 0, 4, 1, { decodedMs: 1.5 }));
  reads.note(image, read('a', 0, 5, 1, { decodedMs: 0.25 }));
  reads.note(image, read('a', 0, 6, 1, { waitedMs: 30, decodedMs: 7 }));
  reads.flush();
  expect(heard[0]!.reads.map(({ count, decodedMs }) => [count, decodedMs])).toEqual([
    [2, 1.75],
    [1, 7],
  ]);
});

test('read_log: told by itself, soon, and together', async () => {
  const { heard, reads } = fixture();
  reads.note(image, read('a', 0, 4, 1));
  reads.note(image, read('c', 1, 4, 1));
  expect(heard).toEqual([]);
  await expect.poll(() => heard.length).toBe(1);
  expect(heard[0]!.reads).toHaveLength(2);
});

test('read_log: kept while nobody is there, the first ones of too many', () => {
  const { edge, heard, reads } = fixture();
  const { listener } = edge;
  edge.listener = undefined;
  for (let block = 0; block < 10_000; block += 2) reads.note(image, read('a', 0, block, 1));
  reads.flush();
  edge.listener = listener;
  reads.flush();
  expect(heard).toHaveLength(1);
  expect(heard[0]!.reads).toHaveLength(4096);
  expect(heard[0]!.reads[0]).toMatchObject({ first: 0 });
  // Those can go now.
  reads.note(image, read('later', 0, 0, 1));
  reads.flush();
  expect(heard[1]!.reads).toMatchObject([{ path: 'later' }]);
});

test('read_log: the loader that comes next hears of the launch so far, not of those before', () => {
  const { edge, reads } = fixture();
  const before = edge.listener!;
  reads.note(image, read('launch before', 0, 0, 1));
  reads.flush();
  reads.launch();
  reads.note(image, read('index.html', 0, 0, 1));
  reads.flush();
  expect(before.paths).toEqual(['launch before', 'index.html']);

  const next = new Listener();
  next.role = 'standby';
  edge.listener = next;
  reads.note(image, read('app.js', 0, 5, 1));
  reads.flush();
  expect(next.paths).toEqual(['index.html', 'app.js']);
  // What it had passed on to a leader that is gone now, it has to have itself.
  next.role = 'leader';
  reads.flush();
  expect(next.paths.slice(2)).toEqual(['index.html', 'app.js']);
});

test('read_log: one that was waited for, or failed, is told by itself', () => {
  const { heard, reads } = fixture();
  reads.note(image, read('a', 0, 0, 1));
  reads.note(image, read('a', 0, 1, 1, { waitedMs: 80 }));
  reads.note(image, read('a', 0, 2, 1));
  reads.note(image, read('a', 0, 3, 1, { failed: 'read-timeout' }));
  reads.flush();
  expect(heard[0]!.reads.map(({ first, waitedMs, failed }) => [first, waitedMs, failed])).toEqual([
    [0, 0, undefined],
    [1, 80, undefined],
    [2, 0, undefined],
    [3, 0, 'read-timeout'],
  ]);
});
