import { expect, test } from '@playwright/test';
import { deferred } from '../../src/protocol/deferred.ts';
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
  const begin = (event: TestEvent): (() => void) => {
    const { promise: finished, resolve: finish } = deferred();
    answers.begin(event, finished);
    return finish;
  };
  const event = new TestEvent();
  const finish = begin(event);
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turn();
  };
  return { answers, begin, event, finish, pass, asked: () => asked, timers: () => clock.timers };
}

test('an answer that comes in time is its event’s, and nobody is asked for more', async () => {
  const { event, pass, asked, finish, timers } = rig();
  await pass(nextEventMs - 1);
  expect([event.isOver, timers()]).toEqual([false, 1]);
  finish();
  await turn();
  expect([event.isOver, timers()]).toEqual([true, 0]);
  expect(asked()).toBe(0);
});

test('one that takes longer goes from event to event, without a gap, until it has come; it has one timer', async () => {
  const { answers, event, pass, asked, finish, timers } = rig();
  await pass(nextEventMs);
  expect([event.isOver, asked(), timers()]).toEqual([false, 1, 1]);
  await pass(1000);
  const second = new TestEvent();
  answers.stayAwake(second);
  await turn();
  expect([event.isOver, second.isOver, timers()]).toEqual([true, false, 1]);
  await pass(nextEventMs - 1);
  expect([second.isOver, asked()]).toEqual([false, 1]);
  await pass(1);
  expect([second.isOver, asked(), timers()]).toEqual([false, 2, 1]);
  const third = new TestEvent();
  answers.stayAwake(third);
  await turn();
  expect([second.isOver, third.isOver, timers()]).toEqual([true, false, 1]);
  finish();
  await turn();
  expect([third.isOver, asked(), timers()]).toEqual([true, 2, 0]);
});

test('of several pages that answer, the first makes the event', async () => {
  const { answers, pass } = rig();
  await pass(nextEventMs);
  const [first, other] = [new TestEvent(), new TestEvent()];
  answers.stayAwake(first);
  answers.stayAwake(other);
  expect([first.waits, other.waits]).toEqual([1, 0]);
});

test('where no page answers, the event ends in time, and the next page that does has the answer', async () => {
  const { answers, event, pass, asked, finish, timers } = rig();
  await pass(eventMs - 1);
  expect([event.isOver, asked(), timers()]).toEqual([false, 1, 1]);
  await pass(1);
  expect([event.isOver, asked(), timers()]).toEqual([true, 1, 0]);
  const late = new TestEvent();
  answers.stayAwake(late);
  expect([late.waits, timers()]).toEqual([1, 1]);
  finish();
  await turn();
  expect([late.isOver, timers()]).toEqual([true, 0]);
});

test('one event has all the answers that need one, and lasts until the last of them has come', async () => {
  const { answers, begin, event, finish, pass, timers } = rig();
  await pass(60_000);
  const young = new TestEvent();
  const finishYoung = begin(young);
  await pass(nextEventMs - 60_000);
  const second = new TestEvent();
  answers.stayAwake(second);
  await turn();
  expect([second.waits, event.isOver, young.isOver, timers()]).toEqual([1, true, false, 2]);
  await pass(60_000);
  const third = new TestEvent();
  answers.stayAwake(third);
  await turn();
  expect([third.waits, young.isOver, second.isOver]).toEqual([1, true, false]);
  finish();
  await turn();
  expect([second.isOver, third.isOver]).toEqual([true, false]);
  finishYoung();
  await turn();
  expect([third.isOver, timers()]).toEqual([true, 0]);
});
