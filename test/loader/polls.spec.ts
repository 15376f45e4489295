import { expect, test } from '@playwright/test';
import { Polls } from '../../src/loader/polls.ts';
import { ManualClock } from './manual-clock.ts';

test('a poll answers at once, when something comes, with nothing when its time is up, or with its signal’s reason', async () => {
  const clock = new ManualClock();
  const polls = new Polls(clock);
  const items: number[] = [1];
  const after = (last: number) => () => items.filter((item) => item > last);
  expect(await polls.poll(after(0), 1000)).toEqual([1]);
  expect(await polls.poll(after(1), 0)).toEqual([]);

  const one = polls.poll(after(1), 1000);
  const two = polls.poll(after(2), 1000);
  const late = polls.poll(after(9), 50);
  polls.check(); // Nothing for anybody.
  items.push(2);
  polls.check();
  expect(await one).toEqual([2]);
  items.push(3, 4);
  polls.check();
  expect(await two).toEqual([3, 4]);
  clock.advance(50);
  expect(await late).toEqual([]);

  const abort = new AbortController();
  const gone = polls.poll(after(9), 1000, abort.signal);
  const closed = polls.poll(after(9), 1000);
  abort.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  await expect(polls.poll(after(0), 1000, abort.signal)).rejects.toThrow('gone');
  polls.close(new Error('closed'));
  await expect(closed).rejects.toThrow('closed');
  expect(clock.timers).toBe(0);
});
