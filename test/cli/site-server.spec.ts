import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { type SiteServer, startSiteServer } from '../../src/cli/site-server.ts';
import { noise } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';

const sha = 'ab'.repeat(32);
const blob = noise(1, 256);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends what is written, as it is written: no client cleans the path up. */
function raw(
  server: SiteServer,
  target: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { port } = new URL(server.url);
  const lines = [`${options.method ?? 'GET'} ${target} HTTP/1.1`, 'Host: x', 'Connection: close'];
  for (const [name, value] of Object.entries(options.headers ?? {})) lines.push(`${name}: ${value}`);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = createConnection(Number(port), '127.0.0.1', () =>
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    );
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('end', () => {
      const all = Buffer.concat(parts);
      const split = all.indexOf('\r\n\r\n');
      const [first = '', ...rest] = all.subarray(0, split).toString('latin1').split('\r\n');
      const headers = Object.fromEntries(
        rest.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 2)]),
      );
      resolve({ status: Number(first.split(' ')[1]), headers, body: all.subarray(split + 4) });
    });
  });
}

const test = base.extend<{ readonly prefix: string; readonly site: string; readonly server: SiteServer }>({
  prefix: ['/', { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a destructured argument.
  site: async ({}, use) => {
    const { path, remove } = await tempDir('serve');
    const site = join(path, 'site');
    mkdirSync(join(site, 'sub dir'), { recursive: true });
    mkdirSync(join(site, 'bare'));
    writeFileSync(join(path, 'secret.txt'), 'secret');
    writeFileSync(join(site, 'index.html'), '<p>index');
    writeFileSync(join(site, 'sub dir/index.html'), '<p>sub');
    writeFileSync(join(site, 'sw.js'), '1');
    writeFileSync(join(site, 'sluice.json'), '{}');
    writeFileSync(join(site, 'icon.svg'), '<svg/>');
    writeFileSync(join(site, 'empty.txt'), '');
    writeFileSync(join(site, `${sha}.bin`), blob);
    symlinkSync('../secret.txt', join(site, 'link.txt'));
    symlinkSync('..', join(site, 'up'));
    symlinkSync('sw.js', join(site, 'inside.js'));
    await use(site);
    await remove();
  },
  server: async ({ prefix, site }, use) => {
    const server = await startSiteServer({ directory: site, port: 0, prefix });
    await use(server);
    await server.close();
  },
});

test('files with their types and caching', async ({ server }) => {
  const types: [target: string, type: string, cache: string][] = [
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/sub%20dir/', 'text/html; charset=utf-8', 'no-cache'],
    ['/sw.js?v=1', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/inside.js', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/sluice.json', 'application/json', 'no-cache'],
    ['/icon.svg', 'image/svg+xml', 'no-cache'],
    [`/${sha}.bin`, 'application/octet-stream', 'public, max-age=31536000, immutable'],
  ];
  for (const [target, type, cache] of types) {
    const { status, headers, body } = await raw(server, target, {
      headers: { 'Accept-Encoding': 'gzip, br' },
    });
    expect([target, status, headers['content-type'], headers['cache-control']]).toEqual([
      target,
      200,
      type,
      cache,
    ]);
    expect(headers['content-encoding']).toBeUndefined();
    expect(Number(headers['content-length'])).toBe(body.length);
  }
  expect((await raw(server, `/${sha}.bin`)).body).toEqual(Buffer.from(blob));
});

test('what is not there: a text, or the page that the site has for it', async ({ server, site }) => {
  const plain = await raw(server, '/none/at/all');
  expect([plain.status, plain.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
  writeFileSync(join(site, '404.html'), '<p>none');
  const { status, headers, body } = await raw(server, '/none/at/all', { headers: { Range: 'bytes=0-1' } });
  expect([status, headers['content-type'], headers['cache-control'], String(body)]).toEqual([
    404,
    'text/html; charset=utf-8',
    'no-cache',
    '<p>none',
  ]);
  const head = await raw(server, '/none', { method: 'HEAD' });
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([404, '7', 0]);
});

test('single ranges', async ({ server }) => {
  const cases: [range: string, contentRange: string, start: number, end: number][] = [
    ['bytes=0-0', 'bytes 0-0/256', 0, 1],
    ['bytes=10-19', 'bytes 10-19/256', 10, 20],
    ['bytes=-5', 'bytes 251-255/256', 251, 256],
    ['bytes=250-', 'bytes 250-255/256', 250, 256],
    ['bytes=200-999', 'bytes 200-255/256', 200, 256],
    ['bytes=0-256', 'bytes 0-255/256', 0, 256],
  ];
  for (const [Range, contentRange, start, end] of cases) {
    const { status, headers, body } = await raw(server, `/${sha}.bin`, {
      headers: { Range, 'Accept-Encoding': 'gzip' },
    });
    expect([Range, status, headers['content-range'], headers['content-length']]).toEqual([
      Range,
      206,
      contentRange,
      String(end - start),
    ]);
    expect(headers['content-encoding']).toBeUndefined();
    expect(body).toEqual(Buffer.from(blob.subarray(start, end)));
  }
  for (const Range of ['bytes=256-', 'bytes=300-400', 'bytes=-0']) {
    const { status, headers } = await raw(server, `/${sha}.bin`, { headers: { Range } });
    expect([Range, status, headers['content-range']]).toEqual([Range, 416, 'bytes */256']);
  }
  for (const Range of ['bytes=1-2,4-5', 'bytes=5-4', 'items=0-1']) {
    const { status, body } = await raw(server, `/${sha}.bin`, { headers: { Range } });
    expect([Range, status, body.length]).toEqual([Range, 200, 256]);
  }
  expect((await raw(server, '/empty.txt', { headers: { Range: 'bytes=0-0' } })).status).toBe(416);
  expect((await raw(server, '/empty.txt')).body.length).toBe(0);
});

test('ETag, If-None-Match, If-Range, HEAD, other methods', async ({ server }) => {
  for (const target of ['/index.html', `/${sha}.bin`]) {
    const { etag } = (await raw(server, target)).headers as { readonly etag: string };
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, body, headers } = await raw(server, target, {
        headers: { 'If-None-Match': known, Range: 'bytes=0-1' },
      });
      expect([status, body.length, headers.etag]).toEqual([304, 0, etag]);
    }
    expect((await raw(server, target, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
    const range = { Range: 'bytes=0-1' };
    expect((await raw(server, target, { headers: { ...range, 'If-Range': etag } })).status).toBe(206);
    expect((await raw(server, target, { headers: { ...range, 'If-Range': '"old"' } })).status).toBe(200);
    expect((await raw(server, target, { headers: { ...range, 'If-Range': `W/${etag}` } })).status).toBe(200);
  }
  const head = await raw(server, `/${sha}.bin`, { method: 'HEAD', headers: { Range: 'bytes=0-1' } });
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '256', 0]);
  const post = await raw(server, '/', { method: 'POST' });
  expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
});

test('a directory without its slash is redirected, its query kept', async ({ server }) => {
  const { status, headers } = await raw(server, '/sub%20dir?a=1');
  expect(status).toBe(301);
  expect(new URL(headers.location!, new URL('/sub%20dir?a=1', server.url)).href).toBe(
    new URL('/sub%20dir/?a=1', server.url).href,
  );
  expect((await raw(server, '/bare/')).status).toBe(404);
});

test('nothing outside of the directory', async ({ server }) => {
  const targets = [
    '/../secret.txt',
    '/sub%20dir/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..\\secret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/up/',
    '//etc/passwd',
    '/index.html%00.txt',
    '/index.html/',
    '/index.html/x',
    '/%ff',
    'http://x/../secret.txt',
    `/${'a/'.repeat(3000)}`,
    `/${'n'.repeat(300)}`,
  ];
  for (const target of targets) {
    const { status, body } = await raw(server, target);
    expect([target, [400, 404].includes(status)]).toEqual([target, true]);
    expect(body.includes('secret')).toBe(false);
  }
});

test.describe('below a prefix', () => {
  test.use({ prefix: '/games/doom/' });

  test('the site is there and nowhere else', async ({ server }) => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/games\/doom\/$/);
    expect((await raw(server, '/games/doom/')).body.toString()).toBe('<p>index');
    expect((await raw(server, '/games/doom/sub%20dir/index.html')).body.toString()).toBe('<p>sub');
    for (const target of [
      '/',
      '/index.html',
      '/games/',
      '/games/doomed/',
      '/games/doom/../../index.html',
      '/games/doom/games/doom/',
    ]) {
      expect([target, (await raw(server, target)).status >= 400]).toEqual([target, true]);
    }
    const { status, headers } = await raw(server, '/games/doom?x');
    expect([status, new URL(headers.location!, 'http://x/games/doom').pathname]).toEqual([
      301,
      '/games/doom/',
    ]);
  });
});

test('a port in use is a clear error', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(startSiteServer({ directory: '.', port, prefix: '/' })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await new Promise((resolve) => other.close(resolve));
});

test('a client that goes away in the middle does no harm', async ({ server }) => {
  const { port } = new URL(server.url);
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => {
      const socket = createConnection(Number(port), '127.0.0.1', () => {
        socket.write(`GET /${sha}.bin HTTP/1.1\r\nHost: x\r\n\r\n`);
        socket.destroy();
      });
      socket.on('close', () => resolve());
    });
  }
  expect((await raw(server, '/')).status).toBe(200);
});
