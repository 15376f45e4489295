import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: LibraryWindow & { readonly sluice: Sluice };

async function mounted(page: Page, origin: Origin): Promise<Page> {
  await libraryPage(page, origin);
  await page.evaluate(async () => {
    window.image = await window.mount('/site/', { background: false });
  });
  return page;
}

test('dynamic_files_and_data: made in one tab, at once in another, and there after a remount', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await mounted(page, server.origin);
  const other = await mounted(await context.newPage(), server.origin);
  await page.evaluate(async () => {
    const { image } = window;
    await image.mkdir('packs/de', { recursive: true });
    await image.createFile('packs/de/text.json', { content: '{"hallo": 1}', meta: 'v1' });
    await image.writeFile('/packs/de/bytes.bin', new Uint8Array([1, 2, 3]), { mime: 'application/x-own' });
    await image.createFile('packs/large.dat', { content: new Blob([new Uint8Array(9_000_001).fill(7)]) });
    await image.link('packs/de/text.json', 'packs/second.json');
    await image.setMeta('packs/large.dat', new Uint8Array([9]));
    await image.unlink('data.json');
  });
  const look = (tab: Page) =>
    tab.evaluate(async () => {
      const { image, outcome } = window;
      const large = await image.readFile('packs/large.dat');
      const stat = await image.stat('packs/second.json');
      return {
        tree: await image.readdir('packs', { recursive: true }),
        text: await image.readFile('packs/second.json', 'utf8'),
        same: stat.ino === (await image.stat('packs/de/text.json')).ino,
        nlink: stat.nlink,
        meta: [new TextDecoder().decode(stat.meta), ...((await image.stat('packs/large.dat')).meta ?? [])],
        mime: (await image.stat('packs/de/bytes.bin')).mime,
        large: [large.length, large.every((byte) => byte === 7)],
        removed: await outcome(image.stat('data.json')),
      };
    });
  const want = {
    tree: ['de', 'large.dat', 'second.json', 'de/bytes.bin', 'de/text.json'],
    text: '{"hallo": 1}',
    same: true,
    nlink: 2,
    meta: ['v1', 9],
    mime: 'application/x-own',
    large: [9_000_001, true],
    removed: 'ENOENT',
  };
  expect(await look(other)).toEqual(want);
  await other.evaluate(() => window.image.close());
  await page.evaluate(() => window.image.close());
  expect(await look(await mounted(page, server.origin))).toEqual(want);
});

test('dynamic_files_and_data: a file with a size only: its reader waits for a data loader in another tab', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await mounted(page, server.origin);
  const loader = await mounted(await context.newPage(), server.origin);
  await page.evaluate(() => window.image.createFile('level.dat', { size: 10_000, blockSize: 4096 }));
  const feeding = loader.evaluate(async () => {
    const { image } = window;
    const told: string[] = [];
    for await (const reads of image.pendingReads()) {
      for (const { path, block } of reads) {
        told.push(path);
        const bytes = new Uint8Array(Math.min(4096, 10_000 - block.index * 4096)).fill(block.index + 1);
        await image.provideBlocks([{ path, block: block.index, bytes }]);
      }
      if (told.length >= 3) return told;
    }
    return told;
  });
  const got = await page.evaluate(async () => {
    const { image, outcome } = window;
    const bytes = await image.readFile('level.dat');
    const again = new Uint8Array(4096).fill(99);
    await image.provideBlocks([{ path: 'level.dat', block: 0, bytes: again }]);
    const provide = (path: string, block: number, length: number) =>
      outcome(image.provideBlocks([{ path, block, bytes: new Uint8Array(length) }]));
    await image.createFile('next.dat', { size: 5000, blockSize: 4096 });
    return {
      length: bytes.length,
      ends: [bytes[0], bytes[4096], bytes[9999]],
      unchanged: (await image.readFile('level.dat'))[0],
      none: await provide('nope.dat', 0, 4096),
      range: await provide('next.dat', 2, 10),
      long: await provide('next.dat', 1, 4096),
      short: await provide('next.dat', 0, 4095),
    };
  });
  expect(got).toEqual({
    length: 10_000,
    ends: [1, 2, 3],
    unchanged: 1,
    none: 'ENOENT',
    range: 'ERANGE',
    long: 'E2BIG',
    short: 'EINVAL',
  });
  expect(await feeding).toEqual(['level.dat', 'level.dat', 'level.dat']);
});

test('errors_on_overwrite, and the other codes of Node', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await mounted(page, server.origin);
  const got = await page.evaluate(async () => {
    const { image, outcome } = window;
    await image.writeFile('one.txt', '1');
    await image.mkdir('dir');
    return Promise.all([
      outcome(image.writeFile('one.txt', '2')),
      outcome(image.writeFile('data.json', '2')),
      outcome(image.writeFile('two.txt', '2', { flag: 'w' as 'wx' })),
      outcome(image.mkdir('dir')),
      outcome(image.mkdir('dir', { recursive: true })),
      outcome(image.link('dir', 'other')),
      outcome(image.link('nope', 'other')),
      outcome(image.unlink('dir')),
      outcome(image.rmdir('docs')),
      outcome(image.rmdir('one.txt')),
      outcome(image.writeFile('a/b', '')),
      outcome(image.writeFile('dir/x'.padEnd(300, 'x'), '')),
      outcome(image.setMeta('one.txt', 'x'.repeat(513))),
      outcome(image.createFile('three', { size: 10, blockSize: 3000 })),
      image.readFile('one.txt', 'utf8'),
    ]);
  });
  expect(got).toEqual([
    'EEXIST',
    'EEXIST',
    'EINVAL',
    'EEXIST',
    'no error',
    'EMLINK',
    'ENOENT',
    'EISDIR',
    'ENOTEMPTY',
    'ENOTDIR',
    'ENOENT',
    'ENAMETOOLONG',
    'E2BIG',
    'EINVAL',
    '1',
  ]);
});

test('dynamic_files_and_data: a launched app fetches what it has just made, and another tab of it', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const other = await context.newPage();
  await other.goto(`${origin.url}/docs/guide.html`);
  await launched(other);
  const own = await page.evaluate(async () => {
    await window.sluice.mkdir('made');
    await window.sluice.createFile('made/level.json', { content: '{"made": 1}' });
    const answer = await fetch('made/level.json');
    return [answer.status, answer.headers.get('Content-Type'), await answer.text()];
  });
  expect(own).toEqual([200, expect.stringContaining('json'), '{"made": 1}']);
  expect(await other.evaluate(async () => (await fetch('/made/level.json')).text())).toBe('{"made": 1}');
  const gone = await other.evaluate(async () => {
    await window.sluice.unlink('made/level.json');
    const { sequence } = await window.sluice.state();
    return [(await fetch('/made/level.json')).status, sequence > 0];
  });
  expect(gone).toEqual([404, true]);
  // A service worker that has much to do does not tell in time.
  await expect.poll(() => other.evaluate(async () => (await window.sluice.state()).mappings)).toBeDefined();
});
