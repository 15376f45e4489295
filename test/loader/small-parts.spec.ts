import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { BackOff } from '../../src/loader/back-off.ts';
import { CommitTimer } from '../../src/loader/commit-timer.ts';
import { healthOf } from '../../src/loader/health.ts';
import { LaunchCalm } from '../../src/loader/launch-calm.ts';
import { RateMeter } from '../../src/loader/rate-meter.ts';
import { SpillCache } from '../../src/loader/spill-cache.ts';
import { Throttle } from '../../src/loader/throttle.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { noRetries, retryDelay } from '../../src/source/retry-policy.ts';
import { ManualClock } from './manual-clock.ts';

const middle = (): number => 0.5; // No jitter.

test('rate: bytes over busy time; pauses do not count, the past fades', () => {
  const meter = new RateMeter();
  expect(meter.rate()).toBe(0);
  meter.begin(0, 0);
  for (let at = 10; at <= 1000; at += 10) meter.add(10_000, at);
  meter.end(1000);
  expect(meter.rate()).toBeGreaterThan(950_000);
  expect(meter.rate()).toBeLessThan(1_050_000);
  meter.begin(60_000, 0);
  for (let at = 60_010; at <= 65_000; at += 10) meter.add(1000, at);
  expect(meter.rate()).toBeGreaterThan(95_000);
  expect(meter.rate()).toBeLessThan(150_000);
});

test('rate: a few bytes say nothing', () => {
  const meter = new RateMeter();
  meter.begin(0, 0);
  meter.add(1000, 100);
  expect(meter.rate()).toBe(0);
});

test('latency: down at once, up slowly', () => {
  const meter = new RateMeter();
  expect(meter.latencyMs).toBe(0);
  meter.begin(0, 100);
  meter.begin(0, 200);
  expect(meter.latencyMs).toBe(112.5);
  meter.begin(0, 90);
  expect(meter.latencyMs).toBe(90);
});

test('back-off doubles to its limit, ±25 %, and forgets', () => {
  const backOff = new BackOff({ firstMs: 1000, maxMs: 5000, random: middle });
  expect([1, 2, 3, 4, 5].map(() => backOff.next())).toEqual([1000, 2000, 4000, 5000, 5000]);
  expect(backOff.failures).toBe(5);
  backOff.reset();
  expect(backOff.next()).toBe(1000);
  expect(new BackOff({ firstMs: 1000, maxMs: 5000, random: () => 0 }).next()).toBe(750);
  expect(new BackOff({ firstMs: 1000, maxMs: 5000, random: () => 0.999 }).next()).toBeCloseTo(1250, -1);
});

test('throttle: at once when quiet, then at the end of the pause, never lost', () => {
  const clock = new ManualClock();
  let runs = 0;
  const throttle = new Throttle(clock, 250, () => {
    runs += 1;
  });
  throttle.request();
  expect(runs).toBe(1);
  throttle.request();
  throttle.request();
  expect(runs).toBe(1);
  clock.advance(250);
  expect(runs).toBe(2);
  clock.advance(1000);
  expect(runs).toBe(2);
  throttle.request();
  throttle.request();
  throttle.now();
  expect(runs).toBe(4);
  clock.advance(1000);
  expect(runs).toBe(4);
});

test('commit: every 100 ms at most, at 4 MiB at once, one at a time', async () => {
  const clock = new ManualClock();
  let commits = 0;
  const commit = async (): Promise<void> => {
    commits += 1;
  };
  const timer = new CommitTimer(clock, commit, () => {});
  timer.wrote(10);
  timer.wrote(10);
  clock.advance(99);
  await Promise.resolve();
  expect(commits).toBe(0);
  clock.advance(1);
  await timer.flush();
  expect(commits).toBe(2);
  timer.wrote(4 * 1024 * 1024);
  await timer.flush();
  expect(commits).toBe(4);
  expect(clock.timers).toBe(0);
});

test('commit: one that fails is told, and the next one is made', async () => {
  const failures: unknown[] = [];
  let commits = 0;
  const commit = async (): Promise<void> => {
    commits += 1;
    if (commits === 1) throw new Error('first');
  };
  const timer = new CommitTimer(new ManualClock(), commit, (error) => failures.push(error));
  timer.wrote(4 * 1024 * 1024);
  await timer.flush();
  expect(commits).toBe(2);
  expect(failures).toEqual([expect.objectContaining({ message: 'first' })]);
});

test('spill: bounded, what was used longest ago falls out', () => {
  const cache = new SpillCache(30);
  for (const key of ['a', 'b', 'c']) cache.set(key, new Uint8Array(10), 0);
  cache.get('a');
  cache.set('d', new Uint8Array(10), 0);
  expect(['a', 'b', 'c', 'd'].filter((key) => cache.has(key))).toEqual(['a', 'c', 'd']);
  cache.set('d', new Uint8Array(25), 0);
  expect(cache.bytes).toBe(25);
  cache.set('huge', new Uint8Array(31), 0);
  expect(cache.bytes).toBe(0);
});

test('calm: at once on a first visit, else after a second without reads, within two minutes of a launch', () => {
  const calm = new LaunchCalm();
  expect(calm.waitMs(0)).toBe(0);
  calm.launches(100, false);
  expect(calm.waitMs(100)).toBe(0);
  calm.reads(200);
  expect(calm.waitMs(200)).toBe(1000);
  expect(calm.waitMs(1199)).toBe(1);
  expect(calm.waitMs(1200)).toBe(0);
  calm.reads(120_000);
  expect(calm.waitMs(120_000)).toBe(100);
  calm.reads(130_000);
  expect(calm.waitMs(130_000)).toBe(0);
  calm.launches(140_000, true);
  expect(calm.waitMs(140_000)).toBe(1000);
});

test('calm: not while the page computes, if it is one that tells', () => {
  const calm = new LaunchCalm();
  calm.launches(0, false);
  for (let now = 100; now <= 2000; now += 250) calm.pageBeats(now);
  expect(calm.waitMs(2000)).toBe(0);
  // A long task: silence, then a late beat.
  expect(calm.waitMs(2300)).toBe(1000);
  calm.pageBeats(4000);
  expect(calm.waitMs(4000)).toBe(1000);
  for (let now = 4250; now < 5000; now += 250) calm.pageBeats(now);
  expect(calm.waitMs(5000)).toBe(0);
  // It does not tell for ever, and a launch is over some time.
  calm.pageBeats(30_050);
  expect(calm.waitMs(30_050)).toBe(1000);
  expect(calm.waitMs(31_050)).toBe(0);
  calm.launches(60_000, false);
  expect(calm.waitMs(60_000), 'another page, long after the beats').toBe(0);
});

test('retries: one for a lost connection, three for a busy server, one refetch, stalls while there is time', () => {
  const delays = (error: unknown, left = 60_000): (number | undefined)[] => {
    const counts = noRetries();
    return [1, 2, 3, 4, 5].map(() => retryDelay(error, counts, left, middle));
  };
  const none = [undefined, undefined, undefined, undefined, undefined];
  expect(delays(new SluiceError('offline', ''))).toEqual([150, ...none.slice(1)]);
  expect(delays(new SluiceError('integrity', ''))).toEqual([0, ...none.slice(1)]);
  expect(delays(new SluiceError('read-timeout', ''))).toEqual([250, 500, 750, 1000, 1250]);
  expect(delays(new OriginError('', { retryable: true }))).toEqual([300, 600, 1200, undefined, undefined]);
  expect(delays(new OriginError('', { retryable: true, retryAfterMs: 5000 }))[0]).toBe(5000);
  expect(delays(new OriginError('', { retryable: true, retryAfterMs: 5000 }), 4000)).toEqual(none);
  expect(delays(new OriginError('404'))).toEqual(none);
  expect(delays(new SluiceError('corrupt-image', ''))).toEqual(none);
  expect(delays(new Error('a bug'))).toEqual(none);
});

test('health: by the oldest wait, over two seconds blocked, over seven unhealthy', () => {
  expect([0, 2000, 2001, 7000, 7001, 1e9].map(healthOf)).toEqual([
    'ok',
    'ok',
    'blocked',
    'blocked',
    'unhealthy',
    'unhealthy',
  ]);
});
