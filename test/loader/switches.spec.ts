import { expect, test } from '@playwright/test';
import type { BlockSource, Chunk, RangeRequest } from '../../src/protocol/block-source.ts';
import { noSwitches } from '../../src/protocol/inspection.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { SwitchedSource } from '../../src/source/switched-source.ts';
import { ManualClock } from './manual-clock.ts';

/* What people switch on to see what then happens: the source that lies between the leader and the network. */

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i);

/** Gives the range in chunks of 40,000 bytes. */
class Inner implements BlockSource {
  readonly wholeFiles = false;
  requests = 0;

  async *fetch({ start, end }: RangeRequest): AsyncGenerator<Chunk> {
    this.requests += 1;
    for (let at = start; at < end; at += 40_000)
      yield { offset: at, bytes: bytes.slice(at, Math.min(end, at + 40_000)) };
  }
}

function request(signal = new AbortController().signal): RangeRequest {
  return { file: { sha256: 'ab', length: bytes.length }, start: 10, end: 90_000, priority: 'high', signal };
}

/** Takes all that comes, and tells how much it is. */
function take(source: BlockSource, signal?: AbortSignal) {
  const got = { bytes: 0, isOver: false, error: undefined as unknown, at: 10 };
  const done = (async () => {
    for await (const { offset, bytes: piece } of source.fetch(request(signal))) {
      expect(offset).toBe(got.at);
      expect(Buffer.compare(piece, bytes.subarray(offset, offset + piece.length))).toBe(0);
      got.at += piece.length;
      got.bytes += piece.length;
    }
  })()
    .catch((error: unknown) => {
      got.error = error;
    })
    .finally(() => {
      got.isOver = true;
    });
  return { got, done };
}

/** Lets all that can go on without time go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('nothing switched: the source itself answers', async () => {
  const inner = new Inner();
  const answer = inner.fetch(request());
  inner.fetch = () => answer;
  expect(new SwitchedSource(inner, new ManualClock()).fetch(request())).toBe(answer);
});

test('a slow link: first its delay, then no more than its rate, in order, shared by all; other speeds hold at once', async () => {
  const clock = new ManualClock();
  const source = new SwitchedSource(new Inner(), clock);
  source.switch({ ...noSwitches, bytesPerSecond: 16_384, delayMs: 300 });
  const one = take(source);
  await settle();
  clock.advance(299);
  await settle();
  expect(one.got.bytes).toBe(0);
  clock.advance(1);
  await settle();
  // The delay is over, the first piece of 16 KiB is on its way.
  expect(one.got.bytes).toBe(0);
  clock.advance(1000);
  await settle();
  expect(one.got.bytes).toBe(16_384);

  const two = take(source);
  clock.advance(300);
  await settle();
  for (let second = 0; second < 3; second++) {
    clock.advance(1000);
    await settle();
  }
  const sum = one.got.bytes + two.got.bytes;
  expect(sum).toBeGreaterThan(2 * 16_384);
  expect(sum).toBeLessThanOrEqual(4.3 * 16_384);
  expect(two.got.bytes).toBeGreaterThan(0);

  source.switch(noSwitches);
  await Promise.all([one.done, two.done]);
  expect([one.got.bytes, two.got.bytes, one.got.error, two.got.error]).toEqual([
    89_990,
    89_990,
    undefined,
    undefined,
  ]);
  expect(clock.timers).toBe(0);
});

test('who withdraws from a slow link does not wait for it', async () => {
  const clock = new ManualClock();
  const source = new SwitchedSource(new Inner(), clock);
  const abort = new AbortController();
  source.switch({ ...noSwitches, delayMs: 1e6 });
  const { got, done } = take(source, abort.signal);
  await settle();
  abort.abort(new Error('enough'));
  await done;
  expect(got.error).toMatchObject({ message: 'enough' });
  expect(clock.timers).toBe(0);
});

test('offline: each request fails so, and no byte is asked for; the next few requests fail as a busy server’s do, and are counted', async () => {
  const inner = new Inner();
  const source = new SwitchedSource(inner, new ManualClock());
  source.switch({ ...noSwitches, isOffline: true });
  expect(() => source.checkOnline()).toThrow(/switched the network off/);
  const cut = take(source);
  await cut.done;
  expect(cut.got.error).toMatchObject({ code: 'offline' });
  expect(inner.requests).toBe(0);

  source.switch({ ...noSwitches, failNext: 2 });
  source.checkOnline();
  for (const left of [1, 0]) {
    const failed = take(source);
    await failed.done;
    expect(failed.got.error).toBeInstanceOf(OriginError);
    expect(failed.got.error).toMatchObject({ code: 'bad-origin', retryable: true });
    expect(source.switches).toEqual({ ...noSwitches, failNext: left });
  }
  expect(inner.requests).toBe(0);
  const good = take(source);
  await good.done;
  expect(good.got).toMatchObject({ bytes: 89_990, error: undefined });
});
