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
  await expect.poll(() => log.console).toContain('warning: careful');
  await expect
    .poll(() => log.failedRequests.join())
    .toMatch(new RegExp(`GET ${refusing} (net::ERR_|NS_ERROR_)`));
});

/** Answers without an end, each made in another way, and one that breaks off. */
const ANSWERS = {
  'index.html': '<!doctype html><title>test</title>',
  'sw.js': `
    self.addEventListener('install', () => skipWaiting());
    self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));
    const bytes = new Uint8Array(64 * 1024);
    const wav = 'RIFF\\xff\\xff\\xff\\x7fWAVEfmt \\x10\\0\\0\\0\\x01\\0\\x01\\0\\x40\\x1f\\0\\0\\x80\\x3e\\0\\0\\x02\\0\\x10\\0data\\xdb\\xff\\xff\\x7f';
    const head = Uint8Array.from(wav, (letter) => letter.charCodeAt(0));
    const body = (breaks) => new ReadableStream({
      start: (controller) => controller.enqueue(head),
      pull: (controller) => breaks ? controller.error(new Error('broken off')) : controller.enqueue(bytes),
    });
    const answers = {
      stream: () => new Response(body(false)),
      blob: () => new Response(new Blob([new Uint8Array(32 * 1024 * 1024)])),
      network: (event) => fetch(event.request),
      'sound.wav': () => new Response(body(false), { headers: { 'Content-Type': 'audio/wav' } }),
      broken: () => new Response(body(true)),
    };
    self.addEventListener('fetch', (event) => {
      const answer = answers[new URL(event.request.url).pathname.slice(1)];
      if (answer) event.respondWith(answer(event));
    });`,
};

test('what a reader gives up is no complaint, whatever a service worker answered with; what the worker breaks off is', async ({
  page,
  log,
  engine,
}) => {
  const dir = await tempDir('given-up');
  for (const [name, text] of Object.entries(ANSWERS)) await writeFile(join(dir.path, name), text);
  await writeFile(join(dir.path, 'network'), new Uint8Array(32 * 1024 * 1024));
  await using origin = await Origin.start({ mounts: { '/': dir.path } });
  await page.goto(origin.url);
  await page.evaluate(async () => {
    const controlled = new Promise((resolve) => {
      navigator.serviceWorker.oncontrollerchange = resolve;
    });
    await navigator.serviceWorker.register('sw.js');
    await controlled;
  });
  const said = engine === 'firefox' ? 1 : 0;
  const abort = (path: string) =>
    page.evaluate(async (path) => {
      const reading = new AbortController();
      const response = await fetch(path, { signal: reading.signal });
      await response.body!.getReader().read();
      reading.abort();
    }, path);
  let given = 0;
  for (const path of ['stream', 'blob', 'network']) {
    await abort(path);
    given++;
    await expect.poll(() => log.errors.length).toBe(given * said);
  }
  await page.evaluate(async () => {
    const response = await fetch('stream');
    await response.body!.cancel();
    const audio = new Audio('sound.wav');
    await new Promise((resolve) => {
      audio.onloadedmetadata = resolve;
    });
    audio.removeAttribute('src');
    audio.load();
  });
  await expect.poll(() => log.errors.length).toBe((given + 2) * said);
  await expect.poll(() => log.complaints()).toEqual([]);

  const broken = page.evaluate(async () => (await fetch('broken')).arrayBuffer());
  await expect(broken).rejects.toThrow();
  await expect.poll(() => log.failedRequests.length).toBeGreaterThan(given);
  await expect.poll(() => log.complaints().length).toBe(said);
  await dir.remove();
});
