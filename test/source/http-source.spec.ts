import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { Chunk, PublishedFile } from '../../src/protocol/block-source.ts';
import { HttpSource } from '../../src/source/http-source.ts';
import { OriginError } from '../../src/source/origin-error.ts';
import type { Fault } from '../support/fault.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

const bytes = noise(1, 300_000);
const file: PublishedFile = {
  sha256: createHash('sha256').update(bytes).digest('hex'),
  length: bytes.length,
};
const never = new AbortController().signal;

interface Site {
  readonly origin: Origin;
  readonly source: HttpSource;
}

async function withSite(run: (site: Site) => Promise<void>, ranges = true): Promise<void> {
  const dir = await tempDir('http-source');
  await writeFile(join(dir.path, `${file.sha256}.bin`), bytes);
  const origin = await Origin.start({ mounts: { '/app/': dir.path }, ranges });
  const source = new HttpSource({ base: `${origin.url}/app/`, fetch, stallMs: 300 });
  try {
    await run({ origin, source });
  } finally {
    await origin.stop();
    await dir.remove();
  }
}

async function collect(chunks: AsyncIterable<Chunk>): Promise<{ start: number; bytes: Buffer }> {
  const parts: Uint8Array[] = [];
  let start = -1;
  let at = -1;
  for await (const chunk of chunks) {
    if (start < 0) start = at = chunk.offset;
    expect(chunk.offset, 'chunks follow one another').toBe(at);
    at += chunk.bytes.length;
    parts.push(chunk.bytes);
  }
  return { start, bytes: Buffer.concat(parts) };
}

function read(source: HttpSource, start: number, end: number, signal = never) {
  return collect(source.fetch({ file, start, end, priority: 'high', signal }));
}

async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

test('asks for exactly the range, past every cache', () =>
  withSite(async ({ origin, source }) => {
    const answer = await read(source, 1000, 2000);
    expect(answer.start).toBe(1000);
    expect(answer.bytes.equals(bytes.subarray(1000, 2000))).toBe(true);
    expect(origin.log.map((entry) => entry.range)).toEqual(['bytes=1000-1999']);
    expect(origin.log[0]?.headers['cache-control']).toBe('no-cache');
    expect(source.wholeFiles).toBe(false);
  }));

test('the whole file is asked for without a Range', () =>
  withSite(async ({ origin, source }) => {
    const answer = await read(source, 0, file.length);
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(origin.log.map((entry) => entry.range)).toEqual([undefined]);
  }));

test('a host without ranges: the whole file as a stream, remembered', () =>
  withSite(async ({ origin, source }) => {
    const answer = await read(source, 1000, 2000);
    expect(answer.start).toBe(0);
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(source.wholeFiles).toBe(true);
    await read(source, 1000, 2000);
    expect(origin.log.map((entry) => entry.range)).toEqual(['bytes=1000-1999', undefined]);
  }, false));

for (const type of ['wrong-content-range', 'gzip-206', 'one-byte-short'] as const) {
  test(`${type}: the range is refused, the whole file is taken once and that is remembered`, () =>
    withSite(async ({ origin, source }) => {
      origin.fault = (request) => (request.range ? { type } : undefined);
      const answer = await read(source, 1000, 2000);
      expect(answer.bytes.equals(bytes)).toBe(true);
      expect(source.wholeFiles).toBe(true);
      expect(origin.log.map((entry) => entry.range)).toEqual(['bytes=1000-1999', undefined]);
    }));

  test(`${type} for ranges and 404 for the whole file: bad-origin, ranges are not given up`, () =>
    withSite(async ({ origin, source }) => {
      origin.fault = (request) => (request.range ? { type } : { type: 'status', status: 404 });
      expect((await failure(read(source, 1000, 2000))).code).toBe('bad-origin');
      expect(source.wholeFiles).toBe(false);
    }));
}

/** What Chromium makes of a gzipped 206: the same TypeError as of a network that is away. */
const refusesRanges: typeof fetch = async (input, init) => {
  if (new Headers(init?.headers).has('range')) throw new TypeError('Failed to fetch');
  return fetch(input, init);
};

test('ranges that the browser itself refuses, twice for one file: the whole file is taken, and that is remembered', () =>
  withSite(async ({ origin }) => {
    const source = new HttpSource({ base: `${origin.url}/app/`, fetch: refusesRanges });
    expect((await failure(read(source, 1000, 2000))).code).toBe('offline');
    expect(origin.log.length).toBe(0);
    const answer = await read(source, 1000, 2000);
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(source.wholeFiles).toBe(true);
  }));

test('ranges that are refused for one file, while others are answered: that one is taken whole', () =>
  withSite(async ({ origin }) => {
    const url = `${origin.url}/app/${file.sha256}.bin`;
    const source = new HttpSource({
      base: `${origin.url}/app/`,
      fetch: (input, init) => (String(input) === url ? refusesRanges : fetch)(url, init),
    });
    const other = { sha256: '0'.repeat(64), length: file.length };
    const readOther = () =>
      collect(source.fetch({ file: other, start: 0, end: 10, priority: 'low', signal: never }));
    expect((await failure(read(source, 1000, 2000))).code).toBe('offline');
    await readOther();
    expect((await read(source, 1000, 2000)).bytes.equals(bytes)).toBe(true);
    expect(source.wholeFiles).toBe(false);
    expect((await readOther()).bytes.length).toBe(10);
  }));

test('the same where ranges have worked: the whole file is taken, but ranges are not given up', () =>
  withSite(async ({ origin }) => {
    let refuses = false;
    const source = new HttpSource({
      base: `${origin.url}/app/`,
      fetch: (input, init) => (refuses ? refusesRanges : fetch)(input, init),
    });
    await read(source, 0, 10);
    refuses = true;
    expect((await failure(read(source, 1000, 2000))).code).toBe('offline');
    expect((await read(source, 1000, 2000)).bytes.equals(bytes)).toBe(true);
    expect(source.wholeFiles).toBe(false);
    refuses = false;
    expect((await read(source, 1000, 2000)).bytes.length).toBe(1000);
    // One failure by itself means nothing, whatever was before.
    refuses = true;
    expect((await failure(read(source, 1000, 2000))).code).toBe('offline');
  }));

test('a server that is away: offline each time, ranges are not given up', () =>
  withSite(async ({ origin, source }) => {
    await origin.stop();
    for (let i = 0; i < 4; i++) expect((await failure(read(source, 1000, 2000))).code).toBe('offline');
    await origin.start();
    expect((await read(source, 1000, 2000)).bytes.length).toBe(1000);
    expect(source.wholeFiles).toBe(false);
  }));

const faults: { name: string; fault: Fault; code: string; retryable?: boolean; retryAfterMs?: number }[] = [
  { name: 'HTML instead of the file', fault: { type: 'html-200' }, code: 'bad-origin', retryable: false },
  { name: '404', fault: { type: 'status', status: 404 }, code: 'bad-origin', retryable: false },
  { name: '403', fault: { type: 'status', status: 403 }, code: 'bad-origin', retryable: false },
  { name: '500', fault: { type: 'status', status: 500 }, code: 'bad-origin', retryable: true },
  {
    name: '429 with Retry-After',
    fault: { type: 'status', status: 429, retryAfter: 7 },
    code: 'bad-origin',
    retryable: true,
    retryAfterMs: 7000,
  },
  {
    name: 'redirect to a page',
    fault: { type: 'redirect', location: '/' },
    code: 'bad-origin',
    retryable: false,
  },
  { name: 'cut before the headers', fault: { type: 'cut-before-headers' }, code: 'offline' },
  { name: 'cut in the middle', fault: { type: 'cut-at', byte: 500 }, code: 'offline' },
  { name: 'a hung server', fault: { type: 'hang' }, code: 'read-timeout' },
  { name: 'a hung stream', fault: { type: 'hang-at', byte: 500 }, code: 'read-timeout' },
];

for (const { name, fault, code, retryable, retryAfterMs } of faults) {
  test(`${name}: ${code}, and the next request is served`, () =>
    withSite(async ({ origin, source }) => {
      origin.fault = (request) => (request.path.endsWith('.bin') ? fault : undefined);
      const started = performance.now();
      const error = await failure(read(source, 1000, 200_000));
      expect(error.code).toBe(code);
      // A stall has a deadline of a second here, and of ten by default.
      expect(performance.now() - started).toBeLessThan(9000);
      if (retryable !== undefined) {
        expect(error).toBeInstanceOf(OriginError);
        expect((error as OriginError).retryable).toBe(retryable);
        expect((error as OriginError).retryAfterMs).toBe(retryAfterMs);
      }
      origin.fault = undefined;
      expect((await read(source, 1000, 2000)).bytes.equals(bytes.subarray(1000, 2000))).toBe(true);
      expect(source.wholeFiles).toBe(false);
    }));
}

test('a server that is gone: offline at once', () =>
  withSite(async ({ origin, source }) => {
    await origin.stop();
    expect((await failure(read(source, 0, 10))).code).toBe('offline');
  }));

test('an abort ends the wait with its reason', () =>
  withSite(async ({ origin, source }) => {
    origin.fault = () => ({ type: 'hang' });
    const abort = new AbortController();
    const reading = failure(read(source, 0, 10, abort.signal));
    await origin.waitForRequest(() => true);
    abort.abort(new SluiceError('closed', 'test'));
    expect((await reading).code).toBe('closed');
  }));

test('a consumer that stops early lets the connection go', () =>
  withSite(async ({ origin, source }) => {
    origin.fault = () => ({ type: 'hang-at', byte: 500 });
    for await (const chunk of source.fetch({ file, start: 10, end: 2000, priority: 'low', signal: never })) {
      expect(chunk.offset).toBe(10);
      break;
    }
    await origin.waitForRequest((entry) => entry.aborted);
  }));

test('a platform that ignores the abort signal does not make the wait endless', async () => {
  const source = new HttpSource({
    base: 'http://host.invalid/',
    fetch: () => new Promise(() => {}),
    stallMs: 20,
  });
  expect((await failure(read(source, 0, 10))).code).toBe('read-timeout');
});

test('what a cache has kept wrongly is asked for once more, past it; what fails in passing is not', () =>
  withSite(async ({ origin }) => {
    const asked: (RequestCache | undefined)[] = [];
    let kept = new Response(bytes.slice(1), { headers: { 'Content-Length': `${bytes.length - 1}` } });
    const source = new HttpSource({
      base: `${origin.url}/app/`,
      fetch: async (input, init) => {
        asked.push(init?.cache);
        return init?.cache === 'force-cache' ? kept : fetch(input, init);
      },
    });
    const request = {
      file,
      start: 0,
      end: file.length,
      priority: 'high',
      signal: never,
      cached: true,
    } as const;
    expect((await collect(source.fetch(request))).bytes.equals(bytes)).toBe(true);
    expect(asked).toEqual(['force-cache', 'reload']);
    kept = new Response('', { status: 429, headers: { 'Retry-After': '7' } });
    const error = await failure(collect(source.fetch(request)));
    expect(error).toMatchObject({ code: 'bad-origin', retryable: true, retryAfterMs: 7000 });
    expect(asked).toEqual(['force-cache', 'reload', 'force-cache']);
  }));
