import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { writeGoldenSite } from '../golden/golden.ts';
import { expect, test } from '../support/browser.ts';
import type { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { setReadTimeout } from './read-timeout.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

/** Incremental FS's cases by name, over OPFS; the same stand in test/loader over other directories. */

declare const window: LibraryWindow;

async function mounted(page: Page, origin: Origin): Promise<Page> {
  await libraryPage(page, origin);
  await page.evaluate(async () => {
    window.image = await window.mount('/site/', { background: false, readTimeoutMs: 200_000 });
  });
  return page;
}

test('child_procs_waiting_for_data: two tabs, and a page with its worker behind the service worker, wait for one block', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await page.goto(`${server.origin.url}/site/`);
  await launched(page);
  await setReadTimeout(page, 200_000);
  const one = await mounted(await context.newPage(), server.origin);
  const two = await mounted(await context.newPage(), server.origin);
  await one.evaluate(() => window.image.createFile('level.dat', { size: 5000, blockSize: 4096 }));
  const sum = (bytes: number[]): number => bytes.reduce((total, byte) => total + byte, 0);
  const reading = [one, two].map((tab) =>
    tab.evaluate(async () => Array.from(await window.image.readFile('level.dat'))),
  );
  const fetching = page.evaluate(async () =>
    Array.from(new Uint8Array(await (await fetch('level.dat')).arrayBuffer())),
  );
  const working = page.evaluate(async () => {
    const url = new URL('level.dat', location.href).href;
    const script = `fetch('${url}').then((answer) => answer.arrayBuffer()).then((bytes) => postMessage([...new Uint8Array(bytes)]))`;
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
    return new Promise<number[]>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
  });
  const waiters = () =>
    two.evaluate(async () => {
      const { pendingReads } = await window.image.state();
      return pendingReads.find(({ block }) => block.index === 0)?.waiters ?? 0;
    });
  // Both tabs, and what the service worker asks for on behalf of page and worker.
  await expect.poll(waiters).toBeGreaterThanOrEqual(3);
  await two.evaluate(async () => {
    const block = (index: number, length: number) => ({
      path: 'level.dat',
      block: index,
      bytes: new Uint8Array(length).fill(index + 1),
    });
    await window.image.provideBlocks([block(1, 904), block(0, 4096)]);
  });
  for (const bytes of await Promise.all([...reading, fetching, working]))
    expect([bytes.length, sum(bytes)]).toEqual([5000, 4096 + 2 * 904]);
});

test('concurrent_reads_and_writes: two tabs read, while both give blocks in disorder and twice', async ({
  context,
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  const tabs = [await mounted(page, server.origin), await mounted(await context.newPage(), server.origin)];
  const size = 40 * 4096 - 7;
  await page.evaluate((size) => window.image.createFile('shared', { size, blockSize: 4096 }), size);
  const wrong = await Promise.all(
    tabs.map((tab, index) =>
      tab.evaluate(
        async ({ size, index }) => {
          const { image } = window;
          const byteAt = (at: number) => (at * 7 + (at >> 12)) & 255;
          const content = Uint8Array.from({ length: size }, (_, at) => byteAt(at));
          const reads = Array.from({ length: 60 }, async (_, i) => {
            const handle = await image.open('shared');
            const at = (i * 7919) % size;
            const into = new Uint8Array(9000);
            const { bytesRead } = await handle.read(into, 0, into.length, at);
            await handle.close();
            return into.subarray(0, bytesRead).every((byte, k) => byte === byteAt(at + k)) ? 0 : 1;
          });
          const writes = Array.from({ length: 40 }, (_, i) => {
            const block = index === 0 ? (i * 17) % 40 : 39 - i;
            return image.provideBlocks([
              { path: 'shared', block, bytes: content.slice(block * 4096, (block + 1) * 4096) },
            ]);
          });
          await Promise.all(writes);
          return (await Promise.all(reads)).reduce<number>((sum, one) => sum + one, 0);
        },
        { size, index },
      ),
    ),
  );
  expect(wrong).toEqual([0, 0]);
  expect(await page.evaluate(async () => (await window.image.state()).pendingReads)).toEqual([]);
});

test('directory_structure, dirs_corner_cases, attribute, work_after_remount: a tree, its errors, its meta, and all of it again', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  const look = async () =>
    page.evaluate(async () => {
      const { image, outcome } = window;
      return {
        errors: await Promise.all([
          outcome(image.mkdir('a')),
          outcome(image.mkdir('none/below')),
          outcome(image.mkdir('data.json/below')),
          outcome(image.link('a', 'a/b/again')),
          outcome(image.link('a/b', 'second')),
          outcome(image.rmdir('a')),
          outcome(image.rmdir('/')),
          outcome(image.mkdir('..')),
          outcome(image.mkdir('x\0')),
          outcome(image.setMeta('a/b/c/file', new Uint8Array(513))),
          outcome(image.stat('data.json/below')),
        ]),
        tree: await image.readdir('a', { recursive: true }),
        meta: (await image.stat('a/b/c/file')).meta?.length,
        text: await image.readFile('a/b/c/file', 'utf8'),
        published: await outcome(image.stat('docs/guide.html')),
      };
    });
  const want = {
    errors: [
      ...[
        'EEXIST',
        'ENOENT',
        'ENOTDIR',
        'EINVAL',
        'EMLINK',
        'ENOTEMPTY',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'E2BIG',
        'ENOENT',
      ],
    ],
    tree: ['b', 'b/c', 'b/c/file'],
    meta: 512,
    text: 'deep',
    published: 'ENOENT',
  };
  await mounted(page, server.origin);
  await page.evaluate(async () => {
    const { image } = window;
    await image.mkdir('a/b/c', { recursive: true });
    await image.createFile('a/b/c/file', { content: 'deep', meta: new Uint8Array(512) });
    await image.unlink('docs/guide.html');
    await image.rmdir('docs');
  });
  expect(await look()).toEqual(want);
  await mounted(page, server.origin);
  expect(await look()).toEqual(want);
});

test('get_blocks, data_block_count: what is filled of a file, and how many blocks are here, over a remount', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(700_000));
  await using server = await mountServer(site.dir);
  const look = () =>
    page.evaluate(async () => {
      const { image } = window;
      const { blocks } = await image.state();
      return {
        made: await image.filledRanges('made'),
        bulk: (await image.filledRanges('bulk.dat')).length,
        some: blocks.present > 0 && blocks.present < blocks.total,
      };
    });
  await mounted(page, server.origin);
  const before = await page.evaluate(async () => {
    const { image } = window;
    const ranges = await image.filledRanges('bulk.dat');
    await image.createFile('made', { size: 8 * 4096, blockSize: 4096 });
    for (const block of [0, 1, 4, 5])
      await image.provideBlocks([{ path: 'made', block, bytes: new Uint8Array(4096).fill(block) }]);
    const handle = await image.open('bulk.dat');
    await handle.read(new Uint8Array(10), 0, 10, 0);
    await handle.close();
    await image.close();
    return ranges;
  });
  expect(before).toEqual([]);
  await mounted(page, server.origin);
  expect(await look()).toEqual({
    made: [
      { start: 0, end: 2 * 4096 },
      { start: 4 * 4096, end: 6 * 4096 },
    ],
    bulk: 1,
    some: true,
  });
});

test('hash_tree: a wrong bit in a block, its table or the bootstrap is found, and what is stored is right', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(300_000));
  const [blob] = await site.blobs();
  let wrong: { readonly file: string; readonly offset: number } | undefined = {
    file: `${site.image}.bin`,
    offset: 200,
  };
  await using server = await mountServer(site.dir, ({ path }) =>
    wrong && path.endsWith(wrong.file) ? { type: 'flip-bit', offset: wrong.offset } : undefined,
  );
  await libraryPage(page, server.origin);
  const read = () =>
    page.evaluate(async () => {
      const image = await window.mount('/site/', { background: false });
      const code = await window.outcome(image.readFile('bulk.dat'));
      const { present } = (await image.state()).blocks;
      await image.close();
      return [code, present];
    });
  const misled = await page.evaluate(() => window.outcome(window.mount('/site/', { background: false })));
  expect(misled).toBe('integrity');
  wrong = { file: blob!, offset: 30 };
  expect(await read()).toEqual(['integrity', 0]);
  wrong = undefined;
  const [code] = await read();
  expect(code).toBe('no error');
});

test('compatibility: an image of version 1, as it was published, mounts and completes', async ({ page }) => {
  const dir = await tempDir('golden');
  await writeGoldenSite(join(dir.path, 'site'));
  await cp('dist/runtime/__sluice', join(dir.path, 'site/__sluice'), { recursive: true });
  await using server = await mountServer(join(dir.path, 'site'));
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const image = await window.mount('/site/');
    await image.whenComplete();
    return {
      page: await image.readFile('index.html', 'utf8'),
      script: await image.readFile('a.js', 'utf8'),
      data: Array.from((await image.readFile('größe/data.bin')).subarray(4094, 4098)),
      tree: await image.readdir('', { recursive: true }),
    };
  });
  expect(got).toEqual({
    page: '<!doctype html><title>tiny</title>',
    script: 'console.log("tiny")',
    data: [4094, 4095, 4096, 4097].map((at) => (at * 7) & 255),
    tree: ['a.js', 'größe', 'index.html', 'nothing', 'größe/data.bin', 'größe/empty'],
  });
  await dir.remove();
});
