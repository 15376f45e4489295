import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockSource } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { smallApp, smallSite } from './small-site.ts';

declare const window: LibraryWindow;

test("a source of the page's own brings every block, also to a loader that replaces one that died", async ({
  page,
}) => {
  await using site = await smallSite(smallApp(3_000_000));
  await using server = await mountServer(site.dir);
  const { origin } = server;
  await libraryPage(page, origin);
  const files: Record<string, string> = {};
  for (const name of [`${site.image}.bin`, ...(await site.blobs())])
    files[name.slice(0, -4)] = (await readFile(join(site.dir, name))).toString('base64');
  const bytes = Buffer.from(files[site.image]!, 'base64').length;
  origin.reset();
  const got = await page.evaluate(
    async ({ files, release }) => {
      const { mount, workers } = window;
      const asked: string[] = [];
      const source: BlockSource = {
        wholeFiles: false,
        async *fetch({ file, start, end, signal }) {
          asked.push(file.sha256);
          const bytes = Uint8Array.from(atob(files[file.sha256]!), (c) => c.charCodeAt(0));
          for (let at = start; at < end; at += 65_536) {
            signal.throwIfAborted();
            yield { offset: at, bytes: bytes.slice(at, Math.min(end, at + 65_536)) };
          }
        },
      };
      const image = await mount('/site/', { source, release, background: false });
      const text = await image.readFile('data.json', 'utf8');
      const before = asked.length;
      workers.at(-1)!.terminate();
      const bulk = await image.readFile('bulk.dat');
      const result = {
        text,
        before: before > 0,
        after: asked.length > before,
        lives: workers.length,
        bulk: bulk.length,
        last: bulk.at(-1),
      };
      await image.close();
      return result;
    },
    { files, release: { image: site.image, bytes } },
  );
  const bulk = Buffer.from((smallApp(3_000_000)['bulk.dat'] as Uint8Array).buffer);
  expect(got).toEqual({
    text: '{"answer": 42}',
    before: true,
    after: true,
    lives: 2,
    bulk: 3_000_000,
    last: bulk.at(2_999_999),
  });
  expect(origin.requests(/\.bin$/)).toEqual([]);
});

test('a source that gives wrong bytes: no reader sees them', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const code = await page.evaluate(async (bootstrap) => {
    const { mount, outcome } = window;
    const source: BlockSource = {
      wholeFiles: false,
      async *fetch({ file, start, end }) {
        const answer = await fetch(`/site/${file.sha256}.bin`);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (file.sha256 !== bootstrap) for (let at = start; at < end; at += 100) bytes[at]! ^= 1;
        yield { offset: start, bytes: bytes.slice(start, end) };
      },
    };
    const image = await mount('/site/', { source, background: false });
    const code = await outcome(image.readFile('data.json'));
    await image.close();
    return code;
  }, site.image);
  expect(code).toBe('integrity');
});

test('multiple_providers: data loaders are told of every pending read, each by its own serial; and again by a new leader', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(1_000_000));
  // The server never gives a block: data loaders do.
  let allowed = false;
  await using server = await mountServer(site.dir, ({ path }) =>
    path.endsWith('.bin') && !path.includes(site.image) && !allowed ? { type: 'hang' } : undefined,
  );
  await libraryPage(page, server.origin);
  const blob = (await site.blobs())[0]!;
  const got = await page.evaluate(async () => {
    const { mount, workers } = window;
    const image = await mount('/site/', { background: false, readTimeoutMs: 200_000 });
    window.image = image;
    const first = image.pendingReads();
    const second = image.pendingReads();
    const next = async (reads: typeof first) => (await reads.next()).value ?? [];
    const told = [next(first), next(second)];
    void image.readFile('data.json').catch(() => {});
    const [a, b] = await Promise.all(told);
    const later = next(first);
    workers.at(-1)!.terminate();
    const again = await later;
    const abort = new AbortController();
    const third = image.pendingReads({ after: again.at(-1)!.serial, signal: abort.signal });
    const aborted = window.outcome(third.next());
    abort.abort();
    return {
      same: JSON.stringify(a!.map((read) => read.serial)) === JSON.stringify(b!.map((read) => read.serial)),
      path: a!.map((read) => read.path),
      newer: again[0]!.serial > a!.at(-1)!.serial,
      again: again.map((read) => read.path),
      aborted: await aborted,
    };
  });
  expect(got).toEqual({
    same: true,
    path: expect.arrayContaining(['data.json']),
    newer: true,
    again: expect.arrayContaining(['data.json']),
    aborted: 'AbortError',
  });
  // The blob's table and block, by the page's own hands: what waits is served, though the server hangs.
  allowed = true;
  const fed = await page.evaluate(async (name) => {
    const { image, outcome } = window;
    const bytes = new Uint8Array(await (await fetch(`/site/${name}`)).arrayBuffer());
    const wrong = await outcome(
      image.provideBlocks([{ blob: 0, block: 1_000_000, bytes: bytes.slice(0, 10) }]),
    );
    const ended: string[] = [];
    const waiting = (async () => {
      for await (const reads of image.pendingReads()) ended.push(`${reads.length}`);
      return 'ended';
    })();
    await image.close();
    return { wrong, waiting: await waiting };
  }, blob);
  expect(fed).toEqual({ wrong: 'ERANGE', waiting: 'ended' });
});

test('loaders that die young are replaced after 1 s, 10 s, 100 s; one that was healthy, at once', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const waits = await page.evaluate(async () => {
    const { mount, workers, setTimeout } = window;
    const now = performance.now.bind(performance);
    const waits: number[] = [];
    let later = 0;
    performance.now = () => now() + later;
    // Of all delays only those of the back-off are spread at random. They are noted, and over at once.
    window.setTimeout = ((run: () => void, ms = 0) => {
      if (!Number.isInteger(ms)) waits.push(ms);
      return setTimeout(run, Number.isInteger(ms) ? ms : 0);
    }) as typeof setTimeout;
    const image = await mount('/site/', { background: false });
    for (const lived of [0, 0, 0, 31_000, 0]) {
      await image.state();
      later += lived;
      const { length } = workers;
      workers.at(-1)!.terminate();
      while (workers.length === length) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await image.close();
    return waits;
  });
  expect(waits.map((ms) => 10 ** Math.round(Math.log10(ms)))).toEqual([1000, 10_000, 100_000, 100, 1000]);
});

test('closed while its loader is dead: at once, and no other one is begun for it', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const begun = await page.evaluate(async () => {
    const { mount, workers, setTimeout } = window;
    // Of all delays only those of the back-off are spread at random. They last until it is closed, however long that takes.
    window.setTimeout = ((run: () => void, ms = 0) =>
      Number.isInteger(ms) ? setTimeout(run, ms) : 0) as typeof setTimeout;
    const image = await mount('/site/', { background: false });
    workers.at(-1)!.terminate();
    // Its Web Lock tells.
    while ((await navigator.locks.query()).held?.length) await new Promise((r) => setTimeout(r, 10));
    await new Promise((resolve) => setTimeout(resolve));
    const { length } = workers;
    await image.close();
    return workers.length - length;
  });
  expect(begun).toBe(0);
});

test('a loader worker that hangs is replaced, and what waits is answered by the next one', async ({
  page,
  engine,
}) => {
  test.skip(engine !== 'chromium', 'what drives this browser does not reach into workers');
  await using site = await smallSite(smallApp(500_000));
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await page.evaluate(async () => {
    window.image = await window.mount('/site/', { background: false, readTimeoutMs: 60_000 });
  });
  // In a task of its own: browsers do not terminate one of the inspector's.
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      for (;;);
    });
  });
  const got = await page.evaluate(async () => {
    const { image, workers } = window;
    return [await image.readFile('data.json', 'utf8'), workers.length];
  });
  expect(got).toEqual(['{"answer": 42}', 2]);
});
