import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { seededRandom } from '../support/random.ts';
import { prepareApp, type TestApp } from './test-app.ts';

const SECTIONS = 44;
const PAGES_PER_SECTION = 58;

/** One of each kind of name that is easily got wrong in a URL. Used for sections and pages in turn. */
const ODD_NAMES = [
  'plain',
  'with space',
  'Größe',
  '日本語',
  '100% sure',
  'a+b',
  'what?',
  'no #1',
  '%41 not A',
  'emoji 🦉',
  'cafe\u0301', // "é" as two code points
  "it's (quite) [odd]",
  '&amp; <angle>',
  '.hidden',
];

/** What pages of the site offer to tests besides `window.__ready`. */
export interface SiteWindow {
  /** Fetches URLs below the site's root, as manifest.json lists them, and gives their bytes' SHA-256 in hex. */
  __hash(urls: readonly string[]): Promise<Record<string, string>>;
}

/**
 * A site of more than 5,000 small files in nested directories with awkward names. Every page has a style sheet, a
 * picture and a JSON file of its own to load, links to others, and sets `window.__ready`. `manifest.json` lists
 * the URL of every other file, percent-encoded and relative to the root. Every page's result is like `expected`'s, with
 * its own title; the entry's is "Home".
 */
export function siteApp(): Promise<TestApp> {
  return prepareApp({
    name: 'site',
    expected: { title: 'Home', styled: true, picture: 64, data: 'Home' },
    packages: [],
    sources: ['site.ts', '../support/random.ts'],
    build: async (dir) => {
      const files = siteFiles();
      const urls = [...files.keys()].sort().map(encodePath);
      files.set('manifest.json', `${JSON.stringify(urls, null, 1)}\n`);
      for (const [path, text] of files) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), text);
      }
    },
  });
}

/** A path with each of its names percent-encoded, as a URL wants it. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function siteFiles(): Map<string, string> {
  const random = seededRandom(5);
  const files = new Map<string, string>();
  files.set('page.js', PAGE_SCRIPT);
  const sections = Array.from({ length: SECTIONS }, (_, i) => {
    // Every third section lies in the one before it, so that there is some depth.
    const name = `${ODD_NAMES[i % ODD_NAMES.length]} ${i}`;
    return i % 3 === 2
      ? `sections/${ODD_NAMES[(i - 1) % ODD_NAMES.length]} ${i - 1}/${name}`
      : `sections/${name}`;
  });
  addPage(files, '', 'index', 'Home', 0, [...sections.map((section) => `${encodePath(section)}/`)]);
  sections.forEach((section, s) => {
    const up = '../'.repeat(section.split('/').length);
    const names = Array.from(
      { length: PAGES_PER_SECTION },
      (_, i) => `${ODD_NAMES[(s + i) % ODD_NAMES.length]} ${i}`,
    );
    const links = names.map((name) => `${encodeURIComponent(name)}.html`);
    addPage(files, section, 'index', `Section ${s}`, s, [up, ...links]);
    names.forEach((name, p) => {
      const next = links[(p + 1) % links.length]!;
      addPage(files, section, name, `Page ${s}.${p}`, Math.floor(random() * 360), ['./', next]);
    });
  });
  return files;
}

function addPage(
  files: Map<string, string>,
  section: string,
  name: string,
  title: string,
  hue: number,
  links: readonly string[],
): void {
  const at = (file: string) => (section === '' ? file : `${section}/${file}`);
  const root = '../'.repeat(section === '' ? 0 : section.split('/').length);
  const url = encodeURIComponent(name);
  const items = links.map((link) => `<li><a href="${link.replaceAll('&', '&amp;')}">${link}</a></li>`);
  files.set(
    at(`${name}.html`),
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<link rel="stylesheet" href="${root}styles/${hue}.css">
<h1>${title}</h1>
<img alt="" src="${root}pictures/${hue}.svg">
<ul>
${items.join('\n')}
</ul>
<script src="${root}page.js" data-root="${root}" data-json="${url}.json"></script>
</html>
`,
  );
  files.set(at(`${name}.json`), `${JSON.stringify({ title, hue, links })}\n`);
  files.set(`styles/${hue}.css`, `h1 { color: hsl(${hue} 60% 40%); letter-spacing: 3px; }\n`);
  const circle = `<circle cx="32" cy="32" r="30" fill="hsl(${hue} 60% 60%)"/>`;
  files.set(
    `pictures/${hue}.svg`,
    `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${circle}</svg>\n`,
  );
}

const PAGE_SCRIPT = `
const { root, json } = document.currentScript.dataset;
const base = new URL(root || './', location.href);

window.__ready = (async () => {
  await new Promise((resolve) => {
    if (document.readyState === 'complete') resolve();
    else addEventListener('load', resolve);
  });
  return {
    title: document.title,
    styled: getComputedStyle(document.querySelector('h1')).letterSpacing === '3px',
    picture: document.querySelector('img').naturalWidth,
    data: (await (await fetch(json)).json()).title,
  };
})();

window.__hash = async (urls) => {
  const found = {};
  let next = 0;
  const worker = async () => {
    while (next < urls.length) {
      const url = urls[next++];
      const response = await fetch(new URL(url, base));
      if (!response.ok) throw new Error(url + ': ' + response.status);
      const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
      found[url] = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return found;
};
`;
