import { expect, test } from '@playwright/test';
import type { BlockSource } from '../../src/protocol/block-source.ts';
import { fetchPublished } from '../../src/source/fetch-published.ts';
import { HttpSource } from '../../src/source/http-source.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';

const bytes = noise(1, 100_000);
const sha256 = 'ab'.repeat(32);
const never = new AbortController().signal;

async function withFile(headers: Record<string, string>, run: (source: BlockSource) => Promise<void>) {
  const path = `/app/${sha256}.bin`;
  const origin = await Origin.start({
    mounts: {},
    routes: { [path]: (_, response) => void response.writeHead(200, headers).end(bytes) },
  });
  try {
    await run(new HttpSource({ base: `${origin.url}/app/`, fetch }));
  } finally {
    await origin.stop();
  }
}

test('the bytes of the whole file', () =>
  withFile({}, async (source) => {
    const fetched = await fetchPublished(source, { sha256, length: bytes.length }, never);
    expect(Buffer.compare(fetched, bytes)).toBe(0);
  }));

for (const [how, headers] of Object.entries({
  'with its length': { 'content-length': `${bytes.length}` },
  'in chunks, without one': { 'transfer-encoding': 'chunked' },
})) {
  test(`a length that no memory holds is the answer's fault, not a failed allocation: ${how}`, () =>
    withFile(headers, async (source) => {
      const fetched = fetchPublished(source, { sha256, length: 1e15 }, never);
      await expect(fetched).rejects.toMatchObject({ code: 'bad-origin' });
    }));
}
