import { expect, test } from '@playwright/test';
import { parseByteRange } from '../../src/cli/byte-range.ts';

const cases: [
  header: string,
  size: number,
  expected: [start: number, end: number] | 'unsatisfiable' | undefined,
][] = [
  ['bytes=0-0', 256, [0, 1]],
  ['bytes=0-1', 256, [0, 2]],
  ['bytes=10-19', 256, [10, 20]],
  ['bytes=255-255', 256, [255, 256]],
  ['bytes=0-', 256, [0, 256]],
  ['bytes=100-', 256, [100, 256]],
  ['bytes=0-255', 256, [0, 256]],
  ['bytes=0-256', 256, [0, 256]],
  ['bytes=0-999', 256, [0, 256]],
  ['bytes=200-99999999999999999999999', 256, [200, 256]],
  ['bytes=-5', 256, [251, 256]],
  ['bytes=-256', 256, [0, 256]],
  ['bytes=-999', 256, [0, 256]],
  ['BYTES= 1-2 ', 256, [1, 3]],
  ['bytes=-0', 256, 'unsatisfiable'],
  ['bytes=256-', 256, 'unsatisfiable'],
  ['bytes=300-', 256, 'unsatisfiable'],
  ['bytes=99999999999999999999999-', 256, 'unsatisfiable'],
  ['bytes=0-0', 0, 'unsatisfiable'],
  ['bytes=-5', 0, 'unsatisfiable'],
  ['bytes=5-4', 256, undefined],
  ['bytes=-', 256, undefined],
  ['bytes=', 256, undefined],
  ['bytes=a-b', 256, undefined],
  ['bytes=1-2,4-5', 256, undefined],
  ['items=0-5', 256, undefined],
  ['bytes=0x1-2', 256, undefined],
  ['', 256, undefined],
];

for (const [header, size, expected] of cases) {
  test(`"${header}" of ${size}`, () => {
    const range = parseByteRange(header, size);
    const plain = typeof range === 'object' ? [range.start, range.end] : range;
    expect(plain).toEqual(expected);
  });
}
