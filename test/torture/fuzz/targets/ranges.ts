import { parseByteRange } from '../../../../src/cli/byte-range.ts';
import { isNotModified, rangeCounts } from '../../../../sw/conditional.ts';
import { parseRange } from '../../../../sw/range.ts';
import { fuzzTarget, must, shown } from '../fuzz-target.ts';

interface Asked {
  readonly header: string;
  readonly size: number;
}

const words = ['bytes', '=', '-', ',', ' ', '\t', '0', '9', '4095', '9007199254740993', '"', 'W/', '*', 'x'];

/** Range, If-Range and If-None-Match of requests, as the service worker and as `sluice serve` read them. */
export const ranges = fuzzTarget<Asked>({
  name: 'Range',
  maxArrayBytes: 64 * 1024,
  seeds: async () =>
    [
      'bytes=0-99',
      'bytes=5-',
      'bytes=-5',
      'bytes=0-0,4-8',
      'bytes= 1-2 , 3-4',
      '"x"',
      'W/"a", "b"',
      'items=0-1',
    ].flatMap((header) => [0, 1, 256, 2 ** 40].map((size) => ({ header, size }))),
  mutate: ({ header, size }, mutator) => ({
    header: mutator.text(header, words),
    size: mutator.random() < 0.2 ? mutator.number() : size,
  }),
  run({ header, size }) {
    const ask = parseRange(header, size);
    if (ask.kind === 'one') {
      const { start, end } = ask;
      const sound =
        Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end && end <= size;
      must(sound, () => `[${start}, ${end}) is a part of ${size} bytes`);
    }
    const served = parseByteRange(header, size);
    if (typeof served === 'object') {
      must(
        ask.kind === 'one' && ask.start === served.start && ask.end === served.end,
        () => 'both read it the same',
      );
    }
    const conditions = { ifNoneMatch: header, ifRange: header };
    return `${ask.kind} ${served === undefined} ${isNotModified(conditions, '"b"')} ${rangeCounts(conditions, '"b"')}`;
  },
  show: shown,
});
