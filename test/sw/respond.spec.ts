import { expect, test } from '@playwright/test';
import { decodeBlock } from '../../src/codec/decode-block.ts';
import { BlockTable } from '../../src/format/block-table.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { isToLoader } from '../../src/protocol/guards.ts';
import type { ServedRead, ToLoader } from '../../src/protocol/messages.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { BlockReader } from '../../sw/block-reader.ts';
import { LocalBlocks } from '../../sw/local-blocks.ts';
import { type Answer, respond } from '../../sw/respond.ts';
import { SelfFetch } from '../../sw/self-fetch.ts';
import { ServedReads } from '../../sw/served-reads.ts';
import { noise } from '../support/random.ts';
import { MemorySource, type SmallImage, smallImage } from './small-image.ts';

const text = (value: string) => new TextEncoder().encode(value);
const script = text('<script src="/__sluice/client.js"></script>');
const page = '<!doctype html><html><head><title>t</title></head>';
const clip = noise(1, 256);
const large = noise(2, 5 * 1024 * 1024 + 77);

const files = {
  'index.html': { bytes: text(page), mime: 'text/html; charset=utf-8', headers: [['X-One', '1']] },
  'clip.mp3': { bytes: clip, mime: 'audio/mpeg' },
  'large.bin': { bytes: large },
  'empty.txt': { bytes: new Uint8Array(0), mime: 'text/plain' },
  'utf16.html': {
    bytes: Uint8Array.from(
      [...`\ufeff${page}`].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]),
    ),
    mime: 'text/html',
  },
} as const;

interface Fixture {
  /** What was told for the read log since it was asked last: path, blob, first block, count. */
  served(): (string | number)[][];
  readonly small: SmallImage;
  readonly source: MemorySource;
  ask(path: string, headers?: Record<string, string>, options?: AskOptions): Promise<Answer>;
}
interface AskOptions {
  readonly method?: string;
  readonly navigates?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

async function fixture(
  options: Parameters<typeof smallImage>[1] = {},
  local?: LocalBlocks,
): Promise<Fixture> {
  const small = await smallImage(files, { shift: 16, blocksPerBlob: 32, ...options });
  const source = new MemorySource(small);
  const told: ServedRead[] = [];
  const listener = {
    role: 'leader',
    post: (message: ToLoader) => {
      if (!isToLoader(message)) throw new Error('no loader would take this message');
      if (message.type === 'reads-served') told.push(...message.reads);
    },
  } as const;
  const served = new ServedReads(() => listener);
  const reader = new BlockReader({
    local: async () => local,
    ports: { best: undefined, wait: async () => undefined },
    selfFetch: new SelfFetch(source),
    served,
    decode: ({ codec, bytes, logicalLength }) => decodeBlock(codec, bytes, logicalLength, zstdInNode),
  });
  return {
    small,
    source,
    served: () => {
      served.flush();
      return told.splice(0).map(({ path, blob, first, count }) => [path, blob, first, count]);
    },
    ask: (path, headers = {}, options = {}) => {
      const { method = 'GET', navigates = false, timeoutMs = 5000 } = options;
      const { signal = new AbortController().signal } = options;
      return respond(
        new Request(`https://example.org/${path}`, { method, headers }),
        {
          image: small.image,
          inode: small.image.lookup(path)!,
          path,
          ...(navigates ? { clientScript: script } : {}),
        },
        { reader, local: async () => local, served, copies: { match: async () => undefined } },
        { timeoutMs, mayWaitForLoader: false, signal },
      );
    },
  };
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

test('200: type, length, tag, extra headers, bytes', async () => {
  const { ask } = await fixture();
  const { response } = await ask('index.html');
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-length': String(page.length),
    'accept-ranges': 'bytes',
    'x-one': '1',
  });
  expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{16}"$/);
  expect(response.headers.has('content-range')).toBe(false);
  expect(response.headers.has('cross-origin-embedder-policy')).toBe(false);
  expect(await response.text()).toBe(page);
  expect((await ask('large.bin')).response.headers.get('content-type')).toBe('application/octet-stream');
});

test('a long file streams, whole and right', async () => {
  const { ask } = await fixture();
  const { response, finished } = await ask('large.bin');
  expect(Buffer.compare(await bytesOf(response), large)).toBe(0);
  await finished;
});

test('a long answer asks for little where its reader may go away, and for more as it is taken', async () => {
  const { ask, source } = await fixture();
  const asked = () => source.requests.reduce((sum, { start, end }) => sum + end - start, 0);
  const { response } = await ask('large.bin');
  expect(asked()).toBeLessThan(600 * 1024);
  const reader = response.body!.getReader();
  for (let taken = 0; taken < 10; taken++) await reader.read();
  expect(asked()).toBeGreaterThan(1024 * 1024);
  await reader.cancel();
  expect(asked()).toBeLessThan(large.length);
});

test('read_log: what is answered without a loader is told, once a block', async () => {
  const { ask, served } = await fixture();
  await bytesOf((await ask('large.bin')).response);
  const blocks = served();
  expect(blocks.every(([path]) => path === 'large.bin')).toBe(true);
  const count = blocks.reduce((sum, [, , , count]) => sum + (count as number), 0);
  expect(count).toBe(Math.ceil(large.length / 2 ** 16));
  await ask('large.bin', {}, { method: 'HEAD' });
  expect(served()).toEqual([]);
  // Two small files share a block, which is fetched once.
  await bytesOf((await ask('clip.mp3')).response);
  await bytesOf((await ask('clip.mp3')).response);
  expect(served().map(([path]) => path)).toEqual(['clip.mp3', 'clip.mp3']);
});

test('an empty file', async () => {
  const { ask, source } = await fixture();
  const { response } = await ask('empty.txt');
  expect([response.status, response.headers.get('content-length')]).toEqual([200, '0']);
  expect(await response.text()).toBe('');
  const ranged = await ask('empty.txt', { Range: 'bytes=0-' });
  expect([ranged.response.status, ranged.response.headers.get('content-range')]).toEqual([416, 'bytes */0']);
  expect(source.requests).toEqual([]);
});

for (const [range, expected] of [
  ['bytes=0-1', [0, 2]],
  ['bytes=0-999', [0, 256]],
  ['bytes=100-', [100, 256]],
  ['bytes=-5', [251, 256]],
] as const) {
  test(`206 for ${range}`, async () => {
    const { ask } = await fixture();
    const { response } = await ask('clip.mp3', { Range: range });
    const [start, end] = expected;
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/256`);
    expect(response.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.compare(await bytesOf(response), clip.subarray(start, end))).toBe(0);
  });
}

test('a range across many blocks and blobs', async () => {
  const { ask } = await fixture();
  const [start, end] = [1_234_567, 4_567_890];
  const { response } = await ask('large.bin', { Range: `bytes=${start}-${end - 1}` });
  expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${large.length}`);
  expect(Buffer.compare(await bytesOf(response), large.subarray(start, end))).toBe(0);
});

test('416 and several ranges', async () => {
  const { ask } = await fixture();
  const out = (await ask('clip.mp3', { Range: 'bytes=256-' })).response;
  expect([out.status, out.headers.get('content-range'), await out.text()]).toEqual([416, 'bytes */256', '']);
  const several = (await ask('clip.mp3', { Range: 'bytes=0-1,5-6' })).response;
  expect(several.status).toBe(200);
  expect((await bytesOf(several)).length).toBe(256);
});

test('If-None-Match and If-Range', async () => {
  const { ask } = await fixture();
  const etag = (await ask('clip.mp3')).response.headers.get('etag')!;
  const same = (await ask('clip.mp3', { 'If-None-Match': `"x", W/${etag}`, Range: 'bytes=0-1' })).response;
  expect([same.status, same.headers.get('etag'), same.headers.has('content-length')]).toEqual([
    304,
    etag,
    false,
  ]);
  expect((await ask('clip.mp3', { 'If-None-Match': '"x"' })).response.status).toBe(200);
  const range = { Range: 'bytes=0-1' };
  expect((await ask('clip.mp3', { ...range, 'If-Range': etag })).response.status).toBe(206);
  expect((await ask('clip.mp3', { ...range, 'If-Range': `W/${etag}` })).response.status).toBe(200);
  expect((await ask('clip.mp3', { Range: 'bytes=999-', 'If-Range': '"old"' })).response.status).toBe(200);
});

test('If-Match: a download of another version does not go on in this one', async () => {
  const { ask } = await fixture();
  const etag = (await ask('clip.mp3')).response.headers.get('ETag')!;
  const part = (await ask('clip.mp3', { 'If-Match': etag, Range: 'bytes=100-' })).response;
  expect([part.status, (await bytesOf(part)).length]).toEqual([206, 156]);
  for (const headers of [{ Range: 'bytes=100-' }, { 'If-None-Match': etag }, {}]) {
    const other = (await ask('clip.mp3', { ...headers, 'If-Match': '"of another"' })).response;
    expect([other.status, (await bytesOf(other)).length]).toEqual([412, 0]);
    expect(other.headers.get('ETag')).toBe(etag);
  }
});

test('HEAD, 304, 412 and 416 read no block', async () => {
  const { ask, source } = await fixture();
  const head = (await ask('clip.mp3', { Range: 'bytes=0-1' }, { method: 'HEAD' })).response;
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '256']);
  expect(await head.text()).toBe('');
  await ask('clip.mp3', { 'If-None-Match': '*' });
  await ask('clip.mp3', { 'If-Match': '"x"' });
  await ask('clip.mp3', { Range: 'bytes=256-' });
  expect(source.requests).toEqual([]);
});

test('HTML that answers a navigation gets the script, a length and a tag of its own', async () => {
  const { ask } = await fixture();
  const plain = (await ask('index.html')).response.headers.get('etag');
  const { response } = await ask('index.html', {}, { navigates: true });
  const body = await response.clone().text();
  expect(body).toBe(page.replace('<head>', `<head>${new TextDecoder().decode(script)}`));
  expect(response.headers.get('content-length')).toBe(String(body.length));
  const etag = response.headers.get('etag')!;
  expect(etag).not.toBe(plain);
  expect((await ask('index.html', { 'If-None-Match': etag }, { navigates: true })).response.status).toBe(304);
  expect((await ask('index.html', { 'If-None-Match': plain! }, { navigates: true })).response.status).toBe(
    200,
  );
});

test('no script into other types, parts, UTF-16', async () => {
  const { ask } = await fixture();
  const audio = (await ask('clip.mp3', {}, { navigates: true })).response;
  expect((await bytesOf(audio)).length).toBe(256);
  const utf16 = (await ask('utf16.html', {}, { navigates: true })).response;
  expect(utf16.headers.get('content-length')).toBe(String(files['utf16.html'].bytes.length));
  expect(Buffer.compare(await bytesOf(utf16), files['utf16.html'].bytes)).toBe(0);
  const part = (await ask('index.html', { Range: 'bytes=0-9' }, { navigates: true })).response;
  expect([part.status, await part.text()]).toEqual([206, page.slice(0, 10)]);
});

test('cross-origin isolation, on errors of the range too', async () => {
  const { ask } = await fixture({ crossOriginIsolate: true });
  for (const headers of [
    {},
    { Range: 'bytes=0-1' },
    { Range: 'bytes=999-' },
    { 'If-None-Match': '*' },
    { 'If-Match': '"x"' },
  ]) {
    const { response } = await ask('clip.mp3', headers);
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  }
});

test('the first block decides: its failure is the answer’s, and nothing stays behind', async () => {
  const { ask, source } = await fixture();
  source.hook = () => Promise.reject(new SluiceError('offline', 'away'));
  await expect(ask('large.bin')).rejects.toMatchObject({ code: 'offline' });
  source.hook = undefined;
  expect(Buffer.compare(await bytesOf((await ask('large.bin')).response), large)).toBe(0);
});

test('a later failure errors the body', async () => {
  const { ask, source, small } = await fixture();
  const last = small.blobs.at(-1)!.record.sha256;
  source.hook = async ({ file }, bytes) => {
    if (file.sha256 === last) throw new SluiceError('bad-origin', 'no');
    return bytes;
  };
  const { response, finished } = await ask('large.bin');
  expect(response.status).toBe(200);
  await expect(response.arrayBuffer()).rejects.toMatchObject({ code: 'bad-origin' });
  await finished;
});

test('a reader that stops asks for no more than the window', async () => {
  const { ask, source } = await fixture();
  const { response, finished } = await ask('large.bin');
  const body = response.body!.getReader();
  await body.read();
  await body.cancel();
  await finished;
  const blockBytes = source.requests.filter(({ start, end }) => end - start > 65_536 / 2 || start > 2000);
  const asked = blockBytes.reduce((sum, { start, end }) => sum + end - start, 0);
  expect(asked).toBeLessThanOrEqual(3 * 1024 * 1024);
});

test('a body nobody reads holds no more than the window', async () => {
  const { ask, source } = await fixture();
  const { response } = await ask('large.bin');
  await new Promise((resolve) => setImmediate(resolve));
  await expect.poll(() => source.requests.length).toBeGreaterThan(1);
  const before = source.requests.reduce((sum, { start, end }) => sum + end - start, 0);
  expect(before).toBeLessThanOrEqual(2.2 * 1024 * 1024);
  await response.body!.cancel();
});

test('all raw and sealed: a Blob of slices, without the network', async () => {
  const small = await smallImage(files, { shift: 16, blocksPerBlob: 32 });
  const directory = new MemoryDirectory();
  const store = await BlockStore.open(directory);
  await fill(store, small);
  await store.commit();
  const local = new LocalBlocks(await StoreReader.open(directory));
  const { ask, source, served } = await fixture({}, local);
  const { response } = await ask('large.bin', { Range: 'bytes=100000-4999999' });
  expect(response.headers.get('content-length')).toBe('4900000');
  expect(Buffer.compare(await bytesOf(response), large.subarray(100_000, 5_000_000))).toBe(0);
  const count = served().reduce((sum, [, , , count]) => sum + (count as number), 0);
  expect(count).toBe(Math.ceil(5_000_000 / 2 ** 16) - Math.floor(100_000 / 2 ** 16));
  expect((await (await ask('index.html', {}, { navigates: true })).response.text()).length).toBe(
    page.length + script.length,
  );
  expect(source.requests).toEqual([]);
  const slices = await local.rawSlices(small.image, small.image.lookup('large.bin')!, 0, large.length);
  expect(slices?.size).toBe(large.length);
});

test('half here, half missing: what is here is not fetched', async () => {
  const small = await smallImage(files, { shift: 16, blocksPerBlob: 32, codec: 'zstd' });
  const directory = new MemoryDirectory();
  const store = await BlockStore.open(directory);
  await fill(store, small, (_blob, block) => block % 2 === 0);
  await store.commit();
  const { ask, source } = await fixture(
    { codec: 'zstd' },
    new LocalBlocks(await StoreReader.open(directory)),
  );
  const { response } = await ask('large.bin');
  expect(Buffer.compare(await bytesOf(response), large)).toBe(0);
  const fetched = source.requests.reduce((sum, { start, end }) => sum + end - start, 0);
  expect(fetched).toBeLessThan(large.length * 0.55);
  expect(fetched).toBeGreaterThan(large.length * 0.4);
});

async function fill(
  store: BlockStore,
  small: SmallImage,
  wanted: (blob: number, block: number) => boolean = () => true,
): Promise<void> {
  for (const [index, { record, bytes }] of small.blobs.entries()) {
    const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
    store.blob(record);
    await store.writeTable(record.sha256, bytes.slice(0, record.tableLength));
    for (let block = 0; block < table.count; block++) {
      if (!wanted(index, block)) continue;
      const { start, end } = table.stored(block);
      await store.writeBlock(record.sha256, block, start, bytes.slice(start, end));
    }
  }
}

test('a reader that goes away withdraws what it asked for, and never gets a short answer', async () => {
  const { ask, source } = await fixture();
  const gone = new AbortController();
  const { response, finished } = await ask('large.bin', {}, { signal: gone.signal });
  const stream = response.body!.getReader();
  await stream.read();
  gone.abort();
  const rest = async () => {
    while (!(await stream.read()).done);
  };
  await expect(rest()).rejects.toMatchObject({ code: 'closed' });
  await finished;
  source.requests.length = 0;
  await expect(ask('large.bin', {}, { signal: gone.signal })).rejects.toMatchObject({ code: 'closed' });
  expect(source.requests).toEqual([]);
});
