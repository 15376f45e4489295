import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { hasNginx, Nginx } from '../support/nginx.ts';
import { tempDir } from '../support/temp-dir.ts';

test.skip(!hasNginx(), 'nginx is not installed');

function headersOf(url: string): Promise<NodeJS.Dict<string | string[]>> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'Accept-Encoding': 'gzip' } }, (response) => {
      response.resume();
      resolve(response.headers);
    }).on('error', reject);
  });
}

test('nginx serves directories below prefixes, with and without gzip, and is gone after stop', async () => {
  const dir = await tempDir('nginx-site');
  await writeFile(join(dir.path, 'index.html'), 'hello');
  await writeFile(join(dir.path, 'app.mjs'), 'export const a = 1;\n'.repeat(100));
  await writeFile(join(dir.path, 'blob.bin'), new Uint8Array(5000));
  for (const gzip of [false, true]) {
    const nginx = await Nginx.start({ mounts: { '/games/doom/': dir.path, '/': dir.path }, gzip });
    expect(await (await fetch(`${nginx.url}/games/doom`)).text()).toBe('hello');
    expect((await fetch(`${nginx.url}/games/`)).status).toBe(404);
    const range = await fetch(`${nginx.url}/blob.bin`, { headers: { Range: 'bytes=10-19' } });
    expect(range.status).toBe(206);
    expect(range.headers.get('content-range')).toBe('bytes 10-19/5000');
    const script = await headersOf(`${nginx.url}/games/doom/app.mjs`);
    expect(script['content-type']).toBe('text/javascript');
    expect(script['content-encoding']).toBe(gzip ? 'gzip' : undefined);
    expect((await headersOf(`${nginx.url}/blob.bin`))['content-encoding']).toBe(undefined);
    await nginx.stop();
    await expect(fetch(nginx.url)).rejects.toThrow();
  }
  await dir.remove();
});
