import { expect, test } from '@playwright/test';
import { formatRelease, parseRelease } from '../../src/format/release.ts';

const image = '0123456789abcdef'.repeat(4);

test('a release pointer reads back and is one line of JSON', () => {
  const text = formatRelease({ image, bytes: 12345 });
  expect(text).toBe(`{"sluice":1,"bootstrap":{"sha256":"${image}","bytes":12345}}\n`);
  expect(parseRelease(text)).toEqual({ image, bytes: 12345 });
});

test('fields that are not known are ignored', () => {
  const text = JSON.stringify({ x: 1, sluice: 1, bootstrap: { sha256: image, bytes: 1, y: 2 } });
  expect(parseRelease(text)).toEqual({ image, bytes: 1 });
});

const wrong: Record<string, readonly string[]> = {
  'not-an-image': ['', '<!doctype html>', 'null', '1', '[]', '{}', '{"sluice":"1"}', '{"sluice":1'],
  'unsupported-image': ['{"sluice":2}', '{"sluice":1.5}'],
  'corrupt-image': [
    { sluice: 1 },
    { sluice: 1, bootstrap: null },
    { sluice: 1, bootstrap: { sha256: image.toUpperCase(), bytes: 1 } },
    { sluice: 1, bootstrap: { sha256: '../../etc/passwd', bytes: 1 } },
    { sluice: 1, bootstrap: { sha256: image } },
    { sluice: 1, bootstrap: { sha256: image, bytes: 0 } },
    { sluice: 1, bootstrap: { sha256: image, bytes: 1.5 } },
    { sluice: 1, bootstrap: { sha256: image, bytes: '1' } },
    { sluice: 1, bootstrap: { sha256: image, bytes: 1e15 } },
  ].map((value) => JSON.stringify(value)),
};

for (const [code, texts] of Object.entries(wrong)) {
  test(`what is ${code}`, () => {
    for (const text of texts)
      expect(() => parseRelease(text), text).toThrow(expect.objectContaining({ code }));
  });
}
