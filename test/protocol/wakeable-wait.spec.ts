import { getEventListeners } from 'node:events';
import { expect, test } from '@playwright/test';
import { WakeableWait } from '../../src/protocol/wakeable-wait.ts';
import { ManualClock } from '../loader/manual-clock.ts';

/** Which of the waits have ended, in order. */
function rig() {
  const clock = new ManualClock();
  const waits = new WakeableWait(clock);
  const ended: string[] = [];
  const begin = (name: string, ms: number, ...signals: AbortSignal[]): void => {
    void waits.wait(ms, ...signals).then(() => ended.push(name));
  };
  const told = async (): Promise<string[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return ended.splice(0);
  };
  return { clock, waits, begin, told };
}

test('a wait lasts its time', async () => {
  const { clock, begin, told } = rig();
  begin('a', 100);
  clock.advance(99);
  expect(await told()).toEqual([]);
  clock.advance(1);
  expect(await told()).toEqual(['a']);
});

test('all waits that are on are woken, and no timer is left; who waits after that waits its own time', async () => {
  const { clock, waits, begin, told } = rig();
  begin('a', 100);
  begin('b', 200);
  waits.wake();
  expect(await told()).toEqual(['a', 'b']);
  expect(clock.timers).toBe(0);
  begin('c', 100);
  expect(await told()).toEqual([]);
  clock.advance(100);
  expect(await told()).toEqual(['c']);
});

test('to wake while nobody waits is not remembered', async () => {
  const { waits, begin, told } = rig();
  waits.wake();
  begin('a', 100);
  expect(await told()).toEqual([]);
});

test('who is woken may wait again at once, and is not woken by the same call', async () => {
  const { clock, waits, told, begin } = rig();
  void waits.wait(100).then(() => begin('again', 100));
  waits.wake();
  expect(await told()).toEqual([]);
  clock.advance(100);
  expect(await told()).toEqual(['again']);
});

test('a signal ends the waits that were given it, one that has fired at once; nothing is left on it', async () => {
  const { clock, begin, told } = rig();
  const end = new AbortController();
  begin('a', 100, end.signal);
  begin('b', 100);
  expect(getEventListeners(end.signal, 'abort')).toHaveLength(1);
  end.abort();
  expect(await told()).toEqual(['a']);
  expect(clock.timers).toBe(1);
  begin('c', 100, end.signal);
  expect(await told()).toEqual(['c']);
  clock.advance(100);
  expect(await told()).toEqual(['b']);
  const other = new AbortController();
  begin('d', 100, other.signal);
  clock.advance(100);
  expect(await told()).toEqual(['d']);
  expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
});
