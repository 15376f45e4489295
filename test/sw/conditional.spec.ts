import { expect, test } from '@playwright/test';
import { isNotModified, isOfAnother, rangeCounts } from '../../sw/conditional.ts';

const etag = '"abc"';

for (const [ifNoneMatch, expected] of [
  [null, false],
  ['"abc"', true],
  ['W/"abc"', true],
  ['"abd"', false],
  ['"ab"', false],
  ['"x", "abc"', true],
  ['"x","abc","y"', true],
  ['"x" , W/"abc"', true],
  ['"x,"abc""', false],
  ['"a,b", "c"', false],
  ['*', true],
  [' * ', true],
  ['"*"', false],
  ['abc', false],
  ['', false],
] as const) {
  test(`If-None-Match: ${ifNoneMatch} → ${expected ? 304 : 'as without'}`, () => {
    expect(isNotModified({ ifNoneMatch, ifRange: null }, etag)).toBe(expected);
  });
}

test('a tag with a comma in it is one tag', () => {
  expect(isNotModified({ ifNoneMatch: '"x", "a,b"', ifRange: null }, '"a,b"')).toBe(true);
});

test('a weak tag of ours still matches weakly', () => {
  expect(isNotModified({ ifNoneMatch: '"abc"', ifRange: null }, 'W/"abc"')).toBe(true);
});

for (const [ifRange, expected] of [
  [null, true],
  ['"abc"', true],
  [' "abc" ', true],
  ['W/"abc"', false],
  ['"abd"', false],
  ['abc', false],
  ['"abc", "abd"', false],
  ['*', false],
  ['', false],
  ['Wed, 21 Oct 2015 07:28:00 GMT', false],
] as const) {
  test(`If-Range: ${ifRange} → the range ${expected ? 'counts' : 'is ignored'}`, () => {
    expect(rangeCounts({ ifNoneMatch: null, ifRange }, etag)).toBe(expected);
  });
}

test('If-Range never matches a weak tag', () => {
  expect(rangeCounts({ ifNoneMatch: null, ifRange: 'W/"abc"' }, 'W/"abc"')).toBe(false);
});

for (const [ifMatch, expected] of [
  [null, false],
  ['*', false],
  ['"abc"', false],
  ['"x", "abc"', false],
  ['W/"abc"', true],
  ['"abd"', true],
  ['"*"', true],
  ['abc', true],
  ['', true],
] as const) {
  test(`If-Match: ${ifMatch} → ${expected ? 412 : 'as without'}`, () => {
    expect(isOfAnother(ifMatch, etag)).toBe(expected);
  });
}

test('If-Match never matches a weak tag', () => {
  expect(isOfAnother('W/"abc"', 'W/"abc"')).toBe(true);
});
