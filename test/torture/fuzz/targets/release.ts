import { formatRelease, parseRelease } from '../../../../src/format/release.ts';
import { fuzzTarget, must, outcomeOf } from '../fuzz-target.ts';

const words = [
  '{',
  '}',
  '"sluice"',
  ':',
  '1',
  ',',
  '"bootstrap"',
  '"sha256"',
  'null',
  '[',
  ']',
  '"bytes"',
  '-',
  'e9',
  '\\u0000',
  '"__proto__"',
];
const release = { image: 'ab'.repeat(32), bytes: 5000 };

/** The text of sluice.json. */
export const releaseText = fuzzTarget<string>({
  name: 'sluice.json',
  maxArrayBytes: 64 * 1024,
  seeds: async () => [formatRelease(release), '{"sluice":2}', '<!doctype html><title>Sign in</title>', '[]'],
  mutate: (text, mutator) => mutator.text(text, words),
  run: (text) =>
    outcomeOf(() => {
      const { image, bytes } = parseRelease(text);
      must(
        /^[0-9a-f]{64}$/.test(image) && bytes > 0 && bytes <= 2 ** 32 + 127,
        () => 'a release names a file that can be',
      );
      return 'release';
    }),
  show: (text) => JSON.stringify(text),
});
