import { expect, test } from '../support/browser.ts';
import { type LibraryWindow, libraryPage, mountServer } from './mount-page.ts';
import { smallApp, smallSite } from './small-site.ts';

declare const window: LibraryWindow;

const levels = { 'levels/e1/one.map': 'one', 'levels/e1/two.map': 'two', 'levels/three.map': 'three' };

test('basic_file_ops: open, read with a position or on from the last, stat, readFile, close, EBADF', async ({
  page,
}) => {
  await using site = await smallSite({ ...smallApp(), 'abc.txt': 'abcdefghij' });
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const { mount, outcome } = window;
    const text = (bytes: ArrayBufferView, length: number) =>
      new TextDecoder().decode(new Uint8Array(bytes.buffer, bytes.byteOffset, length));
    const image = await mount('/site/');
    const file = await image.open('/abc.txt');
    const at = await file.read(new Uint8Array(4), 1, 3, 5);
    const first = await file.read(new Uint8Array(4));
    const second = await file.read(new Uint16Array(2), { length: 3 });
    const third = await file.read({ buffer: new DataView(new ArrayBuffer(8)), position: null });
    const past = await file.read({ position: 10 });
    const rest = await file.read();
    const other = await image.open('abc.txt');
    await other.read(new Uint8Array(2));
    const result = {
      at: [at.bytesRead, [...at.buffer]],
      first: text(first.buffer, first.bytesRead),
      second: text(second.buffer, second.bytesRead),
      third: text(third.buffer, third.bytesRead),
      ends: [past.bytesRead, rest.bytesRead, rest.buffer.byteLength],
      size: (await file.stat()).size,
      readFile: await other.readFile('utf8'),
      offset: await outcome(file.read(new Uint8Array(4), 5)),
      length: await outcome(file.read(new Uint8Array(4), 1, 4)),
      position: await outcome(file.read(new Uint8Array(4), 0, 4, -1)),
      directory: await outcome(image.open('docs')),
      none: await outcome(image.open('nope')),
    };
    await file.close();
    await file.close();
    const closed = [outcome(file.read()), outcome(file.stat()), outcome(file.readFile())];
    await other[Symbol.asyncDispose]?.();
    const disposed = await outcome(other.read());
    await image.close();
    return { ...result, closed: await Promise.all(closed), disposed };
  });
  expect(got).toEqual({
    at: [3, [0, 102, 103, 104]],
    first: 'abcd',
    second: 'efg',
    third: 'hij',
    ends: [0, 0, 16384],
    size: 10,
    readFile: 'cdefghij',
    offset: 'ERANGE',
    length: 'ERANGE',
    position: 'EINVAL',
    directory: 'EISDIR',
    none: 'ENOENT',
    closed: ['EBADF', 'EBADF', 'EBADF'],
    disposed: 'EBADF',
  });
});

test('stat, access and readdir never touch the network after the mount', async ({ page }) => {
  await using site = await smallSite({ ...smallApp(1_000_000), ...levels });
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  await page.evaluate(async () => {
    window.image = await window.mount('/site/', { background: false });
  });
  // Not even where there is none.
  await server.origin.stop();
  server.origin.reset();
  const got = await page.evaluate(async () => {
    const { image, outcome } = window;
    const opened: string[] = [];
    for await (const entry of await image.opendir('levels')) opened.push(entry.name);
    const dir = await image.opendir('levels');
    await dir.read();
    await dir.close();
    return {
      plain: await image.readdir('levels'),
      opened,
      afterClose: await outcome(dir.read()),
      recursive: await image.readdir('/levels', { recursive: true }),
      root: (await image.readdir('', { recursive: true })).length,
      types: (await image.readdir('levels', { recursive: true, withFileTypes: true })).map((entry) => [
        entry.parentPath,
        entry.name,
        entry.isDirectory(),
      ]),
      stat: [(await image.stat('bulk.dat')).size, (await image.stat('bulk.dat')).nlink],
      access: [await outcome(image.access('levels/e1')), await outcome(image.access('levels/e2'))],
    };
  });
  expect(server.origin.requests()).toEqual([]);
  expect(got).toEqual({
    plain: ['e1', 'three.map'],
    opened: ['e1', 'three.map'],
    afterClose: 'EBADF',
    recursive: ['e1', 'three.map', 'e1/one.map', 'e1/two.map'],
    root: 11,
    types: [
      ['levels', 'e1', true],
      ['levels', 'three.map', false],
      ['levels/e1', 'one.map', false],
      ['levels/e1', 'two.map', false],
    ],
    stat: [1_000_000, 1],
    access: ['no error', 'ENOENT'],
  });
});

test('per_reader_timeouts: 0 fails at once, of the mount, of one read, changed while mounted', async ({
  page,
}) => {
  await using site = await smallSite(smallApp(1_000_000));
  await using server = await mountServer(site.dir, ({ path }) =>
    path.endsWith('.bin') && !path.includes(site.image) ? { type: 'hang' } : undefined,
  );
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const { mount, outcome } = window;
    const image = await mount('/site/', { background: false, readTimeoutMs: 0 });
    const timed = async (ms: number, work: () => Promise<unknown>): Promise<[string, boolean]> => {
      const before = performance.now();
      const code = await outcome(work());
      const tookMs = performance.now() - before;
      return [code, tookMs >= ms && tookMs < 15_000];
    };
    const atOnce = await timed(0, () => image.readFile('bulk.dat'));
    const own = await timed(390, () => image.readFile('bulk.dat', { timeoutMs: 400 }));
    image.readTimeoutMs = 500;
    const changed = await timed(490, () => image.readFile('bulk.dat'));
    const handle = await image.open('bulk.dat');
    const ofHandle = await timed(0, () => handle.read(new Uint8Array(10), { timeoutMs: 0 }));
    const wrong = await outcome(image.readFile('bulk.dat', { timeoutMs: -1 }));
    const state = await image.state();
    await image.close();
    return { atOnce, own, changed, ofHandle, wrong, left: state.pendingReads.length };
  });
  expect(got).toEqual({
    atOnce: ['read-timeout', true],
    own: ['read-timeout', true],
    changed: ['read-timeout', true],
    ofHandle: ['read-timeout', true],
    wrong: 'EINVAL',
    left: 0,
  });
});

test('a read that is aborted, or whose stream is cancelled, is withdrawn', async ({ page }) => {
  await using site = await smallSite(smallApp(1_000_000));
  await using server = await mountServer(site.dir, ({ path }) =>
    path.endsWith('.bin') && !path.includes(site.image) ? { type: 'hang' } : undefined,
  );
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const image = await window.mount('/site/', { background: false });
    const pending = async (some: boolean): Promise<number> => {
      for (;;) {
        const { length } = (await image.state()).pendingReads;
        if (length > 0 === some) return length;
      }
    };
    const abort = new AbortController();
    const reading = window.outcome(image.readFile('bulk.dat', { signal: abort.signal }));
    const reader = image.createReadStream('data.json').getReader();
    const streamed = reader.read();
    const waiting = await pending(true);
    abort.abort();
    await reader.cancel();
    const left = await pending(false);
    const late = await window.outcome(image.readFile('data.json', { signal: AbortSignal.abort() }));
    const result = {
      waiting: waiting > 0,
      left,
      reading: await reading,
      streamed: (await streamed).done,
      late,
    };
    await image.close();
    return result;
  });
  expect(got).toEqual({
    waiting: true,
    left: 0,
    reading: 'AbortError',
    streamed: true,
    late: 'AbortError',
  });
});

test('prefetch takes patterns; filledRanges tells what can be read without waiting', async ({ page }) => {
  await using site = await smallSite({ ...smallApp(3_000_000), ...levels });
  await using server = await mountServer(site.dir);
  await libraryPage(page, server.origin);
  const got = await page.evaluate(async () => {
    const { mount, outcome } = window;
    const image = await mount('/site/', { background: false });
    const before = await image.filledRanges('bulk.dat');
    await image.prefetch(['levels/**/*.map', '*.none'], { priority: 'demand' });
    const some = await Promise.all(
      ['levels/e1/one.map', 'levels/e1/two.map', 'levels/three.map'].map((path) => image.filledRanges(path)),
    );
    const handle = await image.open('bulk.dat');
    await handle.read(new Uint8Array(10), { position: 2_000_000 });
    // A reader has its bytes as soon as they are verified; they are filled when they are stored.
    let part = await image.filledRanges('bulk.dat');
    while (part.length === 0) part = await image.filledRanges('bulk.dat');
    await image.prefetch(['bulk.dat']);
    const all = await image.filledRanges('/bulk.dat');
    const result = {
      before,
      some,
      part: part.some(
        ({ start, end }) => start > 0 && start <= 2_000_000 && end > 2_000_000 && end < 3_000_000,
      ),
      all,
      none: await outcome(image.prefetch(['nope.map'])),
      directory: await outcome(image.filledRanges('docs')),
    };
    await image.close();
    return result;
  });
  expect(got).toEqual({
    before: [],
    some: [[{ start: 0, end: 3 }], [{ start: 0, end: 3 }], [{ start: 0, end: 5 }]],
    part: true,
    all: [{ start: 0, end: 3_000_000 }],
    none: 'ENOENT',
    directory: 'EISDIR',
  });
});
