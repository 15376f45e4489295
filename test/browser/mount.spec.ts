import { expect, test } from '../support/browser.ts';
import { noise } from '../support/random.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { smallApp, smallSite } from './small-site.ts';

declare const window: LibraryWindow;

test('reads in the manner of fs/promises', async ({ page }) => {
  await using site = await smallSite(smallApp(3_000_000), {
    attributes: { 'data.json': { meta: 'for the app' } },
  });
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const image = await window.mount('/site/');
    const stat = await image.stat('data.json');
    const bulk = await image.readFile('/bulk.dat');
    const names = await image.readdir('/');
    const entries = await image.readdir('docs', { withFileTypes: true });
    await image.prefetch(['bulk.dat', 'docs/guide.html']);
    await image.whenComplete();
    const state = await image.state();
    const result = {
      text: await image.readFile('data.json', 'utf8'),
      again: await image.readFile('data.json', { encoding: 'utf-8' }),
      size: stat.size,
      mime: stat.mime,
      meta: new TextDecoder().decode(stat.meta),
      kinds: [stat.isFile(), stat.isDirectory(), (await image.stat('docs')).isDirectory()],
      bulk: [...new Uint8Array(await crypto.subtle.digest('SHA-256', bulk))],
      names,
      entries: entries.map((entry) => [entry.name, entry.parentPath, entry.isFile()]),
      complete: state.complete,
      reads: (await image.readLog()).reads.length > 0,
    };
    await image.close();
    return result;
  });
  const digest = await crypto.subtle.digest('SHA-256', noise(7, 3_000_000));
  expect(got).toEqual({
    text: '{"answer": 42}',
    again: '{"answer": 42}',
    size: 14,
    mime: expect.stringContaining('json'),
    meta: 'for the app',
    kinds: [true, false, true],
    bulk: [...new Uint8Array(digest)],
    names: ['app.js', 'bulk.dat', 'data.json', 'docs', 'index.html'],
    entries: [['guide.html', 'docs', true]],
    complete: true,
    reads: true,
  });
});

test('streams: the whole, a range with both ends inclusive, past the end', async ({ page }) => {
  await using site = await smallSite(smallApp(2_500_000));
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const image = await window.mount('/site/');
    const digest = async (options?: { start?: number; end?: number }) => {
      const bytes = await new Response(image.createReadStream('bulk.dat', options)).arrayBuffer();
      return [bytes.byteLength, [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join()];
    };
    return [
      await digest(),
      await digest({ start: 1_000_000, end: 2_400_000 }),
      await digest({ start: 2_499_999, end: 9_999_999 }),
      await digest({ start: 9_999_999 }),
    ];
  });
  const source = noise(7, 2_500_000);
  const want = async (start: number, end: number) => {
    const bytes = source.slice(start, end);
    return [bytes.length, new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).join()];
  };
  expect(got).toEqual([
    await want(0, 2_500_000),
    await want(1_000_000, 2_400_001),
    await want(2_499_999, 2_500_000),
    await want(0, 0),
  ]);
});

test('without background: only what is read is fetched', async ({ page }) => {
  await using site = await smallSite(smallApp(5_000_000));
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await page.evaluate(async () => {
    const image = await window.mount('/site/', { background: false });
    await image.readFile('data.json');
    await image.close();
  });
  expect(server.origin.bytes(/\.bin$/)).toBeLessThan(500_000);
});

test('errors are shaped like those of Node, and everything ends at close', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => 'no error',
        (error: { code: string; path: string }) => [error.code, error.path],
      );
    const missing = await outcome(window.mount('/nowhere/'));
    const image = await window.mount('/site');
    const waiting = outcome(image.whenComplete().then(() => new Promise(() => {})));
    const result = {
      missing: missing[0],
      none: await outcome(image.readFile('nope.txt')),
      directory: await outcome(image.readFile('docs')),
      component: await outcome(image.stat('data.json/x')),
      file: await outcome(image.readdir('data.json')),
      range: await outcome(
        Promise.resolve().then(() => image.createReadStream('data.json', { start: 5, end: 4 })),
      ),
      encoding: await outcome(image.readFile('data.json', 'latin1' as 'utf8')),
    };
    await image.close();
    void waiting;
    return { ...result, closed: (await outcome(image.stat('data.json')))[0] };
  });
  expect(got).toEqual({
    missing: 'bad-origin',
    none: ['ENOENT', 'nope.txt'],
    directory: ['EISDIR', 'docs'],
    component: [expect.stringMatching(/^ENOTDIR|ENOENT$/), 'data.json/x'],
    file: ['ENOTDIR', 'data.json'],
    range: ['EINVAL', 'data.json'],
    encoding: ['EINVAL', 'data.json'],
    closed: 'closed',
  });
});
