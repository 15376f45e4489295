import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import { decodeSuperblock, encodeSuperblock, type Superblock } from '../../src/format/superblock.ts';
import { utf8Encode } from '../../src/format/utf8.ts';

const superblock: Superblock = {
  compat: 1,
  incompat: 7,
  bodyStoredLength: 1000,
  bodyLength: 2000,
  fallbackInode: 3,
  logicalBytes: 5 * 2 ** 32 + 7,
  storedBytes: 2 ** 33,
  inodeOffset: 0,
  inodeCount: 1,
  direntOffset: 40,
  direntCount: 2,
  extentOffset: 64,
  extentCount: 3,
  blobOffset: 160,
  blobCount: 4,
  stringOffset: 480,
  stringCount: 5,
  nameOffset: 520,
  nameLength: 6,
  launchBlob: 2,
  launchBlock: 17,
  launchBytes: 2 ** 32 + 9,
};

/** The superblock with some bytes changed and, unless told otherwise, its checksum made right again. */
function changed(at: number, bytes: readonly number[], seal = true): Uint8Array<ArrayBuffer> {
  const encoded = encodeSuperblock(superblock);
  encoded.set(bytes, at);
  if (seal) new DataView(encoded.buffer).setUint32(124, crc32(encoded.subarray(0, 124)), true);
  return encoded;
}

test('a superblock reads back, sizes over 4 GiB included', () => {
  expect(decodeSuperblock(encodeSuperblock(superblock))).toMatchObject(superblock);
  // The rest of the file does not matter to it, nor where in memory it lies.
  const moved = new Uint8Array(300);
  moved.set(encodeSuperblock(superblock), 13);
  expect(decodeSuperblock(moved.subarray(13))).toMatchObject(superblock);
});

test('other bytes are not an image', () => {
  const others = [
    new Uint8Array(0),
    new Uint8Array(128),
    utf8Encode('<!doctype html><html></html>'.repeat(9)),
    changed(1, [0]),
  ];
  for (const other of others) {
    expect(() => decodeSuperblock(other)).toThrow(expect.objectContaining({ code: 'not-an-image' }));
  }
});

test('every flipped bit behind the magic is corruption', () => {
  const codes = new Set<unknown>();
  const encoded = encodeSuperblock(superblock);
  for (let bit = 8 * 8; bit < 128 * 8; bit++) {
    encoded[bit >> 3]! ^= 1 << (bit & 7);
    try {
      codes.add(decodeSuperblock(encoded));
    } catch (error) {
      codes.add((error as { code: string }).code);
    }
    encoded[bit >> 3]! ^= 1 << (bit & 7);
  }
  expect([...codes]).toEqual(['corrupt-image']);
  expect(() => decodeSuperblock(encoded.subarray(0, 127))).toThrow(
    expect.objectContaining({ code: 'corrupt-image' }),
  );
});

test('a newer version and unknown incompat bits are refused by name, unknown compat bits ignored', () => {
  const refusal = (message: RegExp) =>
    expect.objectContaining({ code: 'unsupported-image', message: expect.stringMatching(message) });
  expect(() => decodeSuperblock(changed(8, [2]))).toThrow(refusal(/version 2/));
  expect(() => decodeSuperblock(changed(20, [0x0f]))).toThrow(refusal(/: incompat bit 3$/));
  expect(() => decodeSuperblock(changed(20, [0, 0, 1, 0x80]))).toThrow(
    refusal(/: incompat bit 16, incompat bit 31$/),
  );
  expect(decodeSuperblock(changed(16, [0xff, 0xff, 0xff, 0xff])).compat).toBe(0xffffffff);
});

test('sizes above 2^53 and another superblock size are corrupt', () => {
  const corrupt = expect.objectContaining({ code: 'corrupt-image' });
  expect(() => decodeSuperblock(changed(46, [0x20]))).toThrow(corrupt);
  expect(() => decodeSuperblock(changed(12, [127]))).toThrow(corrupt);
});
