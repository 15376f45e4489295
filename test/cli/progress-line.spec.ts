import { expect, test } from '@playwright/test';
import { ProgressLine, progressText } from '../../src/cli/progress-line.ts';
import type { PackProgress } from '../../src/pack/progress.ts';

const at = (bytes: number): PackProgress => ({
  phase: 'pack',
  files: 12,
  totalFiles: 3000,
  bytes,
  totalBytes: 80_000_000,
  storedBytes: bytes / 4,
});

test('one line with everything', () => {
  expect(progressText(at(20_000_000), 2000)).toBe(
    'packing  25 %  12 of 3,000 files  20.0 MB of 80.0 MB  5.0 MB stored  10.0 MB/s',
  );
  const walking = {
    phase: 'walk',
    files: 7,
    totalFiles: 0,
    bytes: 0,
    totalBytes: 0,
    storedBytes: 0,
  } as const;
  expect(progressText(walking, 10)).toBe('looking  7 files');
});

function output(isTTY: boolean) {
  let now = 0;
  const written: string[] = [];
  const line = new ProgressLine(
    { isTTY, columns: 30, write: (text: string) => written.push(text) },
    () => now,
  );
  return { line, written, tick: (ms: number) => (now += ms) };
}

test('a terminal has one line, at most ten times a second, cut to its width, and gone at the end', () => {
  const { line, written, tick } = output(true);
  for (let i = 0; i < 1000; i++) {
    tick(1);
    line.show(at(i * 1000));
  }
  line.clear();
  expect(written.length).toBe(11);
  for (const text of written) expect(text.startsWith('\r\x1b[2K')).toBe(true);
  for (const text of written) expect(text.length).toBeLessThanOrEqual(5 + 29);
  expect(written.at(-1)).toBe('\r\x1b[2K');
});

test('a log has a line every five seconds, and nothing for what is quick', () => {
  const { line, written, tick } = output(false);
  line.show(at(1));
  for (let i = 0; i < 12; i++) {
    tick(1000);
    line.show(at(i * 1000));
  }
  line.clear();
  expect(written.length).toBe(2);
  for (const text of written) expect(text).toMatch(/^packing .*\n$/);
});
