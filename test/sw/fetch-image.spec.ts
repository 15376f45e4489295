import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { Chunk, RangeRequest } from '../../src/protocol/block-source.ts';
import { fetchImage } from '../../sw/fetch-image.ts';
import { inSteps, ManualClock } from '../loader/manual-clock.ts';
import { smallImage } from './small-image.ts';

type Answer = (request: RangeRequest, clock: ManualClock) => AsyncIterable<Chunk>;

/** What becomes of it while time passes, and how often the source was asked. */
async function fetched(answer: Answer) {
  const { image, bootstrap } = await smallImage({ a: { bytes: new Uint8Array(5000) } });
  const clock = new ManualClock();
  let asked = 0;
  const source = {
    wholeFiles: false,
    fetch: (request: RangeRequest) => {
      asked += 1;
      return answer(request, clock);
    },
  };
  const release = { image: image.id, bytes: bootstrap.length };
  const fetching = fetchImage(release, { source, clock, random: () => 0.5 });
  const outcome = fetching.then(
    ({ id }) => (id === image.id ? 'the image' : id),
    (error: unknown) => (error instanceof SluiceError ? error.code : error),
  );
  let isOver = false;
  void outcome.then(() => {
    isOver = true;
  });
  while (!isOver && clock.now() < 60_000) await inSteps(clock, 500);
  return { outcome: await outcome, ms: clock.now(), asked, timers: clock.timers, bootstrap };
}

/** Settles when so much time has passed, or rejects with the signal's reason. */
function pass(clock: ManualClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    clock.after(ms, resolve);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

test('a bootstrap that comes slower than its deadline is late, as is one whose server is silent', async () => {
  const dripping = await fetched(async function* ({ start, signal }, clock) {
    for (let offset = start; ; offset++) {
      await pass(clock, 9000, signal);
      yield { offset, bytes: new Uint8Array(1) };
    }
  });
  expect(dripping).toMatchObject({ outcome: 'read-timeout', ms: 30_000, asked: 1 });
  // biome-ignore lint/correctness/useYield: it never gets so far.
  const silent = await fetched(async function* ({ signal }, clock) {
    await pass(clock, 10_000, signal);
    throw new SluiceError('read-timeout', 'nothing came for 10000 ms');
  });
  expect(silent).toMatchObject({ outcome: 'read-timeout', asked: 3 });
  expect(silent.ms).toBeLessThanOrEqual(30_000);
});

test('what fails in passing is asked for again, and leaves no timer behind', async () => {
  const { bootstrap } = await fetched(() => {
    throw new SluiceError('bad-origin', 'only its bytes are wanted');
  });
  let isFirst = true;
  const answer: Answer = async function* () {
    if (isFirst) {
      isFirst = false;
      throw new SluiceError('offline', 'for once');
    }
    yield { offset: 0, bytes: bootstrap };
  };
  expect(await fetched(answer)).toMatchObject({ outcome: 'the image', asked: 2, timers: 0 });
});
