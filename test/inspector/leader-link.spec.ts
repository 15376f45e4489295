import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { InspectorHome } from '../../src/inspector/home.ts';
import { LeaderLink } from '../../src/inspector/service/leader-link.ts';
import type { LoaderService } from '../../src/loader/loader-service.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import type { ByteRange } from '../../src/protocol/loader-api.ts';
import { ManualClock } from '../loader/manual-clock.ts';
import { until } from '../support/until.ts';
import { Leaders } from './leaders.ts';

/** A panel's link to a site. */
function rig({ home = {} }: { readonly home?: Partial<InspectorHome> } = {}) {
  const leaders = new Leaders();
  const clock = new ManualClock();
  /** Who has begun to lead. */
  const told: string[] = [];
  const link = new LeaderLink({
    home: { ...leaders.home, ...home },
    scope: leaders.scope,
    clock,
    onLeader: () => told.push(link.leader!),
  });
  return {
    leaders,
    clock,
    link,
    told,
    async [Symbol.asyncDispose]() {
      link.close();
      await leaders[Symbol.asyncDispose]();
    },
  };
}

/** A service that says whose it is, counts its questions, and answers when it is let. */
function flusher(answer: () => Promise<void> = async () => {}) {
  const service = {
    asked: 0,
    flush(): Promise<void> {
      service.asked += 1;
      return answer();
    },
  };
  return service;
}

const flush = (service: LoaderService): Promise<void> => service.flush();
const never = (): Promise<never> => new Promise(() => {});
/** As a leader that closes answers what is still asked. */
const closed = (): Promise<never> => Promise.reject(new SluiceError('closed', 'The loader was closed'));

/** Resolves with what the promise rejects with. */
const failure = (work: Promise<unknown>): Promise<SluiceError> =>
  work.then(
    () => {
      throw new Error('It was answered');
    },
    (error) => error,
  );

test('the leader that is there is found, and asked', async () => {
  await using site = rig();
  const service = flusher();
  await site.leaders.lead('one', service);
  await site.link.use('flush', flush);
  expect([site.link.leader, site.told, service.asked]).toEqual(['one', ['one'], 1]);
  expect(await site.link.isLed()).toBe(true);
  expect(site.clock.timers).toBe(0);
});

test('no leader: whoever asks hears of it when the time is over, and what to do', async () => {
  await using site = rig();
  const asking = failure(site.link.use('flush', flush, 5000));
  await until(async () => site.clock.timers > 0);
  site.clock.advance(4999);
  await site.leaders.settled();
  site.clock.advance(1);
  expect(await asking).toMatchObject({
    code: 'disconnected',
    message: expect.stringContaining('open the app in a tab'),
  });
  expect(await site.link.isLed()).toBe(false);
  expect(site.clock.timers).toBe(0);
});

test('who asks before there is a leader is answered by the first', async () => {
  await using site = rig();
  const asking = site.link.use('flush', flush);
  await site.leaders.settled();
  const service = flusher();
  await site.leaders.lead('one', service);
  await asking;
  expect(service.asked).toBe(1);
});

test('the leader changes in the middle of a question: the next one is asked the same', async () => {
  await using site = rig();
  const [first, second] = [flusher(never), flusher()];
  const one = await site.leaders.lead('one', first);
  const asking = site.link.use('flush', flush);
  await until(async () => first.asked === 1);
  one.die();
  await site.leaders.lead('two', second);
  await asking;
  expect([site.link.leader, second.asked]).toEqual(['two', 1]);
  expect(site.told).toEqual(['one', 'two']);
});

test('a leader that closes is not asked again, though it may still say that it leads; the next one is', async () => {
  await using site = rig();
  const service = flusher(closed);
  const one = await site.leaders.lead('one', service);
  const asking = site.link.use('flush', flush);
  await until(async () => service.asked === 1);
  await site.leaders.settled();
  one.announce();
  await site.leaders.settled();
  expect(service.asked).toBe(1);
  one.die();
  await site.leaders.lead('two', flusher());
  await asking;
  expect([service.asked, site.link.leader]).toEqual([1, 'two']);
});

test('where none comes after one that closes, the time ends it', async () => {
  await using site = rig();
  const service = flusher(closed);
  await site.leaders.lead('one', service);
  const asking = failure(site.link.use('flush', flush, 5000));
  await until(async () => service.asked > 0);
  await site.leaders.settled();
  site.clock.advance(5000);
  expect(await asking).toMatchObject({ code: 'disconnected' });
  expect(service.asked).toBe(1);
});

test('a late word of an older leader is not believed', async () => {
  await using site = rig();
  const old = flusher();
  const one = await site.leaders.lead('one', old);
  await site.link.use('flush', flush);
  one.die();
  const service = flusher();
  await site.leaders.lead('two', service);
  await until(async () => site.link.leader === 'two');
  one.announce();
  await site.leaders.settled();
  await site.link.use('flush', flush);
  expect([site.link.leader, old.asked, service.asked]).toEqual(['two', 1, 1]);
});

test('an answer of an older leader that comes late is nobody’s', async () => {
  await using site = rig();
  const { promise: late, resolve: answer } = deferred<readonly ByteRange[]>();
  const one = await site.leaders.lead('one', { filledRanges: () => late });
  const asking = site.link.use('filledRanges', (service) => service.filledRanges('ab'.repeat(32), 'path'));
  await site.leaders.settled();
  // It lives on for a moment.
  one.unlock();
  const two = never();
  await site.leaders.lead('two', { filledRanges: () => two });
  await until(async () => site.link.leader === 'two');
  answer([{ start: 0, end: 1 }]);
  await site.leaders.settled();
  site.clock.advance(10_000);
  expect(await failure(asking)).toMatchObject({ code: 'call-timeout' });
});

test('a question that is never answered ends, and the leader is asked again when it speaks', async () => {
  await using site = rig();
  let isSilent = true;
  const service = flusher(() => (isSilent ? never() : Promise.resolve()));
  await site.leaders.lead('one', service);
  const asking = failure(site.link.use('flush', flush));
  await until(async () => service.asked === 1);
  site.clock.advance(10_000);
  expect(await asking).toMatchObject({ code: 'call-timeout' });
  site.link.forget();
  isSilent = false;
  await site.link.use('flush', flush);
  expect([site.link.leader, service.asked]).toEqual(['one', 2]);
});

test('a lock that is never granted ends the question as no leader would', async () => {
  await using site = rig({ home: { holdLock: never } });
  await site.leaders.lead('one', flusher());
  const asking = failure(site.link.use('flush', flush, 5000));
  await site.leaders.settled();
  site.clock.advance(5000);
  expect(await asking).toMatchObject({ code: 'call-timeout', message: expect.stringContaining('Lock') });
  expect(site.clock.timers).toBe(0);
});

test('a lock that is refused is told to whoever asks', async () => {
  const refused = new SluiceError('unreadable', 'This page has no Web Locks');
  await using site = rig({ home: { holdLock: () => Promise.reject(refused) } });
  await site.leaders.lead('one', flusher());
  expect(await failure(site.link.use('flush', flush))).toBe(refused);
});

test('closed: who waits hears of it, the lock is let go of, nothing is posted any more', async () => {
  await using site = rig();
  const asking = failure(site.link.use('flush', flush));
  await until(async () => site.clock.timers > 0);
  site.link.close();
  site.link.close();
  expect(await asking).toMatchObject({ code: 'closed' });
  expect(site.clock.timers).toBe(0);
  await until(async () => (await site.leaders.locks.query()).held!.length === 0);
  await site.leaders.settled();
  const { asked } = site.leaders;
  site.link.look();
  await site.leaders.lead('one', flusher());
  await site.leaders.settled();
  expect(site.leaders.asked).toBe(asked);
  expect(site.told).toEqual([]);
  expect(await failure(site.link.use('flush', flush))).toMatchObject({ code: 'closed' });
});
