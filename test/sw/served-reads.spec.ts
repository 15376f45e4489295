import { expect, test } from '@playwright/test';
import type { ReadsServed } from '../../src/protocol/messages.ts';
import { ServedReads } from '../../sw/served-reads.ts';

const image = 'a'.repeat(64);
const other = 'b'.repeat(64);

function fixture() {
  const sent: ReadsServed[] = [];
  const edge = { there: true };
  const reads = new ServedReads((message) => {
    if (edge.there) sent.push(message);
    return edge.there;
  });
  return { sent, edge, reads };
}

test('read_log: neighbours are one, in the order of the reads, by image', () => {
  const { sent, reads } = fixture();
  const before = Date.now();
  reads.note(image, 'a', 0, 4, 1);
  reads.note(image, 'a', 0, 5, 2);
  reads.note(image, 'b', 0, 7, 1);
  reads.note(other, 'b', 0, 8, 1);
  reads.note(image, 'b', 0, 8, 1);
  reads.flush();
  const [first, second] = sent;
  expect(sent.map(({ type, image }) => [type, image])).toEqual([
    ['reads-served', image],
    ['reads-served', other],
  ]);
  expect(first!.reads.map(({ path, first, count }) => [path, first, count])).toEqual([
    ['a', 4, 3],
    ['b', 7, 1],
    ['b', 8, 1],
  ]);
  expect(second!.reads).toMatchObject([{ path: 'b', blob: 0, first: 8, count: 1 }]);
  expect(first!.reads[0]!.at).toBeGreaterThanOrEqual(before);
  reads.flush();
  expect(sent).toHaveLength(2);
});

test('read_log: told by itself, soon, and together', async () => {
  const { sent, reads } = fixture();
  reads.note(image, 'a', 0, 4, 1);
  reads.note(image, 'c', 1, 4, 1);
  expect(sent).toEqual([]);
  await expect.poll(() => sent.length).toBe(1);
  expect(sent[0]!.reads).toHaveLength(2);
});

test('read_log: kept while nobody is there, the first ones of too many', () => {
  const { sent, edge, reads } = fixture();
  edge.there = false;
  for (let block = 0; block < 10_000; block += 2) reads.note(image, 'a', 0, block, 1);
  reads.flush();
  edge.there = true;
  reads.flush();
  expect(sent).toHaveLength(1);
  expect(sent[0]!.reads).toHaveLength(4096);
  expect(sent[0]!.reads[0]).toMatchObject({ first: 0 });
});
