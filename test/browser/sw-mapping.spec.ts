import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
import { keptRuntime } from './kept-runtime.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { readonly sluice: Sluice };

/*
 * Files made at run time, asked for by plain fetches: what the service worker knows of the store, and how it comes to know it.
 */

const path = 'made/sound.ogg';
/** Several blocks of 64 KiB, the last one cut. */
const size = 200_001;

/** Byte `i` of the file that {@link make} makes. */
const byteAt = (i: number): number => (i * 7 + (i >> 8)) % 251;

async function make(page: Page, name: string): Promise<void> {
  await page.evaluate(
    ({ name, size }) =>
      window.sluice.createFile(name, {
        content: Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) % 251),
      }),
    { name, size },
  );
}

interface Fetched {
  readonly status: number;
  readonly type: string | null;
  readonly range: string | null;
  readonly length: number;
  readonly sha256: string;
}

function fetched(page: Page, name: string, range?: string): Promise<Fetched> {
  return page.evaluate(
    async ({ name, range }) => {
      const answer = await fetch(`/${name}`, { headers: range === undefined ? {} : { Range: range } });
      const bytes = await answer.arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return {
        status: answer.status,
        type: answer.headers.get('Content-Type'),
        range: answer.headers.get('Content-Range'),
        length: bytes.byteLength,
        sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
      };
    },
    { name, range },
  );
}

const content = (start: number, end: number) =>
  contentOf(Uint8Array.from({ length: end - start }, (_, i) => byteAt(start + i)));
const contentOf = (bytes: Uint8Array) => ({
  length: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const whole: Fetched = { status: 200, type: 'audio/ogg', range: null, ...content(0, size) };
/** Across the border of two blocks. */
const part: Fetched = {
  status: 206,
  type: 'audio/ogg',
  range: `bytes 65000-66999/${size}`,
  ...content(65_000, 67_000),
};

/** Paths that the server was asked for; the browser's own look for a newer sw.js, and for an icon, aside. */
const asked = (origin: Origin) =>
  origin.requests(({ path }) => path !== '/sw.js' && path !== '/favicon.ico').map(({ path }) => path);

/** A service worker that has much to do does not tell in time: it is asked again. */
const mappings = (page: Page) =>
  page.evaluate(async () => {
    for (;;) {
      const { mappings } = await window.sluice.state();
      if (!mappings) continue;
      const { hits, misses, revalidations } = mappings;
      return { hits, misses, revalidations };
    }
  });

test('dynamic_files_and_data: the service worker answers for a file as soon as it is made, until it is removed, and after a restart', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const unanswered: string[] = [];
  context.on('console', (message) => {
    if (message.text().includes('store-changed got no answer')) unanswered.push(message.text());
  });
  const other = await context.newPage();
  await other.goto(`${origin.url}/docs/guide.html`);
  await launched(other);
  await page.evaluate(async () => {
    await window.sluice.whenComplete();
    await window.sluice.mkdir('made');
  });
  await keptRuntime(page);
  origin.reset();

  // From the tab that has just made it, and from the one whose service worker port is not the maker's.
  await make(page, path);
  expect(await fetched(page, path)).toEqual(whole);
  expect(await fetched(page, path, 'bytes=65000-66999')).toEqual(part);
  await make(page, 'made/second.ogg');
  expect(await fetched(other, 'made/second.ogg')).toEqual(whole);
  await make(other, 'made/third.ogg');
  expect(await fetched(page, 'made/third.ogg')).toEqual(whole);

  for (const [unlinks, asks] of [
    [page, other],
    [other, page],
  ] as const) {
    const name = unlinks === page ? 'made/second.ogg' : 'made/third.ogg';
    await unlinks.evaluate((name) => window.sluice.unlink(name), name);
    expect((await fetched(asks, name)).status).toBe(404);
    expect((await fetched(unlinks, name)).status).toBe(404);
  }

  await stopAllServiceWorkers(page);
  origin.reset();
  expect(await fetched(other, path, 'bytes=65000-66999')).toEqual(part);
  expect(await fetched(page, path)).toEqual(whole);
  // Journal and bootstrap are read from the store: neither metadata nor bytes are asked of the server again.
  expect(asked(origin)).toEqual([]);
  expect((await fetched(page, 'made/second.ogg')).status).toBe(404);
  // The restarted one hears of changes as the one before did, and nobody waits for the one that was stopped.
  await make(page, 'made/late.ogg');
  expect(await fetched(other, 'made/late.ogg')).toEqual(whole);
  expect(unanswered).toEqual([]);
});

test('mappings: remembered for the next read, looked at again after a change, begun anew after a restart', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(async () => {
    await window.sluice.whenComplete();
    await window.sluice.mkdir('made');
  });
  await keptRuntime(page);
  await make(page, path);
  await stopAllServiceWorkers(page);
  origin.reset();

  expect(await fetched(page, path)).toEqual(whole);
  expect(await mappings(page)).toEqual({ hits: 0, misses: 1, revalidations: 0 });
  for (let i = 0; i < 3; i++) expect(await fetched(page, path, 'bytes=65000-66999')).toEqual(part);
  expect(await mappings(page)).toEqual({ hits: 3, misses: 1, revalidations: 0 });

  // The change is of another file: what was remembered is looked at once more, and good.
  await page.evaluate(() => window.sluice.createFile('made/other.txt', { content: 'other' }));
  expect(await fetched(page, path)).toEqual(whole);
  expect(await fetched(page, path)).toEqual(whole);
  expect(await mappings(page)).toEqual({ hits: 5, misses: 1, revalidations: 1 });

  // A new file under the old name is not answered from what is remembered of the old one.
  await page.evaluate(async (path) => {
    await window.sluice.unlink(path);
    await window.sluice.createFile(path, { content: 'no sound' });
  }, path);
  expect(await fetched(page, path)).toMatchObject(contentOf(new TextEncoder().encode('no sound')));
  expect(await mappings(page)).toEqual({ hits: 5, misses: 2, revalidations: 1 });
  expect(asked(origin)).toEqual([]);
});
