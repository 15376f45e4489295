import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test as base, expect } from '@playwright/test';
import { deferred } from '../../src/protocol/deferred.ts';
import type { Fault } from '../support/fault.ts';
import { Origin, type OriginOptions } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

const BLOB = noise(1, 300_000);
const SCRIPT = Buffer.from('console.log("a line that compresses well");\n'.repeat(500));

const test = base.extend<{ start: (options?: Partial<OriginOptions>) => Promise<Origin> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  start: async ({}, use) => {
    const dir = await tempDir('origin');
    await mkdir(join(dir.path, 'sub dir'));
    await mkdir(join(dir.path, 'bare'));
    await writeFile(join(dir.path, 'blob.bin'), BLOB);
    await writeFile(join(dir.path, 'app.js'), SCRIPT);
    await writeFile(join(dir.path, 'index.html'), '<!doctype html><p>top');
    await writeFile(join(dir.path, 'sub dir', 'index.html'), '<!doctype html><p>sub');
    await writeFile(join(dir.path, 'empty.bin'), '');
    await writeFile(join(dir.path, 'ü+%#?.txt'), 'odd name');
    const origins: Origin[] = [];
    await use(async (options = {}) => {
      const origin = await Origin.start({ mounts: { '/': dir.path }, ...options });
      origins.push(origin);
      return origin;
    });
    for (const origin of origins) await origin.stop();
    await dir.remove();
  },
});

/** Everything that the server sends on one connection until it closes it, as latin-1 text. */
function raw(origin: Origin, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(origin.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.write(request);
  });
}

const get = (path: string, headers = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;

async function fetchBytes(url: string, range?: string) {
  const response = await fetch(url, { headers: range ? { Range: range } : {} });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

test('whole files, types, validators, HEAD and 404', async ({ start }) => {
  const origin = await start();
  const { response, bytes } = await fetchBytes(`${origin.url}/blob.bin`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-length')).toBe('300000');
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('accept-ranges')).toBe('bytes');
  expect(bytes.equals(BLOB)).toBe(true);

  const etag = response.headers.get('etag')!;
  const conditional = await fetch(`${origin.url}/blob.bin`, { headers: { 'If-None-Match': etag } });
  expect(conditional.status).toBe(304);
  const since = response.headers.get('last-modified')!;
  expect((await fetch(`${origin.url}/blob.bin`, { headers: { 'If-Modified-Since': since } })).status).toBe(
    304,
  );

  const head = await raw(origin, get('/app.js').replace('GET', 'HEAD'));
  expect(head).toContain('HTTP/1.1 200 OK');
  expect(head).toContain(`Content-Length: ${SCRIPT.length}`);
  expect(head.endsWith('\r\n\r\n')).toBe(true);

  expect((await fetch(`${origin.url}/none`)).status).toBe(404);
  expect((await fetch(`${origin.url}/blob.bin`, { method: 'PUT', body: 'x' })).status).toBe(405);
  expect(await raw(origin, get('/../../etc/passwd'))).toContain('HTTP/1.1 400');
  expect(await raw(origin, get('/%2e%2e/%2e%2e/etc/passwd'))).toContain('HTTP/1.1 400');
});

test('directories: index, redirect that keeps the query, 403 without an index; odd names', async ({
  start,
}) => {
  const origin = await start();
  expect(await (await fetch(`${origin.url}/`)).text()).toContain('top');
  const redirect = await fetch(`${origin.url}/sub%20dir?a=1`, { redirect: 'manual' });
  expect(redirect.status).toBe(301);
  expect(redirect.headers.get('location')).toBe('/sub%20dir/?a=1');
  expect(await (await fetch(`${origin.url}/sub%20dir`)).text()).toContain('sub');
  expect((await fetch(`${origin.url}/bare/`)).status).toBe(403);
  expect(await (await fetch(`${origin.url}/${encodeURIComponent('ü+%#?.txt')}`)).text()).toBe('odd name');
});

test('path prefixes: the longest wins, and the prefix itself is a directory', async ({ start }) => {
  const dir = await tempDir('origin-prefix');
  await writeFile(join(dir.path, 'index.html'), 'doom');
  const origin = await start();
  const mounts = { '/games/doom/': dir.path };
  const prefixed = await start({ mounts });
  expect(await (await fetch(`${prefixed.url}/games/doom`)).text()).toBe('doom');
  expect((await fetch(`${prefixed.url}/`)).status).toBe(404);
  expect((await fetch(`${origin.url}/games/doom/`)).status).toBe(404);
  await dir.remove();
});

for (const [range, status, from, to] of [
  ['bytes=0-0', 206, 0, 1],
  ['bytes=100-199', 206, 100, 200],
  ['bytes=299990-', 206, 299_990, 300_000],
  ['bytes=-10', 206, 299_990, 300_000],
  ['bytes=299999-400000', 206, 299_999, 300_000],
  ['bytes=-400000', 206, 0, 300_000],
  ['bytes=0-10,20-30', 200, 0, 300_000],
  ['bytes=5-2', 200, 0, 300_000],
  ['lines=1-2', 200, 0, 300_000],
] as const) {
  test(`Range ${range}`, async ({ start }) => {
    const origin = await start();
    const { response, bytes } = await fetchBytes(`${origin.url}/blob.bin`, range);
    expect(response.status).toBe(status);
    const contentRange = status === 206 ? `bytes ${from}-${to - 1}/300000` : null;
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(bytes.equals(BLOB.subarray(from, to))).toBe(true);
  });
}

test('unsatisfiable ranges are 416; If-Range decides between 206 and 200', async ({ start }) => {
  const origin = await start();
  for (const range of ['bytes=300000-', 'bytes=-0']) {
    const { response } = await fetchBytes(`${origin.url}/blob.bin`, range);
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */300000');
  }
  expect((await fetchBytes(`${origin.url}/empty.bin`, 'bytes=0-')).response.status).toBe(416);
  const etag = (await fetch(`${origin.url}/blob.bin`, { method: 'HEAD' })).headers.get('etag')!;
  const withIfRange = (tag: string) =>
    fetch(`${origin.url}/blob.bin`, { headers: { Range: 'bytes=1-2', 'If-Range': tag } });
  expect((await withIfRange(etag)).status).toBe(206);
  expect((await withIfRange('"other"')).status).toBe(200);
});

test('ranges: false and validators: false', async ({ start }) => {
  const origin = await start({ ranges: false, validators: false });
  const { response, bytes } = await fetchBytes(`${origin.url}/blob.bin`, 'bytes=0-9');
  expect(response.status).toBe(200);
  expect(bytes.length).toBe(300_000);
  for (const name of ['etag', 'last-modified', 'accept-ranges'])
    expect(response.headers.has(name)).toBe(false);
});

test('gzip compresses text, not .bin, and counts what is sent', async ({ start }) => {
  const origin = await start({ gzip: true, headers: () => ({ 'Cache-Control': 'max-age=5' }) });
  const answer = await raw(origin, get('/app.js', 'Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n'));
  expect(answer).toContain('HTTP/1.1 200');
  expect(answer).toContain('Content-Encoding: gzip');
  expect(answer).toContain('Cache-Control: max-age=5');
  expect(answer).toContain('Transfer-Encoding: chunked');
  expect(origin.bytes(/app\.js/)).toBe(gzipSync(SCRIPT, { level: 6 }).length);

  expect(Buffer.from(await (await fetch(`${origin.url}/app.js`)).arrayBuffer()).equals(SCRIPT)).toBe(true);
  expect((await fetch(`${origin.url}/blob.bin`)).headers.get('content-encoding')).toBe(null);
  expect(await raw(origin, get('/app.js'))).not.toContain('Content-Encoding');
});

test('the log, its filters, reset and waitForRequest', async ({ start }) => {
  const origin = await start({ routes: { '/api': (_req, res) => res.end('made by hand') } });
  const waiting = origin.waitForRequest((r) => r.path === '/blob.bin' && r.endedAt !== undefined);
  await fetchBytes(`${origin.url}/blob.bin?x=1`, 'bytes=10-19');
  const seen = await waiting;
  expect(seen).toMatchObject({
    method: 'GET',
    path: '/blob.bin',
    url: '/blob.bin?x=1',
    status: 206,
    earlier: 0,
  });
  expect(seen).toMatchObject({ range: 'bytes=10-19', bodyBytes: 10, aborted: false });
  expect(seen.endedAt).toBeGreaterThanOrEqual(seen.startedAt);
  expect(await (await fetch(`${origin.url}/api`, { method: 'POST' })).text()).toBe('made by hand');
  expect(origin.requests().map((r) => r.path)).toEqual(['/blob.bin', '/api']);
  expect(origin.bytes(/nothing/)).toBe(0);
  origin.reset();
  expect(origin.log).toEqual([]);
  await expect(origin.waitForRequest(/./, 20)).rejects.toThrow('within 20 ms');
});

test('stop closes running answers and refuses new ones; start brings it back on the same port', async ({
  start,
}) => {
  const origin = await start({ fault: (r) => (r.path === '/app.js' ? { type: 'hang' } : undefined) });
  const hanging = fetch(`${origin.url}/app.js`).then(
    () => 'answered',
    () => 'closed',
  );
  const { port } = origin;
  await origin.waitForRequest(/app/);
  await origin.stop();
  expect(await hanging).toBe('closed');
  expect(origin.log[0]).toMatchObject({ aborted: true, status: 0 });
  await expect(fetch(`${origin.url}/blob.bin`)).rejects.toThrow();
  await origin.stop();
  await origin.start();
  expect(origin.port).toBe(port);
  expect((await fetchBytes(`${origin.url}/blob.bin`)).bytes.length).toBe(300_000);
});

test.describe('faults', () => {
  const withFault = (fault: Fault) => ({ fault: () => fault });

  test('connections cut before the headers, at a byte, and with a wrong length', async ({ start }) => {
    const before = await start(withFault({ type: 'cut-before-headers' }));
    expect(await raw(before, get('/blob.bin'))).toBe('');
    const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
    const cut = await start(withFault({ type: 'cut-at', byte: 200_001 }));
    const answer = await raw(cut, get('/blob.bin'));
    expect(answer).toContain('Content-Length: 300000');
    expect(bodyOf(answer)).toBe(Buffer.from(BLOB.subarray(0, 200_001)).toString('latin1'));
    expect(cut.log[0]).toMatchObject({ aborted: true, bodyBytes: 200_001 });
    await expect(fetchBytes(`${cut.url}/blob.bin`)).rejects.toThrow();
    const wrong = await start(withFault({ type: 'wrong-content-length', by: 7 }));
    const tooLong = await raw(wrong, get('/blob.bin', 'Range: bytes=0-9\r\n'));
    expect(tooLong).toContain('Content-Length: 17');
    expect(bodyOf(tooLong).length).toBe(10);
  });

  test('one byte short, shifted, ignored and gzipped ranges', async ({ start }) => {
    const range = 'bytes=100-199';
    const short = await start(withFault({ type: 'one-byte-short' }));
    const shorter = await fetchBytes(`${short.url}/blob.bin`, range);
    expect(shorter.response.headers.get('content-range')).toBe('bytes 100-199/300000');
    expect(shorter.bytes.equals(BLOB.subarray(100, 199))).toBe(true);

    const shifted = await start(withFault({ type: 'wrong-content-range' }));
    const next = await fetchBytes(`${shifted.url}/blob.bin`, range);
    expect(next.response.headers.get('content-range')).toBe('bytes 101-200/300000');
    expect(next.bytes.equals(BLOB.subarray(101, 201))).toBe(true);
    const atEnd = await fetchBytes(`${shifted.url}/blob.bin`, 'bytes=-10');
    expect(atEnd.response.headers.get('content-range')).toBe('bytes 299989-299998/300000');

    const ignored = await start(withFault({ type: 'ignore-range' }));
    expect((await fetchBytes(`${ignored.url}/blob.bin`, range)).response.status).toBe(200);

    const zipped = await start(withFault({ type: 'gzip-206' }));
    const answer = await raw(zipped, get('/app.js', 'Range: bytes=0-9\r\n'));
    const gzip = gzipSync(SCRIPT, { level: 6 });
    expect(gunzipSync(gzip).equals(SCRIPT)).toBe(true);
    expect(answer).toContain('Content-Encoding: gzip');
    expect(answer).toContain(`Content-Range: bytes 0-9/${gzip.length}`);
    expect(answer.endsWith(gzip.subarray(0, 10).toString('latin1'))).toBe(true);
  });

  test('statuses, the captive portal, redirects', async ({ start }) => {
    const busy = await start(withFault({ type: 'status', status: 429, retryAfter: 2 }));
    const response = await fetch(`${busy.url}/blob.bin`);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('2');
    const portal = await start(withFault({ type: 'html-200' }));
    const page = await fetchBytes(`${portal.url}/blob.bin`, 'bytes=0-1');
    expect(page.response.status).toBe(200);
    expect(page.response.headers.get('content-type')).toBe('text/html');
    expect(page.bytes.toString()).toContain('sign in');
    const moved = await start(withFault({ type: 'redirect', location: `${portal.url}/x` }));
    expect(await (await fetch(`${moved.url}/blob.bin`)).text()).toContain('sign in');
  });

  test('a flipped bit is the same byte of the file whatever the range, and only that', async ({ start }) => {
    const origin = await start(withFault({ type: 'flip-bit', offset: 150_000 }));
    for (const [from, to] of [
      [0, 300_000],
      [150_000, 150_001],
      [149_000, 151_000],
      [0, 150_000],
      [150_001, 150_100],
    ] as const) {
      const { bytes } = await fetchBytes(`${origin.url}/blob.bin`, `bytes=${from}-${to - 1}`);
      const expected = Buffer.from(BLOB.subarray(from, to));
      if (from <= 150_000 && to > 150_000) expected[150_000 - from]! ^= 1;
      expect(bytes.equals(expected), `${from}-${to}`).toBe(true);
    }
  });

  test('delay, hold and throttle give the right answer late', async ({ start }) => {
    const timed = async (origin: Origin, range?: string) => {
      const startedAt = performance.now();
      const { bytes } = await fetchBytes(`${origin.url}/blob.bin`, range);
      return { ms: performance.now() - startedAt, bytes };
    };
    const delayed = await timed(await start(withFault({ type: 'delay', ms: 120 })), 'bytes=0-9');
    expect(delayed.ms).toBeGreaterThan(115);
    const throttled = await timed(await start(withFault({ type: 'throttle', bytesPerSecond: 1_000_000 })));
    expect(throttled.bytes.equals(BLOB)).toBe(true);
    expect(throttled.ms).toBeGreaterThan(280);

    const { promise: until, resolve: release } = deferred();
    const held = await start(withFault({ type: 'hold', until }));
    let answered = false;
    const answer = fetchBytes(`${held.url}/blob.bin`).finally(() => {
      answered = true;
    });
    await held.waitForRequest(/blob/);
    await fetch(`${(await start()).url}/blob.bin`);
    expect(answered).toBe(false);
    release();
    expect((await answer).bytes.length).toBe(300_000);
  });

  test('held from a byte on: what lies before it comes at once', async ({ start }) => {
    const { promise: until, resolve: release } = deferred();
    const origin = await start(withFault({ type: 'hold', until, from: 100_000 }));
    const before = await fetchBytes(`${origin.url}/blob.bin`, 'bytes=90000-99999');
    expect(before.bytes.equals(BLOB.subarray(90_000, 100_000))).toBe(true);
    const { body } = await fetch(`${origin.url}/blob.bin`, { headers: { Range: 'bytes=90000-' } });
    const pieces: Uint8Array[] = [];
    let [length, isFree] = [0, false];
    for await (const piece of body!) {
      pieces.push(piece);
      length += piece.length;
      if (!isFree) expect(length).toBeLessThanOrEqual(10_000);
      if (length !== 10_000) continue;
      isFree = true;
      release();
    }
    expect(Buffer.concat(pieces).equals(BLOB.subarray(90_000))).toBe(true);
  });

  test('a throttle that is let go: what is under way comes at once', async ({ start }) => {
    const { promise: until, resolve: release } = deferred();
    // By itself it would take five minutes.
    const origin = await start(withFault({ type: 'throttle', bytesPerSecond: 1000, until }));
    const { body } = await fetch(`${origin.url}/blob.bin`);
    const pieces: Uint8Array[] = [];
    for await (const piece of body!) {
      pieces.push(piece);
      release();
    }
    expect(pieces[0]!.length).toBeLessThan(BLOB.length);
    expect(Buffer.concat(pieces).equals(BLOB)).toBe(true);
  });

  test('hangs end when the client or the server goes away', async ({ start }) => {
    const origin = await start(withFault({ type: 'hang-at', byte: 1000 }));
    const aborter = new AbortController();
    const response = await fetch(`${origin.url}/blob.bin`, { signal: aborter.signal });
    const reader = response.body!.getReader();
    let got = 0;
    while (got < 1000) got += (await reader.read()).value!.length;
    expect(got).toBe(1000);
    aborter.abort();
    const ended = await origin.waitForRequest((r) => r.endedAt !== undefined);
    expect(ended).toMatchObject({ aborted: true, bodyBytes: 1000 });
    const second = await fetch(`${origin.url}/blob.bin`);
    const body = second.arrayBuffer().then(
      () => 'whole',
      () => 'cut',
    );
    await origin.stop();
    expect(await body).toBe('cut');
  });
});

test('fault instead: what is at another path, range and all, as if it were this file', async ({ start }) => {
  const origin = await start({ fault: () => ({ type: 'instead', path: '/blob.bin' }) });
  const { response, bytes } = await fetchBytes(`${origin.url}/app.js`, 'bytes=10-19');
  expect(response.status).toBe(206);
  expect(bytes.equals(BLOB.subarray(10, 20))).toBe(true);
});
