import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { stopAllServiceWorkers } from '../support/service-workers.ts';
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

test('directory_structure, attribute, work_after_remount: after the browser was killed, everything is as it was', async ({
  profile,
}) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  const first = await (await profile.launch()).newPage();
  await mounted(first, server.origin);
  await first.evaluate(async () => {
    const { image } = window;
    for (const of of ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'empty']) await image.mkdir(of);
    await image.writeFile('a/b/c/d/deep.txt', 'deep');
    await image.link('a/b/c/d/deep.txt', 'a/near.txt');
    await image.link('data.json', 'a/data.json');
    await image.setMeta('a/near.txt', new Uint8Array(512).fill(5));
    await image.setMeta('docs', 'of a published directory');
    await image.createFile('a/half.dat', { size: 3 * 4096, blockSize: 4096 });
    const block = (n: number) => ({ path: 'a/half.dat', block: n, bytes: new Uint8Array(4096).fill(n + 1) });
    await image.provideBlocks([block(2), block(0)]);
    await image.writeFile('gone.txt', 'x');
    await image.unlink('gone.txt');
    await image.unlink('docs/guide.html');
    await image.mkdir('was');
    await image.rmdir('was');
  });
  await profile.kill();

  const second = await (await profile.launch()).newPage();
  await mounted(second, server.origin);
  const got = await second.evaluate(async () => {
    const { image, outcome } = window;
    image.readTimeoutMs = 0;
    const text = (meta: Uint8Array | undefined) => new TextDecoder().decode(meta);
    const deep = await image.stat('a/b/c/d/deep.txt');
    const before = await image.filledRanges('a/half.dat');
    const missing = await outcome(image.readFile('a/half.dat'));
    await image.provideBlocks([{ path: 'a/half.dat', block: 1, bytes: new Uint8Array(4096).fill(2) }]);
    const half = await image.readFile('a/half.dat');
    return {
      tree: await image.readdir('', { recursive: true }),
      deep: await image.readFile('a/near.txt', 'utf8'),
      links: [deep.nlink, deep.ino === (await image.stat('a/near.txt')).ino],
      meta: [
        deep.meta?.length,
        deep.meta?.every((byte) => byte === 5),
        text((await image.stat('docs')).meta),
      ],
      published: (await image.stat('a/data.json')).nlink,
      gone: [await outcome(image.stat('gone.txt')), await outcome(image.stat('docs/guide.html'))],
      before,
      missing,
      half: [half[0], half[4096], half[8192], half.length],
    };
  });
  expect(got).toEqual({
    tree: [
      'a',
      'app.js',
      'data.json',
      'docs',
      'empty',
      'index.html',
      'a/b',
      'a/data.json',
      'a/half.dat',
      'a/near.txt',
      'a/b/c',
      'a/b/c/d',
      'a/b/c/d/deep.txt',
    ],
    deep: 'deep',
    links: [2, true],
    meta: [512, true, 'of a published directory'],
    published: 2,
    gone: ['ENOENT', 'ENOENT'],
    before: [
      { start: 0, end: 4096 },
      { start: 8192, end: 12_288 },
    ],
    missing: 'read-timeout',
    half: [1, 2, 3, 12_288],
  });
});

test('dirs_corner_cases: the codes of Node, and nothing has changed', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using server = await mountServer(site.dir);
  await mounted(page, server.origin);
  const got = await page.evaluate(async () => {
    const { image, outcome } = window;
    await image.mkdir('full/inner', { recursive: true });
    const tree = (await image.readdir('', { recursive: true })).join();
    const codes = {
      exists: await outcome(image.mkdir('full')),
      published: await outcome(image.mkdir('docs')),
      root: await outcome(image.mkdir('')),
      removedRoot: await outcome(image.rmdir('/')),
      second: await outcome(image.link('full', 'again')),
      intoItself: await outcome(image.link('full', 'full/inner/full')),
      notEmpty: await outcome(image.rmdir('full')),
      publishedNotEmpty: await outcome(image.rmdir('docs')),
      dot: await outcome(image.mkdir('full/.')),
      dots: await outcome(image.mkdir('full/..')),
      nul: await outcome(image.mkdir('full/a\0b')),
      reserved: await outcome(image.mkdir('__sluice')),
      belowFile: await outcome(image.mkdir('data.json/x')),
      belowNothing: await outcome(image.mkdir('no/x')),
      longName: await outcome(image.mkdir('ä'.repeat(128))),
      longPath: await outcome(image.mkdir(`full/${'x/'.repeat(2100)}x`, { recursive: true })),
      unlinkDirectory: await outcome(image.unlink('full')),
      longestName: await outcome(image.mkdir('x'.repeat(255))),
    };
    await image.rmdir('x'.repeat(255));
    return { codes, same: (await image.readdir('', { recursive: true })).join() === tree };
  });
  expect(got).toEqual({
    codes: {
      exists: 'EEXIST',
      published: 'EEXIST',
      root: 'EEXIST',
      removedRoot: 'EINVAL',
      second: 'EMLINK',
      intoItself: 'EINVAL',
      notEmpty: 'ENOTEMPTY',
      publishedNotEmpty: 'ENOTEMPTY',
      dot: 'EINVAL',
      dots: 'EINVAL',
      nul: 'EINVAL',
      reserved: 'EINVAL',
      belowFile: 'ENOTDIR',
      belowNothing: 'ENOENT',
      longName: 'ENAMETOOLONG',
      longPath: 'ENAMETOOLONG',
      unlinkDirectory: 'EISDIR',
      longestName: 'no error',
    },
    same: true,
  });
});

test('child_procs_waiting_for_data: a tab, its worker and another tab wait for one block, and all get it', async ({
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
  await page.evaluate(() => window.sluice.createFile('wait.bin', { size: 4096, blockSize: 4096 }));

  const inTab = (tab: Page) =>
    tab.evaluate(async () => new Uint8Array(await (await fetch('/wait.bin')).arrayBuffer())[4095]);
  const inWorker = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const code = `fetch('${location.origin}/wait.bin').then((answer) => answer.arrayBuffer())
          .then((bytes) => postMessage(new Uint8Array(bytes)[4095]), (error) => postMessage(String(error)))`;
        const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
        worker.onmessage = ({ data }) => resolve(data);
      }),
  );
  const waiting = [inTab(page), inTab(other), inWorker];
  const told = await other.evaluate(async () => {
    for await (const reads of window.sluice.pendingReads()) {
      const [{ path, block, serial }] = reads as [(typeof reads)[0]];
      return { path, index: block.index, serial };
    }
  });
  expect(told).toMatchObject({ path: 'wait.bin', index: 0 });

  // One that gives up takes nobody else's read with it.
  const aborted = await page.evaluate(async () => {
    const abort = new AbortController();
    const answer = fetch('/wait.bin', { signal: abort.signal });
    abort.abort();
    return answer.then(
      () => 'answered',
      (error) => error.name,
    );
  });
  expect(aborted).toBe('AbortError');
  await other.evaluate(() =>
    window.sluice.provideBlocks([{ path: 'wait.bin', block: 0, bytes: new Uint8Array(4096).fill(77) }]),
  );
  expect(await Promise.all(waiting)).toEqual([77, 77, 77]);
  expect((await page.evaluate(() => window.sluice.state())).pendingReads).toEqual([]);
});

test('concurrent_reads_and_writes: two tabs read what a third gives in any order, byte for byte', async ({
  context,
  page,
}) => {
  test.slow();
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  const tabs = [page, await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(`${origin.url}/`);
    await launched(tab);
  }
  const blocks = 48;
  const blockSize = 16_384;
  await page.evaluate(
    async ({ blocks, blockSize }) => {
      for (const name of ['one', 'two'])
        await window.sluice.createFile(`${name}.bin`, { size: blocks * blockSize - 5, blockSize });
    },
    { blocks, blockSize },
  );
  const feeding = tabs[2]!.evaluate(
    async ({ blocks, blockSize }) => {
      const order = Array.from({ length: 2 * blocks }, (_, i) => (i * 37) % (2 * blocks));
      for (const at of order) {
        const [path, block] = [at < blocks ? 'one.bin' : 'two.bin', at % blocks];
        const bytes = new Uint8Array(block === blocks - 1 ? blockSize - 5 : blockSize);
        for (let i = 0; i < bytes.length; i++) bytes[i] = (at * 31 + i * 7) & 255;
        await window.sluice.provideBlocks([{ path, block, bytes }]);
      }
    },
    { blocks, blockSize },
  );
  const readers = tabs.slice(0, 2).map((tab, reader) =>
    tab.evaluate(
      async ({ blocks, blockSize, reader }) => {
        let state = 99 + reader;
        const random = (below: number): number => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
          return state % below;
        };
        const size = blocks * blockSize - 5;
        const read = async (): Promise<number> => {
          const file = random(2);
          const start = random(size - 1);
          const end = Math.min(size, start + 1 + random(3 * blockSize));
          const headers = { Range: `bytes=${start}-${end - 1}` };
          const answer = await fetch(file === 0 ? '/one.bin' : '/two.bin', { headers });
          const bytes = new Uint8Array(await answer.arrayBuffer());
          if (answer.status !== 206 || bytes.length !== end - start) return 1;
          return bytes.findIndex((byte, i) => {
            const at = start + i;
            const block = file * blocks + Math.floor(at / blockSize);
            return byte !== ((block * 31 + (at % blockSize) * 7) & 255);
          }) === -1
            ? 0
            : 1;
        };
        let wrong = 0;
        for (let round = 0; round < 10; round++)
          for (const bad of await Promise.all(Array.from({ length: 6 }, read))) wrong += bad;
        return wrong;
      },
      { blocks, blockSize, reader },
    ),
  );
  expect(await Promise.all(readers)).toEqual([0, 0]);
  await feeding;
});

test('get_blocks, data_block_count: what is filled is told, in the state too', async ({ page }) => {
  await using site = await smallSite(smallApp(2_000_000), { codec: 'none' });
  await using server = await mountServer(site.dir);
  await mounted(page, server.origin);
  const got = await page.evaluate(async () => {
    const { image } = window;
    const handle = await image.open('bulk.dat');
    const before = [await image.filledRanges('bulk.dat'), (await image.state()).blocks] as const;
    const buffer = new Uint8Array(10);
    await handle.read(buffer, 0, 10, 1_000_000);
    await handle.close();
    const after = [await image.filledRanges('bulk.dat'), (await image.state()).blocks] as const;
    await image.prefetch(['bulk.dat']);
    const all = await image.filledRanges('bulk.dat');
    return { before, after, all };
  });
  const { before, after, all } = got;
  expect(before[0]).toEqual([]);
  expect(before[1].present).toBe(0);
  expect(after[0].some(({ start, end }) => start <= 1_000_000 && end >= 1_000_010)).toBe(true);
  expect(after[1].present).toBeGreaterThan(0);
  expect(after[1].present).toBeLessThan(after[1].total);
  expect(all).toEqual([{ start: 0, end: 2_000_000 }]);
});

test('large_file: bytes behind the fourth gigabyte of a sparse file, by the mount and by the service worker', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const got = await page.evaluate(async () => {
    const blockSize = 1_048_576;
    const size = 5 * 2 ** 30 + 3;
    const { sluice } = window;
    await sluice.createFile('large.bin', { size, blockSize });
    const give = (block: number, length: number) =>
      sluice.provideBlocks([{ path: 'large.bin', block, bytes: new Uint8Array(length).fill(block & 255) }]);
    await give(5120, 3);
    await give(4096, blockSize);
    const range = async (start: number, end: number) => {
      const answer = await fetch('/large.bin', { headers: { Range: `bytes=${start}-${end - 1}` } });
      return [
        answer.status,
        answer.headers.get('Content-Range'),
        ...new Uint8Array(await answer.arrayBuffer()),
      ];
    };
    return {
      filled: await sluice.filledRanges('large.bin'),
      last: await range(size - 3, size),
      middle: await range(2 ** 32 + 7, 2 ** 32 + 9),
      head: (await fetch('/large.bin', { method: 'HEAD' })).headers.get('Content-Length'),
    };
  });
  const size = 5 * 2 ** 30 + 3;
  expect(got).toEqual({
    filled: [
      { start: 2 ** 32, end: 2 ** 32 + 1_048_576 },
      { start: size - 3, end: size },
    ],
    last: [206, `bytes ${size - 3}-${size - 1}/${size}`, 0, 0, 0],
    middle: [206, `bytes ${2 ** 32 + 7}-${2 ** 32 + 8}/${size}`, 0, 0],
    head: String(size),
  });
});

test('read_log: reads by way of the service worker, timed-out ones too; off, resized, and over its restart', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  const paths = () =>
    page.evaluate(async () =>
      (await window.sluice.readLog()).reads.map(({ path, failed }) => [path, failed ?? null]),
    );
  await page.evaluate(async () => {
    const { sluice } = window;
    await sluice.createFile('late.bin', { size: 10, blockSize: 4096 });
    sluice.readTimeoutMs = 0;
    await fetch('/late.bin');
    sluice.readTimeoutMs = 30_000;
  });
  // What the service worker had read by itself it tells a little later.
  await expect.poll(paths).toContainEqual(['index.html', null]);
  const before = await paths();
  expect(before).toContainEqual(['late.bin', 'read-timeout']);
  await stopAllServiceWorkers(page);
  await page.evaluate(async () => (await fetch('/late.bin', { method: 'HEAD' })).status);
  expect((await paths()).slice(0, before.length)).toEqual(before);

  await page.evaluate(() => window.sluice.setReadLog(1));
  expect(await paths()).toHaveLength(1);
  await page.evaluate(() => window.sluice.setReadLog(0));
  await page.evaluate(async () => {
    window.sluice.readTimeoutMs = 0;
    await fetch('/late.bin');
  });
  expect(await paths()).toEqual([]);
});
