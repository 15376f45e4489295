import { expect, test } from '@playwright/test';
import type { Image } from '../../src/image/image.ts';
import { decodePath, route } from '../../sw/route.ts';
import { smallImage } from './small-image.ts';

const scope = 'https://example.org/games/doom/';
const sha = 'a'.repeat(64);
const names = [
  'index.html',
  'app.js',
  'sw.js',
  '100%',
  'a b.txt',
  'a+b.txt',
  'größe.txt',
  '%2F',
  '%41',
  'a?b',
  'a#b',
  'docs/index.html',
  'docs/page.html',
  'docs/deep/index.html',
  'empty/file.txt',
  'trick/index.html/file.txt',
  'a\\b.txt',
  `sub/${sha}.bin`,
  'sub/sluice.json',
  'sub/__sluice/client.js',
  '.well-known/x.json',
  'toString',
  '__proto__',
];

let image: Image;
let single: Image;
test.beforeAll(async () => {
  const files = Object.fromEntries(names.map((name) => [name, { bytes: new TextEncoder().encode(name) }]));
  image = (await smallImage(files)).image;
  single = (await smallImage(files, { fallback: 'index.html' })).image;
});

function at(path: string, options: { method?: string; mode?: string; image?: Image | undefined } = {}) {
  const url = new URL(path, scope).href;
  const facts = { method: options.method ?? 'GET', mode: options.mode ?? 'cors', url };
  return route(facts, scope, 'image' in options ? options.image : image);
}

/** The path in the image that answers, or what else happens. */
function outcome(path: string, options: { method?: string; mode?: string; image?: Image } = {}): string {
  const found = at(path, options);
  if (found.to === 'file') return (options.image ?? image).pathOf(found.inode);
  return found.to === 'redirect' ? `→ ${found.location}` : found.to;
}

for (const [path, expected] of [
  // Files.
  ['app.js', 'app.js'],
  ['app.js?v=1#x', 'app.js'],
  ['%61pp.js', 'app.js'],
  ['./docs/../app.js', 'app.js'],
  ['docs/%2e%2e/app.js', 'app.js'],
  ['a%20b.txt', 'a b.txt'],
  ['a b.txt', 'a b.txt'],
  ['a+b.txt', 'a+b.txt'],
  ['a%2Bb.txt', 'a+b.txt'],
  ['gr%C3%B6%C3%9Fe.txt', 'größe.txt'],
  ['größe.txt', 'größe.txt'],
  ['a%3Fb', 'a?b'],
  ['a%23b', 'a#b'],
  ['100%25', '100%'],
  ['.well-known/x.json', '.well-known/x.json'],
  ['toString', 'toString'],
  ['__proto__', '__proto__'],
  ['sw.js', 'sw.js'],
  // Decoded exactly once.
  ['%252F', '%2F'],
  ['%2541', '%41'],
  ['%25%34%31', '%41'],
  // Directories.
  ['', 'index.html'],
  ['?a=b', 'index.html'],
  ['docs/', 'docs/index.html'],
  ['docs', '→ /games/doom/docs/'],
  ['docs?q=1&r=/', '→ /games/doom/docs/?q=1&r=/'],
  ['d%6Fcs', '→ /games/doom/d%6Fcs/'],
  ['docs/deep', '→ /games/doom/docs/deep/'],
  ['docs/deep/', 'docs/deep/index.html'],
  ['empty', 'network'],
  ['empty/', 'network'],
  ['trick/', 'network'],
  ['app.js/', 'network'],
  // Not in the image.
  ['missing.js', 'network'],
  ['App.js', 'network'],
  ['app.js%00', 'network'],
  ['api/users?id=1', 'network'],
  // What can name no file.
  ['docs%2Fpage.html', 'network'],
  ['docs%2fpage.html', 'network'],
  ['docs%5Cpage.html', 'network'],
  ['a%5Cb.txt', 'network'],
  ['100%', 'network'],
  ['%zz', 'network'],
  ['%FF', 'network'],
  ['%C3', 'network'],
  ['%C0%AE%C0%AE/app.js', 'network'],
  ['%ED%A0%80', 'network'],
  ['docs//page.html', 'network'],
  ['docs//', 'network'],
  ['docs/%2F', 'network'],
  // Published files: never the app's, fetched by the loader through us.
  ['sluice.json', 'network'],
  [`${sha}.bin`, 'network'],
  [`sub/${sha}.bin`, `sub/${sha}.bin`],
  ['sub/sluice.json', 'sub/sluice.json'],
  // Our own.
  ['__sluice/client.js', 'runtime'],
  ['__sluice/loader.js?x', 'runtime'],
  ['__sluice/zstd.wasm', 'runtime'],
  ['__sluice/icon.svg', 'runtime'],
  ['__sluice/', 'runtime'],
  ['__sluice/?x', 'runtime'],
  ['__sluice/index.html', 'runtime'],
  ['__sluice/inspector.js', 'runtime'],
  ['__sluice/../app.js', 'app.js'],
  ['__sluice/other.js', 'network'],
  ['__sluice/sub/client.js', 'network'],
  ['__sluice/%63lient.js', 'network'],
  ['sub/__sluice/client.js', 'sub/__sluice/client.js'],
  // Elsewhere.
  ['/games/', 'network'],
  ['/games/doom', 'network'],
  ['/games/doom2/app.js', 'network'],
  ['/games/doom/../quake/app.js', 'network'],
  ['https://other.example/games/doom/app.js', 'network'],
  ['http://example.org/games/doom/app.js', 'network'],
  ['https://example.org:8443/games/doom/app.js', 'network'],
  ['https://user@example.org/games/doom/app.js', 'app.js'],
  ['data:text/plain,x', 'network'],
  ['blob:https://example.org/games/doom/app.js', 'network'],
] as const) {
  test(`GET ${path} → ${expected}`, () => {
    expect(outcome(path)).toBe(expected);
  });
}

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
  test(`${method} is not ours`, () => {
    expect(outcome('app.js', { method })).toBe('network');
    expect(outcome('__sluice/client.js', { method })).toBe('network');
  });
}

test('HEAD is answered like GET, but not for our own files', () => {
  expect(outcome('app.js', { method: 'HEAD' })).toBe('app.js');
  expect(outcome('docs', { method: 'HEAD' })).toBe('→ /games/doom/docs/');
  expect(outcome('__sluice/client.js', { method: 'HEAD' })).toBe('network');
});

test('a fallback answers navigations to unknown paths and nothing else', () => {
  const navigate = { mode: 'navigate', image: single };
  expect(outcome('users/7?tab=1', navigate)).toBe('index.html');
  expect(outcome('users/7/', navigate)).toBe('index.html');
  expect(outcome('empty/', navigate)).toBe('index.html');
  expect(outcome('docs/page.html', navigate)).toBe('docs/page.html');
  expect(outcome('users/7', { mode: 'cors', image: single })).toBe('network');
  expect(outcome('users%2F7', navigate)).toBe('network');
  expect(outcome('sluice.json', navigate)).toBe('network');
  expect(outcome('users/7', { mode: 'navigate', image })).toBe('network');
});

test('without an image only what needs one is undecided', () => {
  const closed = { image: undefined };
  expect(at('app.js', closed).to).toBe('undecided');
  expect(at('', closed).to).toBe('undecided');
  expect(at('api/users', closed).to).toBe('undecided');
  expect(at('sluice.json', closed).to).toBe('network');
  expect(at(`${sha}.bin`, closed).to).toBe('network');
  expect(at('docs%2Fpage.html', closed).to).toBe('network');
  expect(at('/elsewhere', closed).to).toBe('network');
  expect(at('app.js', { ...closed, method: 'POST' }).to).toBe('network');
  expect(at('__sluice/client.js', closed).to).toBe('runtime');
});

test('a scope at the root of the origin', () => {
  const root = 'https://example.org/';
  const ask = (path: string) =>
    route({ method: 'GET', mode: 'cors', url: `https://example.org${path}` }, root, image);
  expect(ask('/docs')).toEqual({ to: 'redirect', location: '/docs/' });
  // A location that begins with two slashes would name another host.
  expect(ask('//docs').to).toBe('network');
  expect(ask('//evil.example/..//docs').to).toBe('network');
});

test('a path is decoded once, or not at all', () => {
  expect(decodePath('a%20b/c/')).toBe('a b/c/');
  expect(decodePath('')).toBe('');
  expect(decodePath('%2e%2e/x')).toBeUndefined();
  expect(decodePath('./x')).toBeUndefined();
  expect(decodePath('/x')).toBeUndefined();
  expect(decodePath('a%00')).toBeUndefined();
});
