import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import type { Sluice } from '../../../src/client/index.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { BrowserProfile } from '../../support/browser-profile.ts';
import type { Fault } from '../../support/fault.ts';
import { Origin, type OriginRequest } from '../../support/origin.ts';
import { setReadTimeout } from '../read-timeout.ts';
import { launched, type SmallSite, smallSite } from '../small-site.ts';
import { storeDurably } from '../store-at-rest.ts';
import { mixedFiles, proofApp, urlOf } from './proof-app.ts';
import { fetchedRanges, Published, twiceFetched } from './published.ts';
import { wrongFiles } from './readers.ts';
import { installSeeded, type SeededFile, type seededBytes } from './seeded-file.ts';

declare const window: Window & { sluice: Sluice; seededBytes: typeof seededBytes };

// One browser and one site for all tests here; each test has a server, and so an origin and a store, of its own.
const MB = 2 ** 20;
/** Background work is busy with this one, slowly, while the test reads the victim: what the server sees of that is the reader's. */
const pad: SeededFile = { path: 'm-pad.bin', size: 6 * MB, seed: 71, text: false };
const victim: SeededFile = { path: 'n-victim.bin', size: 1.6 * MB, seed: 72, text: false };
const others = mixedFiles(7, { count: 10, large: [] });
let profile: BrowserProfile;
let context: BrowserContext;
let site: SmallSite;
let published: Published;
/** A blob that holds nothing but bytes of the victim, from this offset of it on. */
let bad: { readonly sha256: string; readonly length: number; readonly offset: number };

test.beforeAll(async () => {
  profile = await BrowserProfile.create();
  context = await profile.launch();
  site = await smallSite(proofApp([pad, victim, ...others]).files, { level: 3, blobSize: MB / 2 });
  published = await Published.open(site);
  const { image } = published;
  const spans = [...image.mapExtents(image.lookup(victim.path)!, 0, victim.size)];
  const { blob, fileOffset } = spans[1]!; // The first one shares its blob with the pad.
  bad = { ...image.blob(blob), offset: fileOffset };
  expect(spans.length).toBeGreaterThan(2);
});

test.afterAll(async () => {
  await profile.remove();
  await site[Symbol.asyncDispose]();
});

interface Broken {
  /** undefined: the server is mended. */
  fault: ((request: OriginRequest) => Fault | undefined) | undefined;
  /** The background gets on. */
  readonly letPadCome: () => void;
}

/** A launched app whose server misbehaves for the bad blob, as `broken` says. */
async function launch(
  fault: Broken['fault'],
  options: { readonly ranges?: boolean } = {},
): Promise<{ page: Page; origin: Origin; broken: Broken } & AsyncDisposable> {
  const { promise: until, resolve: letPadCome } = deferred();
  const broken: Broken = { fault, letPadCome };
  const slow = new Set(published.blobsOf(pad.path).map((sha256) => `/${sha256}.bin`));
  const origin = await Origin.start({
    mounts: { '/': site.dir },
    ...options,
    fault: (request) => {
      if (request.path === `/${bad.sha256}.bin`) return broken.fault?.(request);
      return slow.has(request.path) ? { type: 'throttle', bytesPerSecond: 200_000, until } : undefined;
    },
  });
  const page = await context.newPage();
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(installSeeded);
  const dispose = async (): Promise<void> => {
    await page.close();
    await origin.stop();
  };
  return { page, origin, broken, [Symbol.asyncDispose]: dispose };
}

interface Read {
  readonly status: number;
  readonly code: string | null;
  readonly ms: number;
  /** The bytes are the source's. */
  readonly right: boolean;
  readonly text: string;
}

/** Reads a range of the file, by default the first bytes that lie in the bad blob. */
function read(page: Page, file = victim, start = bad.offset, end = start + 1000): Promise<Read> {
  return page.evaluate(
    async ({ file, url, start, end }) => {
      const startedAt = performance.now();
      const response = await fetch(url, {
        headers: { Range: `bytes=${start}-${end - 1}` },
        signal: AbortSignal.timeout(60_000),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const source = window.seededBytes(file, start, end);
      const code = response.headers.get('Sluice-Error');
      return {
        status: response.status,
        code,
        ms: performance.now() - startedAt,
        right: bytes.length === source.length && bytes.every((byte, i) => byte === source[i]),
        text: code === null ? '' : new TextDecoder().decode(bytes),
      };
    },
    { file, url: `/${urlOf(file.path)}`, start, end },
  );
}

/** How a read of the whole file ends: 'right', 'broken off' (the stream errs), or what is wrong with it. */
function readWhole(page: Page, file = victim): Promise<string> {
  return page.evaluate(
    async ({ file, url }) => {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
      if (response.status !== 200) return `${response.status} ${response.headers.get('Sluice-Error')}`;
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        return (error as Error).name === 'TypeError' ? 'broken off' : String(error);
      }
      const source = window.seededBytes(file, 0, file.size);
      const same = bytes.length === source.length && bytes.every((byte, i) => byte === source[i]);
      return same ? 'right' : 'a 200 that is wrong';
    },
    { file, url: `/${urlOf(file.path)}` },
  );
}

/** Everything is here in the end, and right. */
async function completes(page: Page, broken: Broken): Promise<void> {
  broken.letPadCome();
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await wrongFiles(page, [pad, victim, ...others])).toEqual([]);
}

interface Failure {
  readonly name: string;
  readonly fault: Fault | ((request: OriginRequest) => Fault);
  readonly status: number;
  readonly code: string;
  /** The reader's own deadline, where it is not 30 s. */
  readonly readTimeoutMs?: number;
  /** So many requests for the wanted bytes are made before it is given up. */
  readonly requests?: number;
}

/** Half of a reader's own deadline: what is answered by then has not waited for it. */
const atOnceMs = 15_000;
const failures: readonly Failure[] = [
  {
    name: 'a captive portal: 200 and HTML',
    fault: { type: 'html-200' },
    status: 502,
    code: 'bad-origin',
    requests: 1,
  },
  {
    name: 'a redirect to a sign-in page',
    fault: { type: 'redirect', location: '/index.html' },
    status: 502,
    code: 'bad-origin',
    requests: 1,
  },
  ...[404, 403, 500, 503, 429].map(
    (status) =>
      ({
        name: `${status}`,
        fault: { type: 'status', status },
        status: 502,
        code: 'bad-origin',
        requests: status === 404 || status === 403 ? 1 : 4,
      }) as const,
  ),
  {
    name: '429 with a Retry-After past the deadline',
    fault: { type: 'status', status: 429, retryAfter: 60 },
    status: 502,
    code: 'bad-origin',
    requests: 1,
  },
  {
    name: 'a connection cut before the headers',
    fault: { type: 'cut-before-headers' },
    status: 503,
    code: 'offline',
  },
  {
    name: 'a connection cut after the headers',
    fault: { type: 'cut-at', byte: 0 },
    status: 503,
    code: 'offline',
  },
  {
    name: 'a server that hangs',
    fault: { type: 'hang' },
    status: 504,
    code: 'read-timeout',
    readTimeoutMs: 1500,
  },
  {
    name: 'a body that hangs',
    fault: { type: 'hang-at', byte: 1000 },
    status: 504,
    code: 'read-timeout',
    readTimeoutMs: 1500,
  },
  {
    name: 'one byte short',
    fault: { type: 'one-byte-short' },
    status: 502,
    code: 'bad-origin',
  },
  {
    name: 'a Content-Length that is too large',
    fault: { type: 'wrong-content-length', by: 1 },
    status: 502,
    code: 'bad-origin',
  },
  {
    name: 'a Content-Length that is too small',
    fault: { type: 'wrong-content-length', by: -1 },
    status: 502,
    code: 'bad-origin',
  },
  {
    name: 'a wrong Content-Range, and no way to get the whole file',
    fault: ({ range }) => (range ? { type: 'wrong-content-range' } : { type: 'status', status: 404 }),
    status: 502,
    code: 'bad-origin',
  },
];

for (const failure of failures) {
  test(`${failure.name}: ${failure.status} ${failure.code}, and right again when the server is mended`, async () => {
    const { fault } = failure;
    await using app = await launch((request) => (typeof fault === 'function' ? fault(request) : fault));
    const { page, origin, broken } = app;
    if (failure.readTimeoutMs) {
      // What lies in front of the bad blob is here, however long it takes: only what hangs is to miss the deadline.
      expect(await read(page, victim, 0, 1000)).toMatchObject({ status: 206, right: true });
      await setReadTimeout(page, failure.readTimeoutMs);
    }
    const failed = await read(page);
    expect(failed).toMatchObject({ status: failure.status, code: failure.code });
    expect(failed.text).toContain(victim.path);
    expect(failed.ms).toBeLessThan((failure.readTimeoutMs ?? 0) + atOnceMs);
    if (failure.readTimeoutMs) expect(failed.ms).toBeGreaterThanOrEqual(failure.readTimeoutMs - 100);
    const asked = origin.requests((request) => request.path === `/${bad.sha256}.bin`);
    if (failure.requests !== undefined) expect(asked.length).toBe(failure.requests);
    // A read that began well cannot turn into a wrong answer.
    expect(await readWhole(page)).toBe('broken off');
    broken.letPadCome();
    expect(await wrongFiles(page, others)).toEqual([]);

    broken.fault = undefined;
    await setReadTimeout(page, 30_000);
    expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
    expect(await readWhole(page)).toBe('right');
  });
}

interface Recovery {
  readonly name: string;
  readonly fault: (request: OriginRequest) => Fault | undefined;
  /** Default: no wait for a stall's deadline, which is 10 s. */
  readonly withinMs?: number;
}

const first = (fault: Fault) => (request: OriginRequest) => (request.earlier === 0 ? fault : undefined);
const recoveries: readonly Recovery[] = [
  { name: 'a wrong Content-Range', fault: () => ({ type: 'wrong-content-range' }) },
  { name: 'a gzipped 206', fault: () => ({ type: 'gzip-206' }) },
  { name: 'a range that is ignored', fault: () => ({ type: 'ignore-range' }) },
  {
    name: 'a connection cut again and again',
    fault: () => ({ type: 'cut-at', byte: 20_000, afterMs: 50 }),
  },
  {
    name: 'a connection cut once, before the headers',
    fault: first({ type: 'cut-before-headers' }),
  },
  { name: '500 once', fault: first({ type: 'status', status: 500 }) },
  {
    name: '429 once, Retry-After 1 s',
    fault: first({ type: 'status', status: 429, retryAfter: 1 }),
  },
  { name: 'one byte short once', fault: first({ type: 'one-byte-short' }) },
  {
    name: 'a wrong bit once',
    fault: (request) => (request.earlier === 0 ? flip(request) : undefined),
  },
  { name: 'a late answer', fault: first({ type: 'delay', ms: 1500 }) },
  // The stall deadline, 10 s, and one try more.
  { name: 'a server that hangs once', fault: first({ type: 'hang' }), withinMs: 25_000 },
];

/** Where the first block of the bad blob has a wrong bit: its first byte. */
const flip = (_request?: OriginRequest): Fault => ({
  type: 'flip-bit',
  offset: published.tables.get(bad.sha256)!.stored(0).start,
});

for (const { name, fault, withinMs = 9500 } of recoveries) {
  test(`${name}: the reader gets the right bytes, and loading completes`, async () => {
    await using app = await launch(fault);
    const { page, origin, broken } = app;
    const got = await read(page);
    expect(got).toMatchObject({ status: 206, code: null, right: true });
    expect(got.ms).toBeLessThan(withinMs);
    expect(origin.requests((request) => request.path === `/${bad.sha256}.bin`).length).toBeGreaterThan(0);
    await completes(page, broken);
  });
}

test('a cut connection: what has come is not fetched again', async () => {
  const cuts = 10;
  await using app = await launch(({ earlier }) =>
    earlier < cuts ? { type: 'cut-at', byte: 20_000, afterMs: 500 } : undefined,
  );
  const { page, origin, broken } = app;
  broken.letPadCome();
  await page.evaluate(() => window.sluice.whenComplete());
  const ofBlob = fetchedRanges(origin.log, 'sent').filter(({ sha256 }) => sha256 === bad.sha256);
  expect(ofBlob.length).toBeGreaterThan(cuts);
  // A browser that is busy may discard what it has not handed on when the connection is cut: once or twice, not each time.
  expect(twiceFetched(ofBlob)).toBeLessThanOrEqual(40_000);
});

test('one flipped byte: 502 integrity after one refetch, all others work, mended without a reload', async () => {
  await using app = await launch(flip);
  const { page, origin, broken } = app;
  const { start } = published.tables.get(bad.sha256)!.stored(0);
  const covering = () =>
    fetchedRanges(origin.log, 'asked').filter(
      (range) => range.sha256 === bad.sha256 && range.start <= start && start < range.end,
    );
  const failed = await read(page);
  expect(failed).toMatchObject({ status: 502, code: 'integrity' });
  expect(failed.ms).toBeLessThan(atOnceMs);
  expect(covering().length).toBe(2);
  // The next read tries again, once and once more.
  expect(await read(page)).toMatchObject({ status: 502, code: 'integrity' });
  expect(covering().length).toBe(4);
  // The blocks beside it are good, and so are all other files.
  const next = published.tables.get(bad.sha256)!.logicalLength(0);
  expect(await read(page, victim, bad.offset + next)).toMatchObject({ status: 206, right: true });
  expect(await readWhole(page)).toBe('broken off');
  broken.letPadCome();
  expect(await wrongFiles(page, [pad, ...others])).toEqual([]);
  const state = await page.evaluate(() => window.sluice.state());
  expect(state.complete).toBe(false);
  expect(state.loader.lastError).toMatchObject({ code: 'integrity' });

  broken.fault = undefined;
  expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
  expect(await readWhole(page)).toBe('right');
  await completes(page, broken);
});

test('a flipped byte of a block table: 502 integrity after one refetch, and mended without a reload', async () => {
  await using app = await launch(() => ({ type: 'flip-bit', offset: 10 }));
  const { page, origin, broken } = app;
  const tables = () =>
    fetchedRanges(origin.log, 'asked').filter(({ sha256, start }) => sha256 === bad.sha256 && start === 0);
  expect(await read(page)).toMatchObject({ status: 502, code: 'integrity' });
  expect(tables().length).toBe(2);
  broken.letPadCome();
  expect(await wrongFiles(page, [pad, ...others])).toEqual([]);
  broken.fault = undefined;
  expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
  await completes(page, broken);
});

test('a flipped byte of the bootstrap: the boot page says so, and starts the app when the server is mended', async () => {
  let flipped = true;
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) =>
      flipped && path === `/${site.image}.bin` ? { type: 'flip-bit', offset: 100 } : undefined,
  });
  const page = await context.newPage();
  await page.goto(`${origin.url}/`);
  await expect(page.locator('#sluice-status')).toContainText('integrity');
  flipped = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  await page.close();
});

test('a captive portal in front of everything: what is here works, what is missing says so, until it is gone', async () => {
  let portal = false;
  await using app = await launch(undefined);
  const { page, origin, broken } = app;
  const before = origin.fault;
  origin.fault = (request) => (portal ? { type: 'html-200' } : before?.(request));
  const here = others.slice(0, 10);
  expect(await wrongFiles(page, here)).toEqual([]);
  await storeDurably(page);
  portal = true;
  expect(await wrongFiles(page, here)).toEqual([]);
  expect(await read(page)).toMatchObject({ status: 502, code: 'bad-origin' });
  await page.reload();
  await launched(page);
  await page.evaluate(installSeeded);
  expect(await wrongFiles(page, here)).toEqual([]);
  expect(await read(page)).toMatchObject({ status: 502, code: 'bad-origin' });
  portal = false;
  expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
  await completes(page, broken);
});

test('a host that gzips every range: the app launches and completes from whole blobs', async () => {
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('.bin') ? { type: 'gzip-206' } : undefined),
  });
  const page = await context.newPage();
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.evaluate(() => window.sluice.whenComplete());
  expect(await wrongFiles(page, [pad, victim, ...others])).toEqual([]);
  await page.close();
});

test('a host without ranges: whole blobs, each fetched once', async () => {
  await using app = await launch(undefined, { ranges: false });
  const { page, origin, broken } = app;
  expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
  await completes(page, broken);
  const statuses = new Set(origin.requests(/[0-9a-f]{64}\.bin$/).map(({ status }) => status));
  expect([...statuses]).toEqual([200]);
});

test('the server goes away: missing is 503 at once, present works; it comes back: loading completes by itself', async () => {
  await using app = await launch(undefined);
  const { page, origin, broken } = app;
  const here = others.slice(0, 10);
  expect(await wrongFiles(page, here)).toEqual([]);
  await origin.stop();
  for (let i = 0; i < 3; i++) {
    const failed = await read(page);
    expect(failed).toMatchObject({ status: 503, code: 'offline' });
    expect(failed.ms).toBeLessThan(atOnceMs);
  }
  expect(await wrongFiles(page, here)).toEqual([]);
  await origin.start();
  expect(await read(page)).toMatchObject({ status: 206, code: null, right: true });
  await completes(page, broken);
});
