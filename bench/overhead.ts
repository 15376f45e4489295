import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import { Origin } from '../test/support/origin.ts';
import { noise, seededRandom } from '../test/support/random.ts';
import { columns, threeDigits } from './columns.ts';
import { firstByte } from './first-byte.ts';
import { publish } from './publish.ts';
import { QuietPage } from './quiet-page.ts';
import { withRange } from './table.ts';

const appDir = fileURLToPath(new URL('../.cache/bench/overhead-app/', import.meta.url));
const smallBytes = 2 ** 14;
const largeBytes = 2 ** 26;
/** Small reads a run: their median is the run's value. */
const smallReads = 50;
const deadlineMs = 120_000;

/** Noise, which is stored raw; real code in blocks of 256 KiB and of 64 KiB; and words at random, which zstd decodes unusually slowly. */
const largeFiles = ['raw.bin', 'code.dat', 'code.data', 'text.txt'] as const;
const labels: Readonly<Record<(typeof largeFiles)[number], string>> = {
  'raw.bin': '64 MiB raw, MB/s',
  'code.dat': '64 MiB of code, zstd 256 KiB, MB/s',
  'code.data': '64 MiB of code, zstd 64 KiB, MB/s',
  'text.txt': '64 MiB of random words, zstd 256 KiB, MB/s',
};

/** What `code` is made of, as far as it is needed: scripts and WebAssembly as they are published. */
const codeFiles = [
  'cesium/Build/Cesium/Cesium.js',
  'cesium/Build/CesiumUnminified/Cesium.js',
  'monaco-editor/esm/vs/languages/features/typescript/lib/typescriptServices.js',
  'pyodide/pyodide.asm.wasm',
  'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
  'onnxruntime-web/dist/ort-wasm-simd-threaded.jspi.wasm',
];

/** The shortest service worker that answers from Cache Storage. */
const cacheWorker = `
addEventListener('install', (event) => event.waitUntil(
  caches.open('app').then((cache) => cache.addAll(${JSON.stringify(['small.bin', ...largeFiles])}))));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
const cache = caches.open('app');
addEventListener('fetch', (event) => event.respondWith(
  cache.then((app) => app.match(event.request)).then((found) => found ?? fetch(event.request))));`;

/** The same bytes from Sluice's service worker (sealed blobs in OPFS) and from Cache Storage by a minimal one, both in real Chromium, each in a browser of its own. */
export async function overhead(runs: number): Promise<void> {
  await makeApp();
  const site = await publish({ name: 'overhead', dir: appDir, entry: '', expected: undefined }, 'sluice');
  const routes = { '/plain': htmlPage };
  await using sluiceOrigin = await Origin.start({ mounts: { '/': site }, routes });
  await using cacheOrigin = await Origin.start({
    mounts: { '/': appDir },
    routes: {
      ...routes,
      '/': htmlPage,
      '/sw.js': (_request, response) =>
        response.setHeader('Content-Type', 'text/javascript').end(cacheWorker),
    },
  });
  const profiles = [await BrowserProfile.create(), await BrowserProfile.create()] as const;
  const pages: QuietPage[] = [];
  try {
    for (const { dir } of profiles) pages.push(await QuietPage.launch(dir));
    const sides: readonly Side[] = [
      { name: 'Cache Storage', page: pages[0]!, url: cacheOrigin.url, open: openCache },
      { name: 'Sluice', page: pages[1]!, url: sluiceOrigin.url, open: openSluice },
    ];
    for (const { page, url, open } of sides) await open(page, url);
    const rows: string[][] = [['', ...sides.map(({ name }) => name), 'Sluice ÷ Cache Storage']];
    for (const { label, measure } of measurements) {
      const values: [cache: number[], sluice: number[]] = [[], []];
      for (let run = -1; run < runs; run++) {
        for (const side of run % 2 === 0 ? [0, 1] : [1, 0]) {
          const value = await measure(sides[side]!);
          if (run >= 0) values[side]!.push(value); // The first one warms up.
        }
      }
      const ratios = values[1].map((value, run) => value / values[0][run]!);
      rows.push([label, ...[...values, ratios].map((all) => withRange(all, threeDigits))]);
      console.error(`  ${label}`);
    }
    console.log(`\nmedian (least–most) of ${runs}, in turn; ratios run by run\n${columns(rows, 1)}`);
  } finally {
    for (const page of pages) await page.close();
    for (const profile of profiles) await profile.remove();
  }
}

function htmlPage(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>plain</title>');
}

interface Side {
  readonly name: string;
  readonly page: QuietPage;
  readonly url: string;
  /** Resolves when the page at `url` is controlled and everything is stored. */
  readonly open: (page: QuietPage, url: string) => Promise<void>;
}

/** In this order: the last one leaves the pages closed. */
const measurements: readonly { label: string; measure: (side: Side) => Promise<number> }[] = [
  { label: '16 KiB, ms', measure: ({ page }) => smallRead(page) },
  ...largeFiles.map((name) => ({
    label: labels[name],
    measure: ({ page }: Side) => largeRead(page, `/${name}`),
  })),
  { label: 'first byte of 16 KiB, worker stopped before, ms', measure: afterStop },
];

function smallRead(page: QuietPage): Promise<number> {
  return page.evaluate(
    async ({ count, bytes }) => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        const { byteLength } = await (await fetch('/small.bin')).arrayBuffer();
        times.push(performance.now() - began);
        if (byteLength !== bytes) throw new Error(`${byteLength} bytes`);
      }
      return times.sort((a, b) => a - b)[count >> 1]!;
    },
    { count: smallReads, bytes: smallBytes },
  );
}

function largeRead(page: QuietPage, path: string): Promise<number> {
  return page.evaluate(
    async ({ path, bytes }) => {
      const began = performance.now();
      const { byteLength } = await (await fetch(path)).arrayBuffer();
      const ms = performance.now() - began;
      if (byteLength !== bytes) throw new Error(`${byteLength} bytes`);
      return byteLength / 1000 / ms;
    },
    { path, bytes: largeBytes },
  );
}

/** In a page that is not the app's, so that nobody wakes the worker but the fetch. */
async function afterStop({ page, url }: Side): Promise<number> {
  await page.goto(`${url}/plain`);
  await firstByte(page, '/small.bin');
  await page.stopServiceWorkers();
  return firstByte(page, '/small.bin');
}

async function openCache(page: QuietPage, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/sw.js');
    await navigator.serviceWorker.ready;
  });
  await page.goto(`${url}/?again`);
  await until(page, () => navigator.serviceWorker.controller !== null);
}

async function openSluice(page: QuietPage, url: string): Promise<void> {
  const shown = (): Promise<void> => until(page, () => document.body?.textContent?.trim() === 'overhead');
  await page.goto(`${url}/`);
  await shown();
  await until(page, async () => (await window.sluice.state()).complete);
  await page.goto(`${url}/?again`); // A worker that reads only what is sealed.
  await shown();
}

async function until(page: QuietPage, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + deadlineMs;
  let trouble: unknown;
  while (performance.now() < end) {
    try {
      if (await page.evaluate(holds)) return;
    } catch (error) {
      trouble = error; // A page that gives way to the next takes the question with it.
    }
    await pause(100);
  }
  throw new Error(`not so after ${deadlineMs} ms: ${holds}`, { cause: trouble });
}

declare const window: Window & {
  readonly sluice: { state(): Promise<{ readonly complete: boolean }> };
};

async function makeApp(): Promise<void> {
  await rm(appDir, { recursive: true, force: true });
  await mkdir(appDir, { recursive: true });
  await writeFile(
    join(appDir, 'index.html'),
    '<!doctype html><meta charset="utf-8"><title>overhead</title>overhead',
  );
  await writeFile(join(appDir, 'small.bin'), noise(1, smallBytes));
  await writeFile(join(appDir, 'raw.bin'), noise(2, largeBytes));
  const code = await realCode(largeBytes);
  await writeFile(join(appDir, 'code.dat'), code);
  // Other bytes, or it would be stored once for both: without the first one all blocks are others.
  await writeFile(join(appDir, 'code.data'), Buffer.concat([code.subarray(1), code.subarray(0, 1)]));
  await writeFile(join(appDir, 'text.txt'), words(largeBytes));
}

async function realCode(length: number): Promise<Buffer> {
  const packages = fileURLToPath(new URL('../node_modules/', import.meta.url));
  const parts = await Promise.all(codeFiles.map((path) => readFile(join(packages, path))));
  const code = Buffer.concat(parts).subarray(0, length);
  if (code.length < length) throw new Error(`only ${code.length} bytes of real code: add a file`);
  return code;
}

/** Words at random from a small language: zstd makes a third of them. */
function words(length: number): Buffer {
  const random = seededRandom(3);
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const word = (): string =>
    Array.from({ length: 3 + random() * 8 }, () => letters[Math.floor(random() ** 2 * letters.length)]).join(
      '',
    );
  const language = Array.from({ length: 20_000 }, () => Buffer.from(`${word()} `));
  const text = Buffer.alloc(length, ' ');
  for (let at = 0; at < length; ) at += language[Math.floor(random() ** 2 * language.length)]!.copy(text, at);
  return text;
}
