import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { decodeBlock } from '../../src/codec/decode-block.ts';
import { blockEncoder } from '../../src/codec/encode-block.ts';
import { startZstd } from '../../src/codec/zstd-decoder.ts';
import { zstdWasmSha256 } from '../../src/codec/zstd-wasm.ts';
import { codecId, codecNames } from '../../src/format/codec-id.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { noise, seededRandom } from '../support/random.ts';

const encoded = ['zstd', 'lz4'] as const;

/** Bytes with repetitions near and far, as real files have them. */
function textBytes(random: () => number, length: number): Uint8Array<ArrayBuffer> {
  const words = Array.from({ length: 200 }, () => noise(random() * 2 ** 32, 3 + Math.floor(random() * 20)));
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const word = words[Math.floor(random() * words.length)]!.subarray(0, length - at);
    bytes.set(word, at);
    at += word.length;
  }
  return bytes;
}

const lengths = [
  1, 2, 4, 12, 13, 14, 64, 255, 256, 4095, 4096, 65535, 65536, 65537, 262144, 1048575, 1048576,
];

for (const name of [...encoded, 'raw'] as const) {
  test(`${name}: what goes in comes out`, async () => {
    const random = seededRandom(1);
    const encode = await blockEncoder(name, 5);
    const wrong: string[] = [];
    for (const length of lengths) {
      const inputs = {
        text: textBytes(random, length),
        noise: noise(length, length),
        zeros: new Uint8Array(length),
      };
      for (const [kind, logical] of Object.entries(inputs)) {
        const { codec, stored } = encode(logical);
        const decoded = await decodeBlock(codec, stored, length, zstdInNode);
        const shrinks = codec === codecId.raw ? stored === logical : stored.length < length;
        if (!shrinks || Buffer.compare(decoded, logical) !== 0) wrong.push(`${length} bytes of ${kind}`);
      }
    }
    expect(wrong).toEqual([]);
  });
}

for (const name of encoded) {
  test(`${name}: a block that does not shrink is stored raw, one that does is not`, async () => {
    const random = seededRandom(2);
    const encode = await blockEncoder(name, 5);
    const dense = noise(2, 65536);
    expect(encode(dense)).toEqual({ codec: codecId.raw, stored: dense });
    expect(encode(Uint8Array.of(7)).codec).toBe(codecId.raw);
    const { codec, stored } = encode(textBytes(random, 65536));
    expect(codecNames[codec]).toBe(name);
    expect(stored.length).toBeLessThan(65536 / 2);
  });

  test(`${name}: the same bytes make the same block, whatever was encoded before`, async () => {
    const random = seededRandom(3);
    const text = textBytes(random, 100_000);
    const encode = await blockEncoder(name, 9);
    const first = encode(text).stored;
    encode(noise(3, 1000));
    encode(textBytes(random, 200_000));
    expect(encode(text).stored).toEqual(first);
    expect((await blockEncoder(name, 9))(text).stored).toEqual(first);
    // Another encoder version may be better, but then every published block changes its name: decide it, do not stumble into it.
    const golden = { zstd: 'e595c0e98d62f993', lz4: 'c7b05b1b60b4036e' };
    expect(hex(await sha256(first)).slice(0, 16)).toBe(golden[name]);
  });

  test(`${name}: damaged blocks give an error or bytes of the right length, never anything else`, async () => {
    const random = seededRandom(4);
    const logicalLength = 20_000;
    const encode = await blockEncoder(name, 3);
    const { codec, stored } = encode(textBytes(random, logicalLength));
    const ends = { right: 0, integrity: 0 };
    for (let i = 0; i < 4000; i++) {
      let hostile = stored.slice(0, random() < 0.2 ? random() * stored.length : stored.length);
      if (random() < 0.05) hostile = noise(i, Math.floor(random() * 300));
      for (let flips = random() * 5; flips > 0 && hostile.length > 0; flips--) {
        hostile[Math.floor(random() * hostile.length)] = random() < 0.3 ? 255 : random() * 256;
      }
      try {
        const { length } = await decodeBlock(codec, hostile, logicalLength, zstdInNode);
        if (length !== logicalLength) throw new Error(`${length} bytes came out of damage ${i}`);
        ends.right++;
      } catch (error) {
        if (!(error instanceof SluiceError && error.code === 'integrity')) throw error;
        ends.integrity++;
      }
    }
    expect(ends.right + ends.integrity).toBe(4000);
    expect(Math.min(ends.right, ends.integrity)).toBeGreaterThan(100);
    // The decoder is as good as before.
    const again = textBytes(seededRandom(5), logicalLength);
    expect(await decodeBlock(codec, encode(again).stored, logicalLength, zstdInNode)).toEqual(again);
  });

  test(`${name}: a length that is not the block's is refused`, async () => {
    const text = textBytes(seededRandom(6), 5000);
    const { codec, stored } = (await blockEncoder(name, 3))(text);
    for (const length of [1, 4999, 5001, 1048576]) {
      await expect(decodeBlock(codec, stored, length, zstdInNode)).rejects.toMatchObject({
        code: 'integrity',
      });
    }
  });
}

test('lz4: a small block cannot keep the decoder busy', async () => {
  // Each 255 lengthens the match by 255 bytes: the most that stored bytes can ask for.
  const bomb = new Uint8Array(1_000_000).fill(255);
  bomb.set([0x1f, 0x00, 0x01, 0x00]);
  const began = performance.now();
  await expect(decodeBlock(codecId.lz4, bomb, 1_048_576, zstdInNode)).rejects.toMatchObject({
    code: 'integrity',
  });
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('raw: no copy, and the length is checked', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(await decodeBlock(codecId.raw, bytes, 3, zstdInNode)).toBe(bytes);
  await expect(decodeBlock(codecId.raw, bytes, 4, zstdInNode)).rejects.toMatchObject({ code: 'integrity' });
});

test('an unknown codec is too new', async () => {
  await expect(decodeBlock(3, new Uint8Array(1), 1, zstdInNode)).rejects.toMatchObject({
    code: 'unsupported-image',
  });
});

test('zstd: only the decoder that is known by its digest is started', async () => {
  const wasm = new Uint8Array(
    await readFile(new URL('../../dist/runtime/__sluice/zstd.wasm', import.meta.url)),
  );
  expect(hex(await sha256(wasm))).toBe(zstdWasmSha256);
  await startZstd(wasm);
  for (const wrong of [wasm.slice(0, -1), wasm.map((byte, i) => (i === 20_000 ? byte ^ 1 : byte))]) {
    await expect(startZstd(wrong)).rejects.toMatchObject({ code: 'integrity' });
  }
});

test('zstd: what one block leaves in the decoder\u2019s memory is not seen by the next, longer or shorter', async () => {
  const decode = await zstdInNode();
  const encode = await blockEncoder('zstd', 3);
  const wrong: number[] = [];
  for (const length of [1_000_000, 5, 70_000, 1_048_576, 40, 1_048_576]) {
    const logical = textBytes(seededRandom(length), length);
    const { codec, stored } = encode(logical);
    if (codec !== codecId.zstd) continue;
    const decoded = decode(stored, length);
    decode(stored.slice(0, -3), length);
    decode(stored, length * 2);
    if (decoded === undefined || Buffer.compare(decoded, logical) !== 0) wrong.push(length);
  }
  expect(wrong).toEqual([]);
});
