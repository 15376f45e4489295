import { expect, test } from '@playwright/test';
import { Session } from '../../src/inspector/model/session.ts';
import { BlockRunsWriter, blockState } from '../../src/protocol/block-states.ts';
import type { Inspection } from '../../src/protocol/inspection.ts';
import { randomSharing } from '../image/random-sharing.ts';
import { aFetch, anInspection, aRead } from './sample.ts';

async function session() {
  const { image } = await randomSharing(1);
  const made = new Session('https://a.example/', image);
  const total = [...image.blobs()].reduce((sum, { blockCount }) => sum + blockCount, 0);
  const runs = (...states: number[]): Uint32Array<ArrayBuffer> => {
    const writer = new BlockRunsWriter();
    for (const state of states) writer.add(state, 1);
    writer.add(blockState.missing, total - states.length);
    return writer.runs();
  };
  const base = anInspection();
  const answer = (some: Partial<Inspection>): Inspection => ({
    ...base,
    state: { ...base.state, image: image.id },
    blocks: runs(),
    ...some,
  });
  return { made, runs, answer, total };
}

test('a snapshot has all that was told so far, and the same objects where nothing is new', async () => {
  const { made, answer, runs } = await session();
  expect(made.cursor).toBeUndefined();
  const cursor = { leader: 'leader', read: 2, fetch: 1, error: 0 };
  const one = made.add(
    answer({ reads: [aRead({ serial: 1 }), aRead({ serial: 2 })], fetches: [aFetch()], cursor }),
  );
  expect(made.cursor).toEqual(cursor);
  const two = made.add(answer({ cursor }));
  expect([two.reads, two.fetches, two.errors]).toEqual([one.reads, one.fetches, one.errors]);
  expect([two.reads === one.reads, two.fetches === one.fetches, two.states === one.states]).toEqual([
    true,
    true,
    true,
  ]);
  expect(two.statesVersion).toBe(one.statesVersion);
  const three = made.add(answer({ reads: [aRead({ serial: 3 })], blocks: runs(blockState.sealed), cursor }));
  expect(three.reads.map(({ serial }) => serial)).toEqual([1, 2, 3]);
  expect(three.statesVersion).toBe(two.statesVersion + 1);
  expect(three.states[0]).toBe(blockState.sealed);
});

test('files made at run time are as they were told last, the same list where nothing is new', async () => {
  const { made: told, answer } = await session();
  const file = { path: 'own.txt', size: 10, blocks: 2, present: 1 };
  const one = told.add(answer({ made: [file] }));
  expect(one.made).toEqual([file]);
  expect(told.add(answer({ made: [{ ...file }] })).made).toBe(one.made);
  for (const made of [[{ ...file, present: 2 }], [{ ...file, path: 'b' }], [file, file], []])
    expect(told.add(answer({ made })).made).toEqual(made);
});

test('of a fetch that was told twice, the last word counts', async () => {
  const { made, answer } = await session();
  const open = { answered: undefined, ended: undefined };
  made.add(answer({ fetches: [1, 2, 3].map((serial) => aFetch({ serial, ...open })) }));
  const { fetches } = made.add(answer({ fetches: [aFetch({ serial: 4, ...open }), aFetch({ serial: 2 })] }));
  expect(fetches.map(({ serial, ended }) => [serial, ended !== undefined])).toEqual([
    [1, false],
    [2, true],
    [3, false],
    [4, false],
  ]);
});

test('another leader’s numbers are its own: what the one before told is left out', async () => {
  const { made, answer } = await session();
  made.add(answer({ reads: [aRead({ serial: 7 })] }));
  const cursor = { leader: 'another', read: 1, fetch: 0, error: 0 };
  const { reads } = made.add(answer({ reads: [aRead({ serial: 1, path: 'new' })], cursor }));
  expect(reads.map(({ path }) => path)).toEqual(['new']);
});

test('lists are bounded: the oldest go', async () => {
  const { made, answer } = await session();
  const many = (first: number) => Array.from({ length: 15_000 }, (_, i) => aRead({ serial: first + i }));
  made.add(answer({ reads: many(1) }));
  const { reads } = made.add(answer({ reads: many(15_001) }));
  expect([reads.length, reads[0]!.serial, reads.at(-1)!.serial]).toEqual([20_000, 10_001, 30_000]);
});

test('an answer about another image, or of other blocks, is refused', async () => {
  const { made, answer } = await session();
  expect(() => made.add(anInspection())).toThrow(/An inspection of/);
  expect(() => made.add(answer({ blocks: new Uint32Array([16]) }))).toThrow(/states of 1 blocks/);
});
