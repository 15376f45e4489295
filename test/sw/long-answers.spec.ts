import { expect, test } from '@playwright/test';
import { eventMs, LongAnswers, nextEventMs } from '../../sw/long-answers.ts';
import { ManualClock } from '../loader/manual-clock.ts';

/** An event of a service worker: over when all is done that it waits for. */
class TestEvent {
  isOver = false;
  waits = 0;
  #work: Promise<unknown>[] = [];

  waitUntil(work: Promise<unknown>): void {
    this.waits += 1;
    this.#work.push(work);
    void Promise.all(this.#work).then(() => {
      this.isOver = true;
    });
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function rig() {
  const clock = new ManualClock();
  let asked = 0;
  const answers = new LongAnswers(() => {
    asked += 1;
  }, clock);
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const event = new TestEvent();
  answers.begin(event, finished);
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turn();
  };
  return { answers, event, pass, asked: () => asked, finish: () => finish() };
}

test('an answer that comes in time is its event’s, and nobody is asked for more', async () => {
  const { event, pass, asked, finish } = rig();
  await pass(nextEventMs - 1);
  expect(event.isOver).toBe(false);
  finish();
  await turn();
  expect(event.isOver).toBe(true);
  await pass(eventMs);
  expect(asked()).toBe(0);
});

test('one that takes longer goes from event to event, without a gap, none of which lasts too long, until it has come', async () => {
  const { answers, event, pass, asked, finish } = rig();
  await pass(nextEventMs);
  expect([event.isOver, asked()]).toEqual([false, 1]);
  const second = new TestEvent();
  answers.stayAwake(second);
  await pass(eventMs - nextEventMs);
  expect([event.isOver, second.isOver, asked()]).toEqual([true, false, 1]);
  await pass(2 * nextEventMs - eventMs);
  expect([second.isOver, asked()]).toEqual([false, 2]);
  const third = new TestEvent();
  answers.stayAwake(third);
  await pass(eventMs - nextEventMs);
  expect([second.isOver, third.isOver, asked()]).toEqual([true, false, 2]);
  finish();
  await turn();
  expect([third.isOver, asked()]).toEqual([true, 2]);
  await pass(eventMs);
  expect(asked()).toBe(2);
});

test('of several pages that answer, the first makes the event; one that nobody answers ends in time', async () => {
  const { answers, event, pass, asked } = rig();
  await pass(nextEventMs);
  const [first, other] = [new TestEvent(), new TestEvent()];
  answers.stayAwake(first);
  answers.stayAwake(other);
  expect([first.waits, other.waits]).toEqual([1, 0]);
  await pass(eventMs);
  expect([event.isOver, first.isOver, asked()]).toEqual([true, true, 2]);
});
