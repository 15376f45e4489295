import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from '@playwright/test';
import type { mount as Mount } from '../src/client/index.ts';
import { formatRelease } from '../src/format/release.ts';
import { bootPage } from '../src/pack/boot-page.ts';
import { readRuntimeFiles } from '../src/pack/runtime-files.ts';
import { Origin } from '../test/support/origin.ts';
import { stopAllServiceWorkers } from '../test/support/service-workers.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { firstByte } from './first-byte.ts';
import { type HugeImage, manyCount } from './huge-image.ts';
import type { Note } from './measure-tree.ts';

declare const window: Window & { mount: typeof Mount };

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
/** Whose blob the server gives; it keeps all others back, so that no background fetches 10 GB. */
const file = 'd50/f50000';

const mountLabel = 'mount, bootstrap stored, ms';

const libraryPage =
  '<!doctype html><title>plain</title><script type="module">import { mount } from "/lib/index.js"; window.mount = mount;</script>';

/** A huge image as a site, in whose directory all blobs are one file. */
export class HugeSite {
  readonly #origin: Origin;
  readonly #removeDir: () => Promise<void>;
  #page: Page | undefined;

  private constructor(origin: Origin, removeDir: () => Promise<void>) {
    this.#origin = origin;
    this.#removeDir = removeDir;
  }

  static async start(image: HugeImage): Promise<HugeSite> {
    const { path, remove } = await tempDir('huge');
    const { bootstrap, pageBlob, blobs, filesPerBlob, blobBytes } = image;
    const id = createHash('sha256').update(bootstrap).digest('hex');
    const release = { image: id, bytes: bootstrap.length };
    const { template, files } = readRuntimeFiles(join(dist, 'runtime'));
    const site = join(path, 'site');
    const published = { release, firstBlob: pageBlob.sha256, zstd: false, fallback: undefined };
    for (const [name, bytes] of [
      ...files.map((one) => [one.path, one.bytes] as const),
      ['index.html', bootPage(template, 'index.html', published, undefined)] as const,
      ['sluice.json', formatRelease(release)] as const,
      [`${id}.bin`, bootstrap] as const,
      [`${pageBlob.sha256}.bin`, pageBlob.bytes] as const,
      ['../blob', blobBytes] as const,
    ]) {
      await mkdir(dirname(join(site, name)), { recursive: true });
      await writeFile(join(site, name), bytes);
    }
    for (const sha256 of blobs) await symlink('../blob', join(site, `${sha256}.bin`));
    const given = new Set([id, pageBlob.sha256, blobs[Math.floor(50_000 / filesPerBlob)]!]);
    const origin = await Origin.start({
      mounts: { '/lib/': join(dist, 'lib'), '/': site },
      routes: {
        '/plain': (_request, response) => response.setHeader('Content-Type', 'text/html').end(libraryPage),
      },
      fault: ({ path: asked }) => {
        const sha256 = /^\/([0-9a-f]{64})\.bin$/.exec(asked)?.[1];
        return sha256 === undefined || given.has(sha256) ? undefined : { type: 'hang' };
      },
    });
    return new HugeSite(origin, remove);
  }

  /** A plain page with the library, and the first mount of all: it fetches the bootstrap and makes the store. */
  async open(context: BrowserContext, note: Note): Promise<void> {
    this.#page = await context.newPage();
    await this.#page.goto(`${this.#origin.url}/plain`);
    await this.#page.waitForFunction(() => window.mount !== undefined);
    await this.#mount((label, ms) => {
      if (label === mountLabel) note('Chromium: first mount ever, over loopback, ms', ms);
    });
  }

  /** By the library, in an ordinary page: the whole way over the loader's worker and OPFS. */
  async measureMount(note: Note): Promise<void> {
    await this.#page!.bringToFront();
    await this.#mount((label, ms) => note(`Chromium: ${label}`, ms));
  }

  async #mount(note: Note): Promise<void> {
    const { times, entries } = await this.#page!.evaluate(
      async ({ path, mountLabel }) => {
        const times: [label: string, ms: number][] = [];
        const time = async <T>(label: string, work: Promise<T>): Promise<T> => {
          const began = performance.now();
          const result = await work;
          times.push([label, performance.now() - began]);
          return result;
        };
        const image = await time(mountLabel, window.mount('/', { background: false }));
        await time('first stat, ms', image.stat(path));
        const began = performance.now();
        for (let i = 0; i < 100; i++) {
          const directory = 10 + (i % 90);
          await image.stat(`d${directory}/f${directory * 1000 + i}`);
        }
        times.push(['stat, ms', (performance.now() - began) / 100]);
        const names = await time('readdir of 10,000 entries, ms', image.readdir('many'));
        await time('read of one stored file, ms', image.readFile(path));
        await image.close();
        return { times, entries: names.length };
      },
      { path: file, mountLabel },
    );
    if (entries !== manyCount) throw new Error(`${entries} entries`);
    for (const [label, ms] of times) note(label, ms);
  }

  /** The site itself, once: its service worker is there afterwards. */
  async launch(): Promise<void> {
    await this.#page!.goto(`${this.#origin.url}/`);
    await this.#page!.waitForFunction(() => document.body?.textContent?.trim() === 'huge', undefined, {
      timeout: 60_000,
    });
    await this.#page!.goto(`${this.#origin.url}/plain`);
  }

  /**
   * From a fetch to the first byte of a stored file, by the service worker alone: the page is none of the app's, so that nobody wakes the worker but
   * the fetch.
   */
  async measureFirstByte(note: Note): Promise<void> {
    const page = this.#page!;
    await firstByte(page, `/${file}`);
    note('Chromium: first byte from a running service worker, ms', await firstByte(page, `/${file}`));
    await stopAllServiceWorkers(page);
    note('Chromium: first byte, service worker stopped before, ms', await firstByte(page, `/${file}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin.stop();
    await this.#removeDir();
  }
}
