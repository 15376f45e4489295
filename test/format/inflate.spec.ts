import { deflateRawSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { inflate } from '../../src/format/inflate.ts';
import { noise } from '../support/random.ts';

const corrupt = { code: 'corrupt-image' };

test('inflates to exactly what was deflated', async () => {
  for (const logical of [new Uint8Array(0), noise(1, 1), noise(2, 300_000), new Uint8Array(3_000_000)]) {
    const inflated = await inflate(new Uint8Array(deflateRawSync(logical)), logical.length);
    expect(Buffer.compare(inflated, logical)).toBe(0);
  }
});

test('another length, a cut, other bytes: corrupt', async () => {
  const logical = noise(3, 20_000).map((byte) => byte & 15);
  const deflated = new Uint8Array(deflateRawSync(logical));
  await expect(inflate(deflated, 19_999)).rejects.toMatchObject(corrupt);
  await expect(inflate(deflated, 20_001)).rejects.toMatchObject(corrupt);
  await expect(inflate(deflated, 2 ** 32 - 1)).rejects.toMatchObject(corrupt);
  await expect(inflate(deflated.subarray(0, 5000), 20_000)).rejects.toMatchObject(corrupt);
  await expect(inflate(new Uint8Array(0), 20_000)).rejects.toMatchObject(corrupt);
  await expect(inflate(noise(4, 1000), 20_000)).rejects.toMatchObject(corrupt);
});

test('a bomb is stopped at the length announced', async () => {
  const bomb = new Uint8Array(deflateRawSync(new Uint8Array(200_000_000)));
  await expect(inflate(bomb, 1000)).rejects.toMatchObject(corrupt);
});
