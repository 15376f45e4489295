import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { mount as Mount } from '../src/client/index.ts';
import { launchMs } from '../src/loader/launch-calm.ts';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import { Origin } from '../test/support/origin.ts';
import { noise, seededRandom } from '../test/support/random.ts';
import { columns, threeDigits } from './columns.ts';
import { LINKS, ShapedLink } from './link.ts';
import { linkNames } from './options.ts';
import { publish } from './publish.ts';
import { QuietPage } from './quiet-page.ts';
import { summarize } from './statistics.ts';

const root = new URL('..', import.meta.url);
const appDir = fileURLToPath(new URL('.cache/bench/demand-app/', root));
/** The blocks of a file that is read by ranges. */
const readBytes = 2 ** 16;
/** More than the fastest link brings while a visitor reads. */
const fileBytes = 2 ** 27;
/** The background goes from the front on: what lies behind this it does not reach. */
const readFrom = fileBytes * 0.6;
const readsPerVisit = 25;
/** Between two reads, at random, so that they meet the background's requests at any moment. */
const maxGapMs = 100;
/** While what was mounted may be launching, background work makes way for its reads. The link is so slow meanwhile that it brings little. */
const launchShape = { mbitPerSecond: 0.5, rttMs: 20 };
/** A launch counts from the mount, which is there a moment after its page. */
const marginMs = 3_000;
/** The background gets to know a link. */
const rampMs = 3_000;

declare const window: Window & { mount: typeof Mount };

/**
 * Reads of 64 KiB that is missing, while the background fills the link and while it is idle: a page with the library, its real loader, a shaped
 * link. `visits` of each kind, in turn, 25 reads each.
 */
export async function demand(visits: number): Promise<void> {
  await rm(appDir, { recursive: true, force: true });
  await mkdir(appDir, { recursive: true });
  await writeFile(join(appDir, 'index.html'), '<!doctype html><title>demand</title>');
  await writeFile(join(appDir, 'data.bin'), noise(1, fileBytes));
  const site = await publish({ name: 'demand', dir: appDir, entry: '', expected: undefined }, 'sluice');
  await using origin = await Origin.start({
    mounts: { '/lib/': fileURLToPath(new URL('dist/lib/', root)), '/': site },
    routes: {
      '/plain': (_request, response) =>
        response
          .setHeader('Content-Type', 'text/html')
          .end(
            '<!doctype html><script type="module">import { mount } from "/lib/index.js"; window.mount = mount;</script>',
          ),
    },
  });
  const head = ['', 'median, ms', '99 %, ms', 'median, ms', '99 %, ms', 'median', '99 %', 'link in use'];
  const rows: string[][] = [['', 'idle', '', 'busy', '', 'busy ÷ idle', '', ''], head];
  const measured = linkNames.map((name) => ({
    name,
    idle: [] as number[],
    busy: [] as number[],
    used: [] as number[],
  }));
  for (let visit = 0; visit < visits; visit++) {
    console.error(
      `  visit ${visit + 1} of ${visits}: ${(launchMs + marginMs) / 1000} s until no mount counts as a launch`,
    );
    // All at once, since most of it is waiting; they read one after the other.
    const busy = await Promise.all(linkNames.map(() => Visitor.arrive(origin.port, launchShape, true)));
    try {
      await pause(launchMs + marginMs);
      for (const [i, { name, ...times }] of measured.entries()) {
        const readBusy = async (): Promise<void> => {
          await busy[i]!.link.reshape(LINKS[name]);
          await pause(rampMs);
          const { ms, share } = await readAll(busy[i]!, LINKS[name], visit);
          times.busy.push(...ms);
          times.used.push(share);
          await busy[i]!.link.reshape(launchShape);
        };
        const readIdle = async (): Promise<void> => {
          await using visitor = await Visitor.arrive(origin.port, LINKS[name], false);
          times.idle.push(...(await readAll(visitor, LINKS[name], visit)).ms);
        };
        for (const read of visit % 2 === 0 ? [readIdle, readBusy] : [readBusy, readIdle]) await read();
        console.error(`  ${name}: read`);
      }
    } finally {
      for (const visitor of busy) await visitor[Symbol.asyncDispose]();
    }
  }
  for (const { name, used, ...times } of measured) {
    const [idle, busy] = [times.idle, times.busy].map((ms) => [summarize(ms).median, percentile99(ms)]) as [
      [number, number],
      [number, number],
    ];
    rows.push([
      `${LINKS[name].mbitPerSecond} Mbit/s, ${LINKS[name].rttMs} ms`,
      ...[...idle, ...busy, busy[0] / idle[0], busy[1] / idle[1]].map(threeDigits),
      `${Math.round(summarize(used).median * 100)} %`,
    ]);
  }
  console.log(
    `\nreads of 64 KiB that is missing, ${visits * readsPerVisit} each, idle and busy in turn\n${columns(rows, 1)}`,
  );
}

function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

/** A visitor on a fresh profile who has mounted the image. */
class Visitor implements AsyncDisposable {
  readonly link: ShapedLink;
  readonly page: QuietPage;
  readonly #profile: BrowserProfile;

  private constructor(link: ShapedLink, page: QuietPage, profile: BrowserProfile) {
    this.link = link;
    this.page = page;
    this.#profile = profile;
  }

  static async arrive(targetPort: number, shape: Shape, background: boolean): Promise<Visitor> {
    const profile = await BrowserProfile.create();
    const link = await ShapedLink.start({ shape, targetPort });
    const visitor = new Visitor(link, await QuietPage.launch(profile.dir), profile);
    try {
      const { page } = visitor;
      await page.goto(`${link.url}/plain`);
      while (!(await page.evaluate(() => window.mount !== undefined))) await pause(50);
      await page.evaluate(async (background) => {
        const image = await window.mount('/', { background });
        Object.assign(window, { image });
      }, background);
      return visitor;
    } catch (error) {
      await visitor[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
    await this.link[Symbol.asyncDispose]();
    await this.#profile.remove();
  }
}

/** How long each read took, and how much of the link was in use meanwhile. */
async function readAll(
  { link, page }: Visitor,
  shape: Shape,
  seed: number,
): Promise<{ ms: number[]; share: number }> {
  await link.reset();
  const began = performance.now();
  const ms: number[] = [];
  for (const { at, gapMs } of places(seed)) {
    await pause(gapMs);
    ms.push(await page.evaluate(timedRead, { at, end: at + readBytes }));
  }
  const { down } = await link.stats();
  const share = down / (((performance.now() - began) / 1000) * shape.mbitPerSecond * 125_000);
  return { ms, share };
}

interface Shape {
  readonly mbitPerSecond: number;
  readonly rttMs: number;
}

/** Different blocks, far apart and in no order: no read is ahead of another. */
function places(seed: number): { at: number; gapMs: number }[] {
  const random = seededRandom(seed + 1);
  const stride = Math.floor((fileBytes - readFrom) / readsPerVisit / readBytes) * readBytes;
  const from = Math.ceil(readFrom / readBytes) * readBytes;
  const all = Array.from({ length: readsPerVisit }, (_, i) => from + i * stride);
  return all
    .map((at) => ({ at, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ at }) => ({ at, gapMs: random() * maxGapMs }));
}

/** Runs in the page. Throws where what is read was there already: then it is no demand read. */
async function timedRead({ at, end }: { at: number; end: number }): Promise<number> {
  const image = (window as unknown as { image: Awaited<ReturnType<typeof Mount>> }).image;
  const filled = await image.filledRanges('data.bin');
  if (filled.some((range) => range.start < end && range.end > at)) throw new Error('that was there already');
  const began = performance.now();
  const stream = image.createReadStream('data.bin', { start: at, end: end - 1 });
  const { byteLength } = await new Response(stream).arrayBuffer();
  const ms = performance.now() - began;
  if (byteLength !== end - at) throw new Error(`${byteLength} bytes`);
  return ms;
}
