import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { failureText } from '../../src/inspector/model/failure-text.ts';
import { simulated } from '../../src/inspector/model/simulation.ts';
import { type TaskControl, Tasks } from '../../src/inspector/model/tasks.ts';
import { noSwitches } from '../../src/protocol/inspection.ts';

const explain = (error: unknown) => ({ kind: 'bad', text: failureText(error) }) as const;

test('a task is seen with its progress while it runs, and then with what it came to', async () => {
  const tasks = new Tasks();
  const seen: unknown[] = [];
  const unwatch = tasks.watch(() => seen.push(tasks.running.map(({ title, progress }) => [title, progress])));
  const work = async ({ onProgress }: TaskControl) => {
    onProgress(1, 4);
    return { kind: 'good', text: 'All is well.' } as const;
  };
  expect(await tasks.run('Check', work, explain)).toMatchObject({ kind: 'good', findings: [] });
  expect(seen).toEqual([[['Check', undefined]], [['Check', { done: 1, of: 4 }]], []]);
  expect(tasks.results).toMatchObject([{ title: 'Check', text: 'All is well.' }]);
  unwatch();
  await tasks.run('Another', work, explain);
  expect(seen).toHaveLength(3);
  expect(tasks.results.map(({ title }) => title)).toEqual(['Another', 'Check']);
});

test('a task that fails is told with code and remedy; one that is cancelled is no failure', async () => {
  const tasks = new Tasks();
  const failing = () => Promise.reject(new SluiceError('integrity', 'Block 5 is bad'));
  const { kind, text } = await tasks.run('Save', failing, explain);
  expect(kind).toBe('bad');
  expect(text).toMatch(/^Block 5 is bad\. \(integrity\) .*fsck/);

  const waiting = ({ signal }: TaskControl) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const cancelled = tasks.run('Scrub', waiting, explain);
  tasks.running[0]!.cancel();
  expect(await cancelled).toMatchObject({ kind: 'info', text: expect.stringContaining('Cancelled') });
  expect(tasks.running).toEqual([]);
});

test('what is simulated is said in words, and nothing where nothing is', () => {
  expect(simulated(noSwitches)).toEqual([]);
  const switches = { isPaused: true, isOffline: true, bytesPerSecond: 50_000, delayMs: 400, failNext: 1 };
  expect(simulated(switches)).toEqual([
    'paused',
    'offline',
    'at most 50.0 kB/s',
    'answers 400 ms later',
    'the next 1 request will fail',
  ]);
});
