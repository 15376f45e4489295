import { expect, test } from '@playwright/test';
import { parseRange } from '../../sw/range.ts';

const one = (start: number, end: number) => ({ kind: 'one', start, end });
const none = { kind: 'none' };
const several = { kind: 'several' };
const unsatisfiable = { kind: 'unsatisfiable' };

/** [header, what 256 bytes answer] */
const cases: readonly (readonly [string | null, object])[] = [
  // RFC 9110 14.1.2: from, to.
  ['bytes=0-0', one(0, 1)],
  ['bytes=0-99', one(0, 100)],
  ['bytes=10-10', one(10, 11)],
  ['bytes=0-255', one(0, 256)],
  ['bytes=255-255', one(255, 256)],
  ['bytes=00-007', one(0, 8)],
  // Past the end: clamped, never 416 (workbox) and never a Content-Range past the end.
  ['bytes=0-256', one(0, 256)],
  ['bytes=0-999', one(0, 256)],
  ['bytes=255-99999999999999999999999', one(255, 256)],
  // Open end.
  ['bytes=0-', one(0, 256)],
  ['bytes=100-', one(100, 256)],
  ['bytes=255-', one(255, 256)],
  // Suffix (sirv gives the first bytes).
  ['bytes=-1', one(255, 256)],
  ['bytes=-5', one(251, 256)],
  ['bytes=-256', one(0, 256)],
  ['bytes=-257', one(0, 256)],
  ['bytes=-99999999999999999999999', one(0, 256)],
  // Nothing of it is there: 416, never an empty 206.
  ['bytes=256-', unsatisfiable],
  ['bytes=256-256', unsatisfiable],
  ['bytes=300-', unsatisfiable],
  ['bytes=300-400', unsatisfiable],
  ['bytes=99999999999999999999999-', unsatisfiable],
  ['bytes=-0', unsatisfiable],
  ['bytes=-000', unsatisfiable],
  // Several.
  ['bytes=0-0,2-3', several],
  ['bytes=0-0, -1', several],
  ['bytes=300-, 0-1', several],
  ['bytes=300-,400-500,-0', unsatisfiable],
  // Lists: optional white space and empty elements are allowed (RFC 9110 5.6.1).
  ['bytes= 0-1', one(0, 2)],
  ['bytes=0-1 ', one(0, 2)],
  ['bytes=0-1,', one(0, 2)],
  ['bytes=,0-1', one(0, 2)],
  ['bytes=\t0-1\t', one(0, 2)],
  // Units are compared without case; others are ignored.
  ['Bytes=0-1', one(0, 2)],
  ['BYTES=-1', one(255, 256)],
  ['items=0-1', none],
  ['bytess=0-1', none],
  ['kbytes=0-1', none],
  // Malformed: ignored as a whole.
  [null, none],
  ['', none],
  ['bytes', none],
  ['bytes=', none],
  ['bytes=,', none],
  ['bytes=-', none],
  ['bytes=5', none],
  ['bytes=a-b', none],
  ['bytes=1-b', none],
  ['bytes=0x1-2', none],
  ['bytes=1.5-2', none],
  ['bytes=+1-2', none],
  ['bytes=1e1-', none],
  ['bytes=--5', none],
  ['bytes=-5-', none],
  ['bytes=1-2-3', none],
  ['bytes=0 - 1', none],
  ['bytes =0-1', none],
  ['bytes:0-1', none],
  ['0-1', none],
  ['bytes=0-1;2-3', none],
  ['bytes=0-1,junk', none],
  ['bytes=٠-١', none],
  // The last before the first.
  ['bytes=5-4', none],
  ['bytes=300-299', none],
  ['bytes=0-1,5-4', none],
  ['bytes=99999999999999999999999-99999999999999999999998', none],
  ['bytes=99999999999999999999998-99999999999999999999999', unsatisfiable],
];

for (const [header, expected] of cases) {
  test(`Range: ${header} of 256 bytes`, () => {
    expect(parseRange(header, 256)).toEqual(expected);
  });
}

test('an empty file has no range to give', () => {
  expect(parseRange('bytes=0-', 0)).toEqual(unsatisfiable);
  expect(parseRange('bytes=0-0', 0)).toEqual(unsatisfiable);
  expect(parseRange('bytes=-0', 0)).toEqual(unsatisfiable);
  // Satisfiable by definition, but there is no Content-Range for it.
  expect(parseRange('bytes=-5', 0)).toEqual(none);
});

test('every range of a small file, against counting', () => {
  const size = 5;
  for (let first = 0; first <= 7; first++) {
    for (let last = 0; last <= 7; last++) {
      const inside = [...Array(size).keys()].filter((byte) => byte >= first && byte <= last);
      const expected =
        last < first ? none : inside.length === 0 ? unsatisfiable : one(inside[0]!, inside.at(-1)! + 1);
      expect(parseRange(`bytes=${first}-${last}`, size), `${first}-${last}`).toEqual(expected);
    }
  }
});

test('offsets beyond 4 GiB are exact', () => {
  const size = 2 ** 40;
  expect(parseRange(`bytes=${size - 1}-`, size)).toEqual(one(size - 1, size));
  expect(parseRange('bytes=4294967296-4294967297', size)).toEqual(one(4294967296, 4294967298));
});
