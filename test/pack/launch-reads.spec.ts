import { expect, test } from '@playwright/test';
import { launchReads, type TraceRead } from '../../src/pack/launch-reads.ts';
import { tracePaths } from '../../src/pack/trace-paths.ts';
import type { TreeFile } from '../../src/pack/tree.ts';

function file(path: string, size = 100_000): TreeFile {
  return { kind: 'file', name: path.split('/').at(-1)!, path, source: `/${path}`, size };
}

/** What the paths of a trace mean in a tree of `files`. */
function meant(files: readonly string[], traced: readonly string[]): Record<string, string> {
  const found = tracePaths(
    files.map((path) => file(path)),
    traced,
  );
  return Object.fromEntries(Array.from(found, ([path, { path: now }]) => [path, now]));
}

test('a path means the file of that name, with or without a slash in front', () => {
  expect(meant(['a.js', 'b/c.js'], ['/a.js', 'b/c.js', 'c.js', '', '/', 'b'])).toEqual({
    '/a.js': 'a.js',
    'b/c.js': 'b/c.js',
  });
});

test('a file whose name changed only in the hash of its content is found, where just one fits', () => {
  const pairs: [now: string, then: string][] = [
    ['assets/index-BxK3d2_a.js', 'assets/index-Cz91mPq0.js'],
    ['main.3f9a2c1e.chunk.js', 'main.77b0d3aa.chunk.js'],
    ['app.min-0123abcd.css', 'app.min-ffff0000.css'],
    ['runtime.a1b2c3d4e5f6a7b8.wasm', 'runtime.ffeeddccbbaa9988.wasm'],
    ['index-DkQXyZab.js', 'index-QwErTyUi.js'],
  ];
  for (const [now, then] of pairs) expect(meant([now], [then]), then).toEqual({ [then]: now });
  const others: [now: string, then: string][] = [
    // Words, another directory, extension, stem or length.
    ['my-calendars.js', 'my-component.js'],
    ['b/app.3f9a2c1e.js', 'a/app.77b0d3aa.js'],
    ['app.3f9a2c1e.js', 'app.77b0d3aa.ts'],
    ['app.3f9a2c1e.js', 'abc.77b0d3aa.js'],
    ['app.3f9a2c1e.js', 'app.77b0d3aa0.js'],
    ['3f9a2c1e.js', '77b0d3aa.js'],
  ];
  for (const [now, then] of others) expect(meant([now], [then]), then).toEqual({});
});

test('where several files or several paths fit, none is meant', () => {
  const [x, y, z] = ['chunk-a1b2c3d4.js', 'chunk-e5f6a7b8.js', 'chunk-99aa88bb.js'] as const;
  expect(meant([x, y], [z])).toEqual({});
  expect(meant([x], [y, z])).toEqual({});
  // One that the trace names as it is is not free.
  expect(meant([x, y], [y, z])).toEqual({ [y]: y, [z]: x });
});

/** Whether `a.bin` was read whole, and the ranges that count. */
function read(...reads: readonly Omit<TraceRead, 'path'>[]): {
  whole: boolean | undefined;
  ranges: string[];
} {
  const files = [file('a.bin')];
  const { orders, whole } = launchReads(files, [{ reads: reads.map((one) => ({ path: 'a.bin', ...one })) }]);
  return {
    whole: whole.get(files[0]!),
    ranges: orders.flat().map(({ start, end }) => `${start}-${end}`),
  };
}

test('ranges count as far as they lie in the file; nine tenths of it are all of it', () => {
  const size = 100_000;
  expect(read({ start: 5, end: 9, size }, { start: 0, end: 6, size })).toEqual({
    whole: false,
    ranges: ['5-9', '0-6'],
  });
  const all = { whole: true, ranges: ['0-100000', '0-100000'] };
  expect(read({ start: 50_000, end: 100_000, size }, { start: 10_000, end: 60_000, size })).toEqual(all);
  expect(read({ start: 50_000, end: 100_000, size }, { start: 10_001, end: 60_000, size }).whole).toBe(false);
  // The same bytes twice are no more bytes.
  expect(read({ start: 0, end: 50_000, size }, { start: 0, end: 50_000, size }).whole).toBe(false);
  // It has grown, or shrunk, since: "whole" is told by what it was.
  expect(read({ start: 0, end: 60_000, size: 60_000 }).whole).toBe(true);
  expect(read({ start: 90_000, end: 200_000, size: 900_000 })).toEqual({
    whole: false,
    ranges: ['90000-100000'],
  });
  expect(read({ start: 200_000, end: 300_000, size: 900_000 })).toEqual({ whole: false, ranges: [] });
});

test('a trace that tells no ranges means whole files; tables and ranges that are none say nothing', () => {
  expect(read({})).toEqual({ whole: true, ranges: ['0-100000'] });
  expect(read({}, { start: 0, end: 5 })).toEqual({ whole: false, ranges: ['0-5'] });
  expect(read({ block: -1 })).toEqual({ whole: undefined, ranges: [] });
  expect(
    read({ start: 0, end: 5 }, { start: 9, end: 5 }, { start: -1, end: 3 }, { start: 0.5, end: 3 }),
  ).toEqual({
    whole: false,
    ranges: ['0-5'],
  });
});

test('several traces count together', () => {
  const files = [file('a.bin')];
  const half = (start: number) => ({ reads: [{ path: 'a.bin', start, end: start + 50_000, size: 100_000 }] });
  expect([...launchReads(files, [half(0), half(50_000)]).whole.values()]).toEqual([true]);
  expect([...launchReads(files, [half(0), half(0)]).whole.values()]).toEqual([false]);
});
