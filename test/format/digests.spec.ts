import { createHash } from 'node:crypto';
import { crc32 as nodeCrc32 } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import { fromHex, hex, isSha256Hex, sha256 } from '../../src/format/sha256.ts';
import { compareBytes, utf8Decode, utf8Encode } from '../../src/format/utf8.ts';
import { noise, seededRandom } from '../support/random.ts';

test('CRC-32 is the one of zip, and can be chained', () => {
  expect(crc32(utf8Encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
  for (const length of [1, 3, 255, 10_000]) {
    const bytes = noise(length, length);
    expect(crc32(bytes)).toBe(nodeCrc32(bytes));
    const cut = length >> 1;
    expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes));
  }
});

test('SHA-256 and hex', async () => {
  const bytes = noise(1, 1000);
  const text = hex(await sha256(bytes.subarray(10)));
  expect(text).toBe(createHash('sha256').update(bytes.subarray(10)).digest('hex'));
  expect(isSha256Hex(text)).toBe(true);
  expect(fromHex(text)).toEqual(await sha256(bytes.subarray(10)));
  for (const bad of ['0', 'AB', 'g0', '00 ', '00\n']) expect(fromHex(bad), bad).toBeUndefined();
  for (const bad of [text.toUpperCase(), text.slice(1), `${text}0`, `${text}\n`, ''])
    expect(isSha256Hex(bad)).toBe(false);
});

test('UTF-8: only what is well-formed, a byte order mark kept', () => {
  expect(utf8Decode(utf8Encode('\ufeffgröße 🎲'))).toBe('\ufeffgröße 🎲');
  for (const bad of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80]])
    expect(utf8Decode(Uint8Array.from(bad))).toBeUndefined();
});

test('byte strings are ordered as memcmp orders them', () => {
  const random = seededRandom(2);
  const strings = Array.from({ length: 300 }, () =>
    noise(random() * 1e9, Math.floor(random() * 4)).map((byte) => byte & 3),
  );
  const wrong = strings.flatMap((a) =>
    strings.filter((b) => Math.sign(compareBytes(a, b)) !== Buffer.compare(a, b)),
  );
  expect(wrong).toEqual([]);
});
