import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { type PendingRead, PendingReads, type ReadRequest } from '../../src/loader/pending-reads.ts';
import { failure } from './engine-rig.ts';
import { ManualClock } from './manual-clock.ts';

function setUp(): { clock: ManualClock; reads: PendingReads<string>; abandoned: PendingRead[] } {
  const clock = new ManualClock();
  const abandoned: PendingRead[] = [];
  return { clock, abandoned, reads: new PendingReads(clock, (read) => abandoned.push(read)) };
}

function request(block: number, more: Partial<ReadRequest> = {}): ReadRequest {
  return { blob: 'b', block, path: `p${block}`, timeoutMs: 100, ...more };
}

test('serial numbers increase and are not used again; the oldest comes first', () => {
  const { clock, reads } = setUp();
  void reads.wait(request(5)).catch(() => {});
  clock.advance(10);
  void reads.wait(request(3)).catch(() => {});
  expect([...reads.all()].map(({ serial, block, since }) => ({ serial, block, since }))).toEqual([
    { serial: 1, block: 5, since: 0 },
    { serial: 2, block: 3, since: 10 },
  ]);
  reads.resolve('b', 5, 'x');
  void reads.wait(request(5)).catch(() => {});
  expect([...reads.all()].map(({ serial }) => serial)).toEqual([2, 3]);
});

test('readers of one block share an entry and are served together', async () => {
  const { reads } = setUp();
  const one = reads.wait(request(1));
  const two = reads.wait(request(1, { path: 'other' }));
  expect(reads.size).toBe(1);
  expect(reads.get('b', 1)).toMatchObject({ path: 'p1', waiters: 2 });
  reads.resolve('b', 1, 'bytes');
  expect(await Promise.all([one, two])).toEqual(['bytes', 'bytes']);
  expect(reads.size).toBe(0);
  expect(reads.resolve('b', 1, 'again')).toBeUndefined();
});

test('each reader has its own deadline; the entry lives as long as one waits', async () => {
  const { clock, reads, abandoned } = setUp();
  const short = failure(reads.wait(request(1, { timeoutMs: 50 })));
  const long = failure(reads.wait(request(1, { timeoutMs: 80 })));
  expect(reads.get('b', 1)?.deadline).toBe(80);
  clock.advance(50);
  expect((await short).code).toBe('read-timeout');
  expect(reads.get('b', 1)?.waiters).toBe(1);
  expect(abandoned).toEqual([]);
  clock.advance(30);
  const error = await long;
  expect(error.code).toBe('read-timeout');
  expect(error.path).toBe('p1');
  expect(reads.size).toBe(0);
  expect(abandoned.map(({ block }) => block)).toEqual([1]);
  expect(clock.timers).toBe(0);
});

test('a cancelled reader leaves with its reason, the others stay', async () => {
  const { clock, reads, abandoned } = setUp();
  const abort = new AbortController();
  const gone = reads.wait(request(1, { signal: abort.signal }));
  const stays = reads.wait(request(1));
  abort.abort(new Error('went away'));
  await expect(gone).rejects.toThrow('went away');
  expect(abandoned).toEqual([]);
  reads.resolve('b', 1, 'bytes');
  expect(await stays).toBe('bytes');
  await expect(reads.wait(request(2, { signal: abort.signal }))).rejects.toThrow('went away');
  expect(clock.timers).toBe(0);
});

test('a timeout of 0 fails at once, without an entry', async () => {
  const { reads } = setUp();
  expect((await failure(reads.wait(request(1, { timeoutMs: 0 })))).code).toBe('read-timeout');
  expect(reads.size).toBe(0);
});

test('a failure is told to all readers; the next read begins anew', async () => {
  const { reads } = setUp();
  const waiting = [failure(reads.wait(request(1))), failure(reads.wait(request(2)))];
  reads.reject('b', 1, new SluiceError('integrity', 'bad'));
  reads.rejectAll(new SluiceError('closed', 'over'));
  expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(['integrity', 'closed']);
  void reads.wait(request(1)).catch(() => {});
  expect(reads.get('b', 1)?.retries).toEqual({ offline: 0, refused: 0, stalled: 0, mismatched: 0 });
});

test('wanted ahead of readers: no serial until a reader comes, which then has the turn of one that came now', async () => {
  const { clock, reads } = setUp();
  const ahead = reads.wait(request(1, { urgency: 'background', path: 'ahead' }));
  void reads.wait(request(2)).catch(() => {});
  expect(reads.get('b', 1)).toMatchObject({ serial: 0, urgency: 'background' });
  void reads.wait(request(1, { urgency: 'launch' })).catch(() => {});
  expect(reads.get('b', 1)).toMatchObject({ serial: 0, urgency: 'launch', waiters: 2 });
  expect([...reads.readers()].map(({ block }) => block)).toEqual([2]);
  clock.advance(10);
  const abort = new AbortController();
  const reader = reads.wait(request(1, { path: 'read', signal: abort.signal }));
  expect(reads.get('b', 1)).toMatchObject({ serial: 2, urgency: 'demand', path: 'read', since: 10 });
  expect([...reads.readers()].map(({ block }) => block)).toEqual([2, 1]);
  expect(reads.lastSerial).toBe(2);
  abort.abort(new Error('gone'));
  await expect(reader).rejects.toThrow('gone');
  expect(reads.get('b', 1)?.urgency).toBe('launch');
  // The next reader is a new read.
  void reads.wait(request(1)).catch(() => {});
  expect(reads.get('b', 1)?.serial).toBe(3);
  reads.resolve('b', 1, 'bytes');
  expect(await ahead).toBe('bytes');
});
