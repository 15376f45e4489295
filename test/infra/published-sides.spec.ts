import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { addBrotliFiles } from '../../bench/brotli.ts';
import { startServer } from '../../bench/server.ts';
import { precacheManifest } from '../../bench/workbox/add-workbox.ts';
import { answerRange } from '../../bench/workbox/answer-range.ts';
import { hasNginx } from '../support/nginx.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** As it comes over the wire: `fetch` would decode it. */
function wire(url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
    }).on('error', reject);
  });
}

test('brotli made in advance: nginx sends it to those who take it, with the type of the file itself', async () => {
  test.skip(!hasNginx(), 'nginx is not installed');
  const { path: dir, remove } = await tempDir('brotli');
  const script = 'export const a = 1;\n'.repeat(500);
  await mkdir(join(dir, 'deep'));
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>home</title>');
  await writeFile(join(dir, 'deep', 'a b.mjs'), script);
  await writeFile(join(dir, 'photo.png'), script);
  await addBrotliFiles(dir);
  expect((await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.br')).sort()).toEqual([
    'deep/a b.mjs.br',
    'index.html.br',
  ]);
  await using server = await startServer('nginx', dir, 'brotli');
  const url = `http://127.0.0.1:${server.port}`;
  const takes = { 'Accept-Encoding': 'gzip, deflate, br, zstd' };

  const home = await wire(`${url}/`, takes);
  expect(home.headers).toMatchObject({
    'content-type': 'text/html',
    'content-encoding': 'br',
    vary: 'Accept-Encoding',
  });
  expect(brotliDecompressSync(home.body).toString()).toContain('home');
  const packed = await wire(`${url}/deep/a%20b.mjs`, takes);
  expect(packed.headers).toMatchObject({ 'content-type': 'text/javascript', 'content-encoding': 'br' });
  expect(packed.body.length).toBeLessThan(100);
  expect(brotliDecompressSync(packed.body).toString()).toBe(script);

  const plain = await wire(`${url}/deep/a%20b.mjs`, { 'Accept-Encoding': 'gzip' });
  expect(plain.headers['content-encoding']).toBe(undefined);
  expect(plain.body.toString()).toBe(script);
  const part = await wire(`${url}/deep/a%20b.mjs`, { 'Accept-Encoding': 'identity', Range: 'bytes=7-11' });
  expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 7-11/${script.length}` } });
  expect((await wire(`${url}/photo.png`, takes)).body.toString()).toBe(script);
  expect((await wire(`${url}/none.js`, takes)).status).toBe(404);
  await remove();
});

test('a server without brotli says so', async () => {
  expect(() => startServer('node', '.', 'brotli')).toThrow('install nginx');
});

test('a precache manifest names every file by URL, with a revision of its content', async () => {
  const { path: dir, remove } = await tempDir('manifest');
  await mkdir(join(dir, 'Größe #1'));
  await writeFile(join(dir, 'index.html'), 'same');
  await writeFile(join(dir, 'Größe #1', 'what?.js'), 'same');
  await writeFile(join(dir, 'z.js'), 'other');
  const manifest = await precacheManifest(dir);
  expect(manifest.map(({ url }) => url)).toEqual(['Gr%C3%B6%C3%9Fe%20%231/what%3F.js', 'index.html', 'z.js']);
  expect(manifest[0]!.revision).toBe(manifest[1]!.revision);
  expect(manifest[0]!.revision).not.toBe(manifest[2]!.revision);
  await remove();
});

test('a precached answer is cut to the range that is asked for', async () => {
  const whole = () => new Response('0123456789', { headers: { 'Content-Type': 'application/pdf' } });
  const answer = (range: string) =>
    answerRange(new Request('http://x/', { headers: { Range: range } }), whole());
  const middle = await answer('bytes=2-4');
  expect(middle!.status).toBe(206);
  expect(await middle!.text()).toBe('234');
  expect(Object.fromEntries(middle!.headers)).toEqual({
    'content-type': 'application/pdf',
    'content-range': 'bytes 2-4/10',
    'content-length': '3',
  });
  expect(await (await answer('bytes=8-99'))!.text()).toBe('89');
  expect(await (await answer('bytes=8-'))!.text()).toBe('89');
  expect((await answer('bytes=10-12'))!.status).toBe(416);
  expect((await answerRange(new Request('http://x/'), whole()))!.status).toBe(200);
  expect(await answerRange(new Request('http://x/'), undefined)).toBe(undefined);
});
