import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LINKS, ShapedLink } from '../../../bench/link.ts';
import type { Sluice } from '../../../src/client/index.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { mediaApp } from '../../apps/media.ts';
import { monacoApp } from '../../apps/monaco.ts';
import { onnxApp } from '../../apps/onnx.ts';
import { pdfjsApp } from '../../apps/pdfjs.ts';
import { pyodideApp } from '../../apps/pyodide.ts';
import { encodePath, siteApp } from '../../apps/site.ts';
import { appReady, type TestApp } from '../../apps/test-app.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { type BuiltSite, builtSite, type SiteOptions } from '../../support/site.ts';
import { Deliveries, type Delivery } from './deliveries.ts';
import { digestsInPage, sourceDigests } from './source-files.ts';

declare const window: Window & { sluice: Sluice };

/**
 * What may come twice: when the boot page goes, what is on its way to its loader (at most two requests of 150 ms and what fills the link) and has
 * not become durable.
 */
const HAND_OVER_BYTES = 768 * 1024;
/** And when a reader goes away: what fills the link. */
const GIVEN_UP_BYTES = 320 * 1024;
/** Headers of an answer, generously. */
const HEADER_BYTES = 500;

interface LaunchedApp {
  readonly app: TestApp;
  readonly site: BuiltSite;
  /** What the app had got when it was ready. */
  readonly delivered: readonly Delivery[];
  /** Stored bytes that the server had sent by then. */
  readonly bytesUntilReady: number;
}

interface RealApp {
  readonly prepare: () => Promise<TestApp>;
  readonly options?: SiteOptions;
  /** Readers that the app gives up, such as a player that seeks. */
  readonly givenUpReads?: number;
  /** Index of a blob that the server does not give before the app is ready. */
  readonly heldBlob?: number;
  readonly check?: (launched: LaunchedApp) => void | Promise<void>;
}

const apps: Readonly<Record<string, RealApp>> = {
  pyodide: { prepare: pyodideApp },
  monaco: { prepare: monacoApp, options: { codec: 'lz4' } },
  pdfjs: {
    prepare: pdfjsApp,
    // The launch is in the first two: a short one, and one of 8 MiB.
    heldBlob: 2,
    check: async ({ app, delivered, bytesUntilReady }) => {
      const ranges = delivered.filter(({ path, status }) => path === 'large.pdf' && status === 206);
      expect(ranges.length).toBeGreaterThan(3);
      const pdf = await readFile(join(app.dir, 'large.pdf'));
      expect(bytesUntilReady).toBeLessThan(pdf.length);
    },
  },
  // As it is: its tones would shrink to nothing, unlike most sound.
  media: { prepare: mediaApp, options: { codec: 'none' }, givenUpReads: 5 },
  onnx: {
    prepare: onnxApp,
    check: ({ app, delivered }) => {
      expect(app.expected).toMatchObject({ streamed: 1 });
      const wasm = delivered.find(({ path }) => path.endsWith('.wasm'));
      expect(wasm?.contentType).toBe('application/wasm');
    },
  },
  site: { prepare: siteApp, options: { codec: 'none' } },
};

for (const [name, { prepare, options, givenUpReads = 0, heldBlob, check }] of Object.entries(apps)) {
  test(`${name}, unmodified: launched while it arrives, each byte right, offline in a new browser`, async ({
    profile,
    log,
    engine,
  }) => {
    // What a service worker delivers, only Chromium's protocol shows; the bytes that the page itself reads are compared in all.
    const isWatched = engine === 'chromium';
    const app = await prepare();
    const site = await builtSite(app.dir, options);
    await using origin = await Origin.start({ mounts: { '/': site.dir } });
    await using link = await ShapedLink.start({ shape: LINKS.medium, targetPort: origin.port });
    const root = `${link.url}/`;
    const { promise: ready, resolve: release } = deferred();
    origin.fault = ({ path }) =>
      heldBlob !== undefined && path === `/${site.blobs[heldBlob]}`
        ? { type: 'hold', until: ready }
        : undefined;

    const context = await profile.launch();
    const page = context.pages()[0]!;
    const deliveries = new Deliveries(context, root);
    await page.goto(`${root}${app.entry}`);
    expect(await appReady(page)).toEqual(app.expected);
    const bytesUntilReady = origin.bytes(/\.bin$/);
    const delivered = await deliveries.end();
    if (isWatched) {
      expect(delivered.filter(({ path }) => path === app.entry)).toHaveLength(1);
      await check?.({ app, site, delivered, bytesUntilReady });
    }
    release();
    // What is left, and read from here on, comes as fast as it can.
    await link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });

    const source = await sourceDigests(app.dir);
    expect(await digestsInPage(page, root, Object.keys(source))).toEqual(source);
    if (isWatched) expect(await differences(app, delivered)).toEqual([]);

    await page.evaluate(() => window.sluice.whenComplete());
    expect(await page.evaluate(() => window.sluice.state())).toMatchObject({
      complete: true,
      bytes: { total: site.storedBytes, present: site.storedBytes },
    });
    expectPublishedOnly(origin, await publishedPaths(site));
    const scripts = origin.bytes(({ path }) => !path.endsWith('.bin'));
    const headers = origin.requests().length * HEADER_BYTES;
    // The link knows what crossed it; the server also counts what it gave to its kernel for answers that nobody read to the end.
    const stored = (await link.stats()).down - scripts - headers - site.bootstrapBytes;
    const twice = HAND_OVER_BYTES + givenUpReads * GIVEN_UP_BYTES;
    expect(stored).toBeLessThan(site.storedBytes * 1.02 + twice);

    await link.stop();
    await origin.stop();
    await profile.close();
    const offline = (await profile.launch()).pages()[0]!;
    await offline.goto(`${root}${app.entry}`);
    expect(await appReady(offline)).toEqual(app.expected);
    // Firefox asks for an icon that the app does not have, offline too.
    await expect.poll(() => log.complaints().filter((line) => !/\/favicon\.ico\b/.test(line))).toEqual([]);
  });
}

/** Deliveries that are not what the source file says, whole or the range of it. */
async function differences(app: TestApp, delivered: readonly Delivery[]): Promise<string[]> {
  const different: string[] = [];
  for (const { path, status, contentRange, body } of delivered) {
    if (path.startsWith('__sluice/')) continue;
    const file = await readFile(
      join(app.dir, path.endsWith('/') || path === '' ? `${path}index.html` : path),
    );
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/
      .exec(contentRange ?? '')
      ?.slice(1)
      .map(Number);
    const expected = range ? file.subarray(range[0]!, range[1]! + 1) : file;
    const right =
      body.equals(expected) && status === (range ? 206 : 200) && (!range || range[2] === file.length);
    if (!right)
      different.push(`${status} ${path} ${contentRange ?? ''} ${body.length} of ${expected.length} bytes`);
  }
  return different;
}

async function publishedPaths(site: BuiltSite): Promise<ReadonlySet<string>> {
  const files = await readdir(site.dir, { recursive: true });
  return new Set(files.map((path) => `/${encodePath(path)}`)).add('/');
}

/** The server was asked for nothing but published files, and for pages by navigations only: every other read of the app was answered here. */
function expectPublishedOnly(origin: Origin, published: ReadonlySet<string>): void {
  // The browser itself wishes for /favicon.ico where an app's page names no icon.
  const asked = origin.requests(({ path }) => path !== '/favicon.ico');
  expect(asked.filter(({ path }) => !published.has(path)).map(({ url }) => url)).toEqual([]);
  const pages = asked.filter(({ path }) => /(?:\/|\.html)$/.test(path));
  expect(pages.filter(({ headers }) => headers['sec-fetch-mode'] !== 'navigate')).toEqual([]);
}
