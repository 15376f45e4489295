import { expect, test } from '@playwright/test';
import { Polls } from '../../src/loader/polls.ts';
import { ScrubPace } from '../../src/loader/scrub-pace.ts';
import { ManualClock } from './manual-clock.ts';

function fixture() {
  const clock = new ManualClock();
  const engine = { isDemanded: false, isQuiet: true };
  const polls = new Polls(clock);
  const abort = new AbortController();
  const pace = new ScrubPace({ engine, clock, polls, signals: [abort.signal] });
  /** Whether the wait is over, once everything that could end it has run. */
  const isOver = async (wait: Promise<void>): Promise<boolean> => {
    let over = false;
    void wait.then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    return over;
  };
  return { clock, engine, polls, abort, pace, isOver };
}

test('a step waits while somebody reads, a second at most', async () => {
  const { clock, engine, polls, pace, isOver } = fixture();
  await pace.turn();
  engine.isDemanded = true;
  const first = pace.turn();
  expect(await isOver(first)).toBe(false);
  clock.advance(900);
  expect(await isOver(first)).toBe(false);
  engine.isDemanded = false;
  polls.check();
  expect(await isOver(first)).toBe(true);

  engine.isDemanded = true;
  const second = pace.turn();
  clock.advance(999);
  expect(await isOver(second)).toBe(false);
  clock.advance(1);
  expect(await isOver(second)).toBe(true);
  expect(clock.timers).toBe(0);
});

test('half of the time is left to others: a rest after each megabyte, as long as that took', async () => {
  const { clock, pace, isOver } = fixture();
  pace.spend(2 ** 20 - 1);
  clock.advance(40);
  await pace.turn();
  pace.spend(1);
  clock.advance(10);
  const resting = pace.turn();
  clock.advance(49);
  expect(await isOver(resting)).toBe(false);
  clock.advance(1);
  expect(await isOver(resting)).toBe(true);
  await pace.turn();
});

test('a launch that ends by time alone, without anything that happens, is noticed within a second', async () => {
  const { clock, engine, pace, isOver } = fixture();
  engine.isQuiet = false;
  const waiting = pace.quiet();
  clock.advance(5000);
  expect(await isOver(waiting)).toBe(false);
  engine.isQuiet = true;
  clock.advance(1000);
  expect(await isOver(waiting)).toBe(true);
  expect(clock.timers).toBe(0);
});

test('a launch is waited for, not for ever', async () => {
  const { clock, engine, polls, pace, isOver } = fixture();
  engine.isQuiet = false;
  const first = pace.quiet();
  clock.advance(20_000);
  expect(await isOver(first)).toBe(false);
  engine.isQuiet = true;
  polls.check();
  expect(await isOver(first)).toBe(true);
  engine.isQuiet = false;
  const second = pace.quiet();
  clock.advance(125_000);
  expect(await isOver(second)).toBe(true);
});

test('a wait that nobody wants ends with the reason', async () => {
  const { engine, abort, pace, clock } = fixture();
  engine.isDemanded = true;
  const waiting = pace.turn();
  abort.abort(new Error('not needed'));
  await expect(waiting).rejects.toThrow('not needed');
  await expect(pace.turn()).rejects.toThrow('not needed');
  expect(clock.timers).toBe(0);
});
