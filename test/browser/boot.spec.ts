import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { hardReload } from '../support/browser-commands.ts';
import { Origin } from '../support/origin.ts';
import { launched, smallApp, smallSite } from './small-site.ts';

declare const window: Window & { sluice: Sluice; address: string };

const status = (page: Page) => page.locator('#sluice-status');

test('paints without its script: title of the app, bar, a word', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('.js') ? { type: 'hang' } : undefined),
  });
  await page.goto(`${origin.url}/docs/guide.html`, { waitUntil: 'commit' });
  await expect(page.getByRole('heading')).toHaveText('The guide');
  await expect(page.getByRole('progressbar', { name: 'The guide' })).toBeVisible();
  await expect(status(page)).toHaveText('Starting.');
  await expect(status(page)).toHaveAttribute('aria-live', 'polite');
  expect(await page.title()).toBe('The guide');
});

test('nothing moves while the launch goes on', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('sw.js') ? { type: 'hang' } : undefined),
  });
  await page.goto(`${origin.url}/`);
  await expect(status(page)).toContainText(' of ');
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          resolve(
            list.getEntries().reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, 0),
          );
        }).observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(0)));
      }),
  );
  expect(shift).toBe(0);
});

test('a service worker that takes the page while its registration is under way, as that of another tab may: the app launches', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.addInitScript(() => {
    const { register } = ServiceWorkerContainer.prototype;
    ServiceWorkerContainer.prototype.register = async function (...args) {
      const registration = await register.apply(this, args);
      if (!this.controller) await new Promise((taken) => this.addEventListener('controllerchange', taken));
      return registration;
    };
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
});

test('real progress: bytes, percentage, and what it waits for', async ({ page }) => {
  await using site = await smallSite(smallApp(500_000));
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('sw.js') ? { type: 'hang' } : undefined),
  });
  await page.goto(`${origin.url}/`);
  // The loader goes on while the service worker's script does not come: the image is here before it.
  await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '100');
  await expect(status(page)).toHaveText(
    /^50\d kB of 50\d kB( · [\d.]+ [kM]B\/s)? · Starting the service worker$/,
  );
});

test('a hard reload leaves the worker out, and the app comes up again by itself', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.goto(`${origin.url}/docs/guide.html?a=b#c`);
  await launched(page);
  for (let time = 0; time < 3; time++) {
    origin.reset();
    await hardReload(page);
    await origin.waitForRequest(/guide\.html$/); // The boot page, from the server.
    await launched(page);
    expect(await page.evaluate(() => window.address)).toBe('/docs/guide.html?a=b#c');
    expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  }
});

test('no service workers: a clear word and no endless wait', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.addInitScript(() => {
    Reflect.deleteProperty(Navigator.prototype, 'serviceWorker');
  });
  await page.goto(`${origin.url}/`);
  await expect(page.getByRole('heading')).toHaveText('The app could not be started');
  await expect(status(page)).toContainText('has no service workers');
  await expect(status(page)).toContainText('(no-service-worker)');
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('an insecure page: says that it must be https', async ({ profile }) => {
  // A driver that answers for servers switches the HTTP cache off.
  const page = (await profile.launch()).pages()[0]!;
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  // A name that is not localhost; the request itself goes to the real server.
  await page.route('http://plain.test/**', async (route) => {
    const url = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: `${origin.url}${url.pathname}` }) });
  });
  await page.goto('http://plain.test/');
  await expect(status(page)).toContainText('http://plain.test is not one');
  await expect(status(page)).toContainText('https');
  // What the page still asks for must have its answer before the server goes.
  await page.unrouteAll({ behavior: 'wait' });
});

test('sw.js is not deployed: the answer is told, and Try again works once it is', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('sw.js') ? { type: 'status', status: 404 } : undefined),
  });
  await page.goto(`${origin.url}/?kept#too`);
  await expect(status(page)).toContainText('The server answered 404 for /sw.js');
  await expect(status(page)).toContainText('(bad-origin');
  origin.fault = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
  expect(await page.evaluate(() => window.address)).toBe('/?kept#too');
});

test('the service worker takes over before register() has answered: nothing waits for more', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  await page.addInitScript(() => {
    const container = navigator.serviceWorker;
    const register = container.register.bind(container);
    container.register = async (...args) => {
      const registration = await register(...args);
      while (container.controller === null) await new Promise((resolve) => setTimeout(resolve, 10));
      return registration;
    };
  });
  await page.goto(`${origin.url}/`);
  await launched(page);
});

test('a server that never ends sw.js: the wait has an end', async ({ profile }) => {
  // A clock stays with its browser.
  const page = (await profile.launch()).pages()[0]!;
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.endsWith('sw.js') ? { type: 'hang' } : undefined),
  });
  await page.clock.install();
  await page.goto(`${origin.url}/`);
  await origin.waitForRequest(/sw\.js$/);
  // The loader has begun: it is not what is waited for.
  await expect(status(page)).toContainText(/ of .* · Starting the service worker/);
  await page.clock.fastForward('01:05');
  await expect(status(page)).toContainText(`Fetching ${origin.url}/sw.js got no answer within 60000 ms`);
  await expect(status(page)).toContainText('(call-timeout)');
});

test('the image is not deployed: the loader tells, and Try again works once it is', async ({ page }) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (path.includes(site.image) ? { type: 'status', status: 404 } : undefined),
  });
  await page.goto(`${origin.url}/`);
  await expect(status(page)).toContainText('(bad-origin');
  await expect(status(page)).toContainText('404');
  origin.fault = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
});

test('a policy that forbids inline styles: the boot page has its own all the same, and the app none of them', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: () => ({ 'Content-Security-Policy': "default-src 'self' 'wasm-unsafe-eval'" }),
    fault: ({ path }) => (path.includes(site.image) ? { type: 'status', status: 404 } : undefined),
  });
  const styles = () =>
    page.evaluate(() => [getComputedStyle(document.body).display, document.adoptedStyleSheets.length]);
  await page.goto(`${origin.url}/`);
  await expect(status(page)).toContainText('404');
  expect(await styles()).toEqual(['grid', 1]);
  origin.fault = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
  expect(await styles()).toEqual(['block', 0]);
});

test('the server goes away after the boot page: offline, and it starts when the server is back', async ({
  page,
}) => {
  await using site = await smallSite(smallApp());
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    fault: ({ path }) => (/\.bin$|sw\.js$/.test(path) ? { type: 'cut-before-headers' } : undefined),
  });
  await page.goto(`${origin.url}/`);
  await expect(status(page)).toContainText('(offline');
  origin.fault = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await launched(page);
});

test('a path that is not in the app: says so, and links to the start', async ({ page }) => {
  await using site = await smallSite(smallApp());
  const boot = `${site.dir}/index.html`;
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    routes: {
      // A host that answers unknown paths with index.html, as many do.
      '/no-such-page': (_request, response) => {
        import('node:fs').then(({ readFileSync }) => {
          response.setHeader('Content-Type', 'text/html');
          response.end(readFileSync(boot));
        });
      },
    },
  });
  await page.goto(`${origin.url}/no-such-page`);
  await expect(page.getByRole('heading')).toHaveText('There is no such page');
  await expect(status(page)).toContainText('/no-such-page is not a part of this app');
  await page.getByRole('link').click();
  await launched(page);
  expect(page.url()).toBe(`${origin.url}/`);
});

test('in a frame that browsers give no service worker, the page says why', async ({ page }) => {
  await using site = await smallSite({
    ...smallApp(),
    'frames.html': '<iframe sandbox="allow-scripts" src="docs/guide.html"></iframe>',
    'objects.html': '<object type="text/html" data="docs/guide.html"></object>',
  });
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  // The frame alone has no service worker: no boot page of the outer page gives way to another meanwhile.
  await page.goto(`${origin.url}/`);
  await launched(page);
  const told = async (path: string) => {
    await page.goto(`${origin.url}/${path}`);
    // A driver may take the page in an <object> for one that never ends to load: its locators would wait for that.
    const framed = page.frames().find((frame) => frame.url().endsWith('guide.html'));
    return framed?.evaluate(() => document.querySelector('#sluice-status')?.textContent);
  };
  await expect
    .poll(() => told('frames.html'))
    .toMatch(/^A sandboxed frame has no service workers.*\(no-service-worker\)$/);
  await expect
    .poll(() => told('objects.html'))
    .toMatch(/^Browsers do not show service workers what <object> loads.*\(no-service-worker\)$/);
});
