import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { Origin } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { tempDir } from '../support/temp-dir.ts';

const FILES = {
  'index.html': `<!doctype html><title>test</title><script>
    navigator.serviceWorker.register('sw.js');
    window.ready = navigator.serviceWorker.ready.then(() => true);
    window.call = (request) => new Promise((resolve, reject) => {
      const worker = new Worker('worker.js');
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(request);
    });
  </script>`,
  'sw.js': `
    let served = 0;
    self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));
    self.addEventListener('fetch', (event) => {
      if (event.request.url.endsWith('/from-sw')) event.respondWith(new Response(String(++served)));
    });`,
  'worker.js': `
    onmessage = async ({ data: { write, length } }) => {
      const root = await navigator.storage.getDirectory();
      const file = await root.getFileHandle('kept', { create: true });
      const handle = await file.createSyncAccessHandle();
      const bytes = new Uint8Array(length);
      if (write) {
        handle.write(bytes.map((_, i) => i % 251));
        handle.flush();
      } else handle.read(bytes);
      const size = handle.getSize();
      if (!write) handle.close(); // A writer keeps it open: it is to be killed with the file open.
      postMessage({ size, right: bytes.every((byte, i) => write || byte === i % 251) });
    };`,
};

interface TestWindow {
  ready: Promise<boolean>;
  call(request: { write: boolean; length: number }): Promise<{ size: number; right: boolean }>;
}

test('OPFS and service worker outlive a SIGKILL of the browser, and a stopped worker starts again', async ({
  profile,
}) => {
  const dir = await tempDir('infra');
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(dir.path, name), text);
  const origin = await Origin.start({ mounts: { '/': dir.path } });
  const context = await profile.launch();
  const page = context.pages()[0]!;
  await page.goto(origin.url);
  await page.evaluate(() => (window as unknown as TestWindow).ready);
  const length = 1_000_000;
  const written = await page.evaluate(
    (length) => (window as unknown as TestWindow).call({ write: true, length }),
    length,
  );
  expect(written.size).toBe(length);
  await profile.kill();
  expect(context.pages()).toEqual([]);

  const again = await profile.launch();
  const second = again.pages()[0]!;
  await second.goto(origin.url);
  const fromWorker = () => second.evaluate(async () => (await fetch('/from-sw')).text());
  expect(await fromWorker()).toBe('1');
  expect(await fromWorker()).toBe('2');
  await stopAllServiceWorkers(second);
  expect(await fromWorker()).toBe('1');
  const read = await second.evaluate(
    (length) => (window as unknown as TestWindow).call({ write: false, length }),
    length,
  );
  expect(read).toEqual({ size: length, right: true });
  await profile.close();
  await origin.stop();
  await dir.remove();
});

test('the log holds what a page complains about', async ({ page, log }) => {
  await using origin = await Origin.start({
    mounts: {},
    routes: { '/': (_request, response) => response.end('') },
  });
  await page.goto(origin.url);
  const refusing = `http://127.0.0.1:${await freePort()}/`;
  await page.evaluate((refusing) => {
    console.warn('careful');
    fetch(refusing, { mode: 'no-cors' }).catch(() => {});
    setTimeout(() => {
      throw new Error('uncaught');
    });
  }, refusing);
  await expect.poll(() => log.errors.join()).toContain('uncaught');
  expect(log.console).toContain('warning: careful');
  await expect
    .poll(() => log.failedRequests.join())
    .toMatch(new RegExp(`GET ${refusing} (net::ERR_|NS_ERROR_)`));
});
