import type { Page } from '@playwright/test';
import type { Sluice } from '../../src/client/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { type AppFiles, appPage, appScript, launched, smallSite } from './small-site.ts';

declare const window: Window & { sluice?: Sluice; seen: unknown[]; done?: boolean };

/**
 * A page that writes down what a page can see of how it came to be: the order of its scripts and events, its mode, encoding and address, and what its own
 * document.write does.
 */
const witness = (doctype: string, meta: string): string => `${doctype}
<html><head>${meta}<title>Wit\u00adness</title>
<script>
window.seen = ['inline', document.readyState, document.compatMode, document.characterSet, document.URL, document.referrer, document.title];
const note = (what) => { window.seen.push(what); };
document.addEventListener('DOMContentLoaded', () => note('DOMContentLoaded ' + document.readyState));
document.addEventListener('readystatechange', () => note('readystatechange ' + document.readyState));
addEventListener('load', () => {
  note('load');
  setTimeout(() => {
    note('later');
    // Focus and scrolling are of a frame, which a busy browser draws when it can.
    requestAnimationFrame(() => requestAnimationFrame(() => { window.done = true; }));
  }, 100);
});
addEventListener('pageshow', ({ persisted }) => note('pageshow ' + persisted));
addEventListener('hashchange', () => note('hashchange'));
</script>
<link rel="stylesheet" href="style.css">
<script src="blocking.js"></script>
<script defer src="defer.js"></script>
<script type="importmap">{ "imports": { "answer": "./answer.js" } }</script>
<script type="module">import { answer } from 'answer'; note('module ' + answer + ' ' + import.meta.url);</script>
</head><body>
<script>document.write('<p id="written">written</p>'); note('after write: ' + document.getElementById('written').textContent);</script>
<script>document.write('<script src="written.js"><' + '/script>'); note('outer ends');</script>
<input autofocus id="field">
<div style="height: 3000px">tall</div>
<h2 id="part-5">Part 5</h2>
<div style="height: 3000px">tall</div>
<script>
note('styled ' + getComputedStyle(document.body).color);
note('boot page gone: ' + (document.getElementById('sluice-boot') === null && document.getElementById('sluice-title') === null));
note('own scripts: ' + [...document.scripts].filter(({ src }) => !src.includes('__sluice')).length);
document.documentElement.dataset.app = 'runs';
</script>
</body></html>`;

const files: AppFiles = {
  'index.html': witness('<!doctype html>', '<meta charset="utf-8">'),
  'quirks.html': witness('', '<meta charset="UTF-8">'),
  'latin.html': Buffer.from(witness('<!doctype html>', '<meta charset="windows-1252">'), 'latin1'),
  'undeclared.html': witness('<!doctype html>', '').replaceAll('\u00ad', ''),
  'long.html': witness('<!doctype html>', '<meta charset="utf-8">').replace('tall', 'long '.repeat(80_000)),
  'policy.html': witness('<!doctype html>', '<meta charset="utf-8">'),
  'blocking.js': `note('blocking ' + document.currentScript.getAttribute('src') + ' ' + document.readyState);`,
  'defer.js': `note('defer ' + document.readyState);`,
  'written.js': `note('written script ' + document.readyState);`,
  'answer.js': 'export const answer = 42;',
  'style.css': 'body { color: rgb(1, 2, 3) }',
};

/** What such a header says of a document holds from its navigation on. */
const attributes = { 'policy.html': { headers: { 'Document-Policy': 'force-load-at-top' } } };

/** What the page at `url` has seen once it is loaded, with its host left out. */
async function seenAt(page: Page, url: string): Promise<{ readonly seen: unknown[] }> {
  await page.goto(url);
  await launched(page);
  await page.waitForFunction(() => window.done);
  return page.evaluate(() => ({
    seen: JSON.parse(JSON.stringify(window.seen).replaceAll(location.origin, '')) as unknown[],
    mode: document.compatMode,
    target: document.querySelector(':target')?.id,
    scrolled: scrollY > 1000,
    focused: document.activeElement?.id,
    history: history.state,
  }));
}

/** How many documents the tab has had: a hand-over in place has one. */
const navigations = (page: Page): { count: number } => {
  const seen = { count: 0 };
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) seen.count += 1;
  });
  return seen;
};

for (const [path, documents] of Object.entries({
  '': 1,
  '?x=1#part-5': 1,
  'quirks.html': 1,
  'latin.html': 2,
  'undeclared.html': 1,
  'long.html': 2,
  'policy.html': 2,
})) {
  const way = documents === 1 ? 'in the place of the boot page' : 'by a navigation';
  test(`/${path}: the first launch, ${way}, sees what a page from a plain server sees`, async ({
    context,
  }) => {
    await using site = await smallSite(files, { attributes });
    await using origin = await Origin.start({ mounts: { '/': site.dir } });
    await using plain = await Origin.start({ mounts: { '/': site.appDir } });
    const [expected, launch, later] = [
      await context.newPage(),
      await context.newPage(),
      await context.newPage(),
    ];
    const count = navigations(launch);
    const first = await seenAt(launch, `${origin.url}/${path}`);
    expect(count).toEqual({ count: documents });
    // After a reload, a page is its own referrer.
    if (documents === 2) first.seen[5] = '';
    expect(await seenAt(later, `${origin.url}/${path}`)).toEqual(first);
    // The plain server takes everything for UTF-8.
    if (path !== 'latin.html') expect(await seenAt(expected, `${plain.url}/${path}`)).toEqual(first);
    await launch.evaluate(() => window.sluice!.whenComplete());
    expect((await launch.evaluate(() => window.sluice!.state())).loader.role).toBe('leader');
  });
}

test('in the place of a boot page whose inline style a policy forbids: nothing of that is left', async ({
  page,
}) => {
  await using site = await smallSite(
    { 'index.html': appPage('Plain'), 'app.js': appScript },
    { codec: 'lz4' },
  );
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    headers: () => ({ 'Content-Security-Policy': "default-src 'self'" }),
  });
  const count = navigations(page);
  await page.goto(`${origin.url}/`);
  await launched(page);
  expect(count).toEqual({ count: 1 });
  expect(await page.evaluate(() => document.adoptedStyleSheets.length)).toBe(0);
  expect(await page.evaluate(() => getComputedStyle(document.body).display)).toBe('block');
});

test('where a page may not be written, or the service worker gives none, a navigation brings it', async ({
  context,
}) => {
  await using site = await smallSite(files);
  await using origin = await Origin.start({ mounts: { '/': site.dir } });
  for (const forbid of [
    () => {
      document.write = () => {
        throw new TypeError('This document requires a TrustedHTML assignment');
      };
    },
    () => {
      const { fetch } = window;
      window.fetch = (input, init) => {
        const own = new Headers(init?.headers).has('Sluice-Launch');
        return own ? Promise.reject(new TypeError('Failed to fetch')) : fetch(input, init);
      };
    },
  ]) {
    const page = await context.newPage();
    await page.goto(`${origin.url}/__sluice/icon.svg`);
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration('/');
      await registration?.unregister();
    });
    // Only the first document: that of the boot page.
    await page.addInitScript(
      `if (!sessionStorage.getItem('seen')) { sessionStorage.setItem('seen', '1'); (${forbid})(); }`,
    );
    const count = navigations(page);
    await seenAt(page, `${origin.url}/`);
    expect(count).toEqual({ count: 2 });
    await page.close();
  }
});
