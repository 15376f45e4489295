import { expect, test } from '@playwright/test';
import { judgeAnswer } from '../../src/source/answer.ts';
import { isExactContentRange } from '../../src/source/content-range.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import { parseRetryAfter } from '../../src/source/retry-after.ts';

const file = { sha256: 'ab'.repeat(32), length: 1000 };
const request = {
  file,
  start: 100,
  end: 200,
  priority: 'high' as const,
  signal: new AbortController().signal,
};
const url = `https://host.example/app/${file.sha256}.bin`;

function judge(status: number, headers: Record<string, string>, final = url) {
  return judgeAnswer(
    { status, url: final, redirected: final !== url, headers: new Headers(headers) },
    request,
    0,
  );
}

test('Content-Range must be exact', () => {
  expect(isExactContentRange('bytes 100-199/1000', 100, 200, 1000)).toBe(true);
  expect(isExactContentRange('bytes 100-199/*', 100, 200, 1000)).toBe(true);
  for (const wrong of [
    null,
    '',
    'bytes 100-200/1000',
    'bytes 99-199/1000',
    'bytes 100-198/1000',
    'bytes 100-199/1001',
    'bytes */1000',
    '100-199/1000',
    'bytes 100-199/1000, bytes 300-399/1000',
  ]) {
    expect(isExactContentRange(wrong, 100, 200, 1000), String(wrong)).toBe(false);
  }
});

test('Retry-After in seconds and as a date', () => {
  expect(parseRetryAfter('0', 5)).toBe(0);
  expect(parseRetryAfter(' 120 ', 5)).toBe(120_000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000)).toBe(6000);
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 40_000)).toBe(0);
  expect(parseRetryAfter('soon', 5)).toBeUndefined();
  expect(parseRetryAfter(null, 5)).toBeUndefined();
});

test('a right 206 is partial, a right 200 is whole', () => {
  expect(judge(206, { 'content-range': 'bytes 100-199/1000' }).kind).toBe('partial');
  expect(judge(206, { 'content-range': 'bytes 100-199/1000', 'content-length': '100' }).kind).toBe('partial');
  expect(judge(200, { 'content-length': '1000' }).kind).toBe('whole');
  expect(judge(200, {}).kind).toBe('whole');
  expect(judge(200, { 'content-length': '37', 'content-encoding': 'gzip' }).kind).toBe('whole');
});

test('a 206 that cannot be used leads to the whole file', () => {
  const right = { 'content-range': 'bytes 100-199/1000' };
  expect(judge(206, {}).kind).toBe('no-ranges');
  expect(judge(206, { ...right, 'content-encoding': 'gzip' }).kind).toBe('no-ranges');
  expect(judge(206, { ...right, 'content-length': '99' }).kind).toBe('no-ranges');
});

test('answers that are neither are refused', () => {
  expect(() => judge(200, { 'content-length': '999' })).toThrow(OriginError);
  expect(() => judge(200, { 'content-type': 'Text/HTML; charset=utf-8' })).toThrow(OriginError);
  expect(() => judge(206, { 'content-type': 'text/html', 'content-range': 'bytes 100-199/1000' })).toThrow(
    OriginError,
  );
  expect(() => judge(200, {}, 'https://portal.example/login')).toThrow(OriginError);
  expect(() => judge(204, {})).toThrow(OriginError);
});

test('a redirect to a file of the same name is a CDN', () => {
  expect(judge(200, {}, `https://cdn.example/x/${file.sha256}.bin?token=1`).kind).toBe('whole');
});
