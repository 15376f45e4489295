import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { fetchVerified } from '../../src/source/fetch-verified.ts';
import type { Fault } from '../support/fault.ts';
import { Origin } from '../support/origin.ts';
import { noise, seededRandom } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

const bytes = noise(1, 5000);

/** What comes of a file whose requests meet these faults, one after the other, and how often it was asked for. */
async function fetched(
  faults: readonly (Fault | undefined)[],
  options: { stallMs?: number; timeoutMs?: number } = {},
): Promise<{ outcome: unknown; requests: number }> {
  const dir = await tempDir('verified');
  await writeFile(join(dir.path, 'zstd.wasm'), bytes);
  const origin = await Origin.start({ mounts: { '/': dir.path }, fault: ({ earlier }) => faults[earlier] });
  const file = { url: `${origin.url}/zstd.wasm`, sha256: hex(await sha256(bytes)) };
  try {
    const outcome = await fetchVerified(file, {
      fetch,
      clock: systemClock,
      random: seededRandom(1),
      ...options,
    }).catch((error: { code: string }) => error.code);
    return { outcome, requests: origin.requests().length };
  } finally {
    await origin.stop();
    await dir.remove();
  }
}

const flipped: Fault = { type: 'flip-bit', offset: 4000 };
const missing: Fault = { type: 'status', status: 404 };

test('the right bytes, asked for once', async () => {
  expect(await fetched([])).toEqual({ outcome: bytes, requests: 1 });
});

test('wrong bytes are asked for once more, and are never given', async () => {
  expect(await fetched([flipped])).toEqual({ outcome: bytes, requests: 2 });
  expect(await fetched([flipped, flipped])).toEqual({ outcome: 'integrity', requests: 2 });
  const portal: Fault = { type: 'html-200' };
  expect(await fetched([portal, portal])).toEqual({ outcome: 'integrity', requests: 2 });
});

test('a host without the file is a bad origin, once the refusal is not an old one; a busy one is asked again', async () => {
  expect(await fetched([missing, missing])).toEqual({ outcome: 'bad-origin', requests: 2 });
  expect(await fetched([missing])).toEqual({ outcome: bytes, requests: 2 });
  expect(await fetched([{ type: 'status', status: 503 }])).toEqual({ outcome: bytes, requests: 2 });
});

test('no connection is offline, after one try more', async () => {
  const cut: Fault = { type: 'cut-before-headers' };
  expect(await fetched([cut])).toEqual({ outcome: bytes, requests: 2 });
  // Two connections: Node's fetch may try a lost one again by itself.
  expect((await fetched(Array<Fault>(8).fill(cut))).outcome).toBe('offline');
});

test('a stalled answer is given up and asked for again; the wait has an end', async () => {
  // A busy machine has all of it for an answer that is no stalled one.
  const patient = { stallMs: 2000, timeoutMs: 60_000 };
  const [hangs, hangsInside] = await Promise.all([
    fetched([{ type: 'hang' }], patient),
    fetched([{ type: 'hang-at', byte: 100 }], patient),
  ]);
  for (const one of [hangs, hangsInside]) expect(one).toEqual({ outcome: bytes, requests: 2 });
  const short = { stallMs: 200, timeoutMs: 1000 };
  expect((await fetched(Array<Fault>(8).fill({ type: 'hang' }), short)).outcome).toBe('read-timeout');
});

test('an answer that comes slowly is no stalled one, and has the deadline of all tries', async () => {
  const slow: Fault = { type: 'throttle', bytesPerSecond: 4000 };
  expect(await fetched([slow], { stallMs: 1000, timeoutMs: 20_000 })).toEqual({
    outcome: bytes,
    requests: 1,
  });
  const slower: Fault = { type: 'throttle', bytesPerSecond: 1000 };
  const late = await fetched([slower], { stallMs: 1000, timeoutMs: 2000 });
  expect(late).toEqual({ outcome: 'read-timeout', requests: 1 });
});
