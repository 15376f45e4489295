import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mediaApp } from '../apps/media.ts';
import { monacoApp } from '../apps/monaco.ts';
import { onnxApp } from '../apps/onnx.ts';
import { pdfjsApp } from '../apps/pdfjs.ts';
import { pyodideApp } from '../apps/pyodide.ts';
import { encodePath, type SiteWindow, siteApp } from '../apps/site.ts';
import { appReady } from '../apps/test-app.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';

// The control for every test that launches these apps lazily: here they run from a plain server. It says something of the apps, and nothing of us.
test.skip(process.env.SLUICE_LONG !== '1', 'SLUICE_LONG=1 runs the apps without Sluice, too');

for (const [name, prepare] of Object.entries({
  pyodideApp,
  monacoApp,
  pdfjsApp,
  mediaApp,
  onnxApp,
  siteApp,
})) {
  test(`${name} works from a plain server`, async ({ page, log }) => {
    const app = await prepare();
    await using origin = await Origin.start({ mounts: { '/': app.dir } });
    await page.goto(`${origin.url}/${app.entry}`);
    expect(await appReady(page)).toEqual(app.expected);
    expect(log.errors).toEqual([]);
    expect(origin.requests((r) => r.status >= 400 && r.path !== '/favicon.ico')).toEqual([]);
    if (name === 'pdfjsApp') {
      const ranges = origin.requests((r) => r.path === '/large.pdf' && r.status === 206);
      expect(ranges.length).toBeGreaterThan(3);
      expect(ranges.reduce((sum, r) => sum + r.bodyBytes, 0)).toBeLessThan(2_000_000);
    }
  });
}

test('a deep page of the site, and some of its files by hash', async ({ page }) => {
  const app = await siteApp();
  await using origin = await Origin.start({ mounts: { '/': app.dir } });
  const urls: string[] = JSON.parse(await readFile(join(app.dir, 'manifest.json'), 'utf8'));
  expect(urls.length).toBeGreaterThan(5000);
  const html = urls.filter((url) => url.endsWith('.html'));
  await page.goto(`${origin.url}/${encodePath('sections/what? 6/no #1 1.html')}`);
  expect(await appReady(page)).toMatchObject({ styled: true, picture: 64 });
  const some = html.filter((_, i) => i % 50 === 0);
  const hashes = await page.evaluate((list) => (window as unknown as SiteWindow).__hash(list), some);
  for (const url of some) {
    const bytes = await readFile(join(app.dir, decodeURIComponent(url)));
    expect(hashes[url], url).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});
