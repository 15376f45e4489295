import { cp } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { publishRuntime, type Runtime, rebuilt } from '../support/rebuilt.ts';
import { textRoutes } from '../support/routes.ts';
import { clearCaches } from './clear-caches.ts';
import { currentImage } from './current-image.ts';
import { newestWorkerActive } from './newest-worker.ts';
import { appPage, appScript, launched, type SmallSite, smallSite } from './small-site.ts';

declare const window: Window & { sluice?: Sluice; build?: string };

const version = (n: number) => ({
  'index.html': appPage(`Version ${n}`),
  'app.js': appScript,
  'later.txt': `of version ${n}`,
});

const marks = { client: `self.build = 'new';`, loader: `self.build = 'new';` };

/** What a page consists of: the builds of its scripts ('none' where one was refused), and its version by its page and by what it reads. */
async function partsOf(page: Page): Promise<{ client: string; loader: string; versions: string[] }> {
  const client = await page.evaluate(() => window.build ?? (window.sluice ? 'old' : 'none'));
  const [loader, later] = await page.evaluate(async () => {
    const script = await fetch('__sluice/loader.js');
    const text = await script.text();
    const build = text.startsWith(`self.build = 'new';`) ? 'new' : 'old';
    return [script.ok ? build : 'none', await (await fetch('later.txt')).text()] as const;
  });
  return { client, loader, versions: [(await page.title()).slice(-1), later.slice(-1)] };
}

function expectNoMix({ client, loader, versions }: Awaited<ReturnType<typeof partsOf>>): void {
  expect(versions[0]).toBe(versions[1]);
  expect(new Set([client, loader].filter((build) => build !== 'none')).size).toBeLessThanOrEqual(1);
}

/** The browser looks for another sw.js, and has installed it, or not. */
async function looksForUpdate(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = (await navigator.serviceWorker.getRegistration())!;
    await registration.update().catch(() => {});
    const { installing } = registration;
    while (installing?.state === 'installing')
      await new Promise((resolve) => installing.addEventListener('statechange', resolve, { once: true }));
  });
}

const isScript = ([name]: [string, Uint8Array]): boolean => name !== 'sw.js';

/** The parts of a deploy, by themselves. */
function parts(dir: string, next: SmallSite, runtime: Runtime): Record<string, () => Promise<void>> {
  const isImage = (path: string): boolean => !/sw\.js$|__sluice/.test(path);
  return {
    'the worker': () =>
      publishRuntime(
        dir,
        [...runtime].filter((file) => !isScript(file)),
      ),
    'its scripts': () => publishRuntime(dir, [...runtime].filter(isScript)),
    'the image': () => cp(next.dir, dir, { recursive: true, force: true, filter: isImage }),
  };
}

/** Below it is the site; outside of it, and still of its origin, a page can look at the service workers without holding one. */
const scope = '/app/';

/** The site at a server whose every answer is fresh, in the page, until everything is here. */
async function launchedWhole(page: Page, site: SmallSite): Promise<Origin> {
  const origin = await Origin.start({
    mounts: { [scope]: site.dir },
    routes: textRoutes({ '/': ['text/html', 'outside'] }),
    headers: () => ({ 'Cache-Control': 'no-store' }),
  });
  await page.goto(`${origin.url}${scope}`);
  await launched(page);
  await page.evaluate(() => window.sluice!.whenComplete());
  return origin;
}

/** A launch after the tab has left the site, and the new worker has taken over, consists of these parts. */
async function expectNextLaunch(
  page: Page,
  origin: Origin,
  parts: Awaited<ReturnType<typeof partsOf>>,
): Promise<void> {
  await page.goto(`${origin.url}/`);
  await newestWorkerActive(page, scope);
  await page.goto(`${origin.url}${scope}`);
  await launched(page);
  expect(await partsOf(page)).toEqual(parts);
}

/** Each part comes first, in the middle, and last. (The three others say no more, and take as long.) */
const orders = [
  ['the worker', 'its scripts', 'the image'],
  ['its scripts', 'the image', 'the worker'],
  ['the image', 'the worker', 'its scripts'],
];

test('a deploy in parts, whichever comes first: no page is ever made of two builds or two versions, and the last one is new', async ({
  context,
}) => {
  await using next = await smallSite(version(2));
  const page = context.pages()[0] ?? (await context.newPage());
  for (const order of orders) {
    await using site = await smallSite(version(1));
    const runtime = await rebuilt(site.dir, marks);
    await using origin = await launchedWhole(page, site);
    const deploy = parts(site.dir, next, runtime);
    for (const part of order) {
      await deploy[part]!();
      await looksForUpdate(page);
      await page.reload();
      await launched(page);
      expectNoMix(await partsOf(page));
    }
    await looksForUpdate(page);
    await expect.poll(() => currentImage(page, scope)).toBe(next.image);
    await expectNextLaunch(page, origin, { client: 'new', loader: 'new', versions: ['2', '2'] });
  }
});

test('a first visit in the middle of a deploy: scripts of another build are refused, the app runs, and has all of them when they are there', async ({
  page,
}) => {
  await using site = await smallSite(version(1));
  const runtime = await rebuilt(site.dir, marks);
  await publishRuntime(site.dir, [['sw.js', runtime.get('sw.js')!]]);
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/`);
  await launched(page);
  await page.reload();
  await launched(page);
  expect(await partsOf(page)).toEqual({ client: 'none', loader: 'none', versions: ['1', '1'] });
  const refusal = await page.evaluate(async () => {
    const answer = await fetch('__sluice/loader.js');
    return [answer.status, answer.headers.get('Sluice-Error'), await answer.text()];
  });
  expect(refusal).toEqual([502, 'bad-origin', expect.stringContaining('different builds')]);
  await publishRuntime(site.dir, runtime);
  await page.reload();
  await launched(page);
  expect(await partsOf(page)).toEqual({ client: 'new', loader: 'new', versions: ['1', '1'] });
});

test('an old service worker that has lost its scripts, and a server with new ones: they are not run', async ({
  page,
}) => {
  await using site = await smallSite(version(1));
  const runtime = await rebuilt(site.dir, marks);
  await using origin = await launchedWhole(page, site);
  await publishRuntime(site.dir, [...runtime].filter(isScript));
  // As a server that is still being deployed to: the worker comes last.
  await clearCaches(page);
  await page.reload();
  await launched(page);
  expect(await partsOf(page)).toEqual({ client: 'none', loader: 'none', versions: ['1', '1'] });
  await publishRuntime(site.dir, runtime);
  await looksForUpdate(page);
  await expectNextLaunch(page, origin, { client: 'new', loader: 'new', versions: ['1', '1'] });
});
