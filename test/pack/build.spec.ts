import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { globToRegExp } from '../../src/format/glob.ts';
import { Image } from '../../src/image/image.ts';
import { findSite } from '../../src/pack/find-site.ts';
import { type BuildOptions, build } from '../../src/pack/index.ts';
import { mediaType } from '../../src/pack/media-type.ts';
import { noise } from '../support/random.ts';
import { expect, makeTree, prose, type TreeSpec, test } from './fixture.ts';

async function buildImage(dir: string, spec: TreeSpec, options: Omit<BuildOptions, 'out'>): Promise<Image> {
  const app = makeTree(join(dir, 'app'), spec);
  const { image } = await build(app, { ...options, out: join(dir, 'site') });
  return Image.open(new Uint8Array(readFileSync(join(dir, 'site', `${image}.bin`))), { sha256: image });
}

const inodeOf = (image: Image, path: string) => image.inode(image.lookup(path)!);

test('media types of what a web app ships', () => {
  const expected: Record<string, string> = {
    'index.html': 'text/html',
    'A.HTM': 'text/html',
    'a.js': 'text/javascript',
    'a.mjs': 'text/javascript',
    'a.cjs': 'text/javascript',
    'a.min.css': 'text/css',
    'a.json': 'application/json',
    'a.js.map': 'application/json',
    'a.wasm': 'application/wasm',
    'app.webmanifest': 'application/manifest+json',
    'a.svg': 'image/svg+xml',
    'favicon.ico': 'image/vnd.microsoft.icon',
    'a.avif': 'image/avif',
    'a.webp': 'image/webp',
    'a.ktx2': 'image/ktx2',
    'a.basis': 'image/x-basis',
    'a.glb': 'model/gltf-binary',
    'a.gltf': 'model/gltf+json',
    'a.wgsl': 'text/wgsl',
    'a.glsl': 'text/plain',
    'a.woff2': 'font/woff2',
    'a.ttf': 'font/ttf',
    'a.mp4': 'video/mp4',
    'a.webm': 'video/webm',
    'a.mp3': 'audio/mpeg',
    'a.ogg': 'audio/ogg',
    'a.wav': 'audio/wav',
    'a.flac': 'audio/flac',
    'a.vtt': 'text/vtt',
    'a.pdf': 'application/pdf',
    'a.xml': 'application/xml',
    'a.geojson': 'application/geo+json',
    'a.data': 'application/octet-stream',
    'a.pck': 'application/octet-stream',
    LICENSE: 'application/octet-stream',
    '.html': 'application/octet-stream',
    'dir.js/file': 'application/octet-stream',
  };
  const actual = Object.fromEntries(Object.keys(expected).map((path) => [path, mediaType(path)]));
  expect(actual).toEqual(expected);
});

test('text gets a charset where its bytes are UTF-8, in small files and large ones', async ({
  dir,
  runtimeDir,
}) => {
  const large = prose(1, 300_000);
  const image = await buildImage(
    dir,
    {
      'ascii.js': 'x',
      'utf8.css': '/* ü */',
      'latin1.html': Buffer.from('<p>\xfc</p>', 'latin1'),
      'large-utf8.txt': `${large.slice(0, 262_143)}é${large}`,
      'large-latin1.txt': Buffer.from(`${large}\xe9`, 'latin1'),
      'ends-in-the-middle.txt': Buffer.concat([Buffer.from(large), Buffer.of(0xc3)]),
      'data.json': '{"ü":1}',
      'app.wasm': noise(1, 10),
    },
    { runtimeDir },
  );
  const mimes = Object.fromEntries(
    [...image.files()].map(({ inode, path }) => [path, image.inode(inode).mime]),
  );
  expect(mimes).toEqual({
    'ascii.js': 'text/javascript;charset=utf-8',
    'utf8.css': 'text/css;charset=utf-8',
    'latin1.html': 'text/html',
    'large-utf8.txt': 'text/plain;charset=utf-8',
    'large-latin1.txt': 'text/plain',
    'ends-in-the-middle.txt': 'text/plain',
    'data.json': 'application/json',
    'app.wasm': 'application/wasm',
  });
});

test('attributes: later patterns win field by field, headers are put together', async ({
  dir,
  runtimeDir,
}) => {
  const image = await buildImage(
    dir,
    { 'a.bin': 'a', 'deep/er/b.bin': 'b', 'c.txt': 'c' },
    {
      runtimeDir,
      crossOriginIsolate: true,
      fallback: '/c.txt',
      attributes: {
        '*.bin': { mime: 'application/x-level', headers: { 'X-One': '1', 'X-Two': 'two' }, meta: 'hé' },
        '/deep/**': { headers: { 'x-one': 'other' }, meta: { base64: Buffer.of(0, 255).toString('base64') } },
      },
    },
  );
  expect(inodeOf(image, 'a.bin')).toMatchObject({
    mime: 'application/x-level',
    headers: [
      ['X-One', '1'],
      ['X-Two', 'two'],
    ],
  });
  expect(Buffer.from(inodeOf(image, 'a.bin').meta!).toString()).toBe('hé');
  expect(inodeOf(image, 'deep/er/b.bin')).toMatchObject({
    mime: 'application/x-level',
    headers: [
      ['x-one', 'other'],
      ['X-Two', 'two'],
    ],
  });
  expect([...inodeOf(image, 'deep/er/b.bin').meta!]).toEqual([0, 255]);
  expect(inodeOf(image, 'c.txt')).toMatchObject({ headers: [], meta: undefined });
  expect(image.crossOriginIsolate).toBe(true);
  expect(image.pathOf(image.fallback!)).toBe('c.txt');
});

test('attributes that cannot be are refused by name', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { a: 'a' });
  const bad: [attributes: unknown, word: string][] = [
    [[], 'object'],
    [{ 'a*': 'x' }, 'a*'],
    [{ a: { mimes: 'x' } }, 'mimes'],
    [{ a: { mime: 'html' } }, 'mime'],
    [{ a: { headers: { 'Content-Length': '1' } } }, 'Content-Length'],
    [{ a: { headers: { 'x y': '1' } } }, 'x y'],
    [{ a: { headers: { x: 'a\r\nb: c' } } }, '"x"'],
    [{ a: { meta: 5 } }, 'meta'],
    [{ a: { meta: 'é'.repeat(257) } }, '514'],
  ];
  for (const [attributes, word] of bad) {
    const options = { out: join(dir, 'site'), runtimeDir, attributes: attributes as Record<string, never> };
    await expect(build(app, options)).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining(word),
    });
  }
});

test('patterns', () => {
  const cases: [glob: string, matching: string[], other: string[]][] = [
    ['*.js', ['a.js', 'x/y/a.js', '.js'], ['a.jsx', 'a.js/b']],
    ['/*.js', ['a.js'], ['x/a.js']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'ba/b']],
    ['**/b.txt', ['b.txt', 'x/b.txt', 'x/y/b.txt'], ['ab.txt']],
    ['a?c', ['abc', 'x/a\u{1f30d}c'], ['ac', 'a/c']],
    ['x/[1].(a)+$', ['x/[1].(a)+$'], ['x/1.a']],
  ];
  for (const [glob, matching, other] of cases) {
    const pattern = globToRegExp(glob);
    expect([glob, ...[...matching, ...other].filter((path) => pattern.test(path))]).toEqual([
      glob,
      ...matching,
    ]);
  }
});

test('identical files and blocks are stored once, whatever they are called', async ({ dir, runtimeDir }) => {
  const big = noise(1, 300_000);
  const small = noise(2, 5000);
  const app = makeTree(join(dir, 'app'), {
    'big.js': big,
    'big.mp4': big,
    'z/big-again.bin': big,
    // The first block of its kind is that of big.js.
    'longer.js': Buffer.concat([big.subarray(0, 262_144), Buffer.from('tail'), noise(9, 100_000)]),
    'small.txt': small,
    'small.png': small,
    'empty-1': '',
    'empty-2': '',
  });
  const report = await build(app, { out: join(dir, 'site'), runtimeDir });
  expect(report).toMatchObject({ duplicateFiles: 4, duplicateBytes: 2 * 300_000 + 262_144 + 5000 });
  expect(report.storedBytes).toBeLessThan(300_000 + 100_004 + 5000 + 1000);
});

test('blocks that do not shrink are raw, as are those of compressed types', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), {
    'a.js': noise(1, 100_000),
    'b.js': prose(1, 100_000),
    'c.jpg': prose(2, 100_000),
  });
  const { storedBytes } = await build(app, { out: join(dir, 'site'), runtimeDir });
  expect(storedBytes).toBeGreaterThan(200_000);
  expect(storedBytes).toBeLessThan(220_000);
});

test('the first blob is short, so that a boot page can ask for all of it', async ({ dir, runtimeDir }) => {
  const spec = { 'index.html': '<p>', 'a.bin': noise(1, 3_000_000) };
  const image = await buildImage(dir, spec, { runtimeDir, codec: 'none' });
  expect(image.blobCount).toBe(2);
  expect(image.blob(0).length).toBeGreaterThan(2 ** 19 - 2 ** 18);
  expect(image.blob(0).length).toBeLessThanOrEqual(2 ** 19);
  const app = makeTree(join(dir, 'small blobs'), spec);
  const { blobs } = await build(app, {
    out: join(dir, 'small site'),
    runtimeDir,
    codec: 'none',
    blobSize: 2 ** 19,
  });
  expect(blobs).toBeGreaterThan(5);
});

test('a rebuild tells what the older site has already', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'a.bin': noise(1, 3_000_000), 'z.txt': 'one' });
  const options = { runtimeDir, blobSize: 2 ** 20 };
  const first = await build(app, { ...options, out: join(dir, 'v1') });
  writeFileSync(join(app, 'z.txt'), 'two');
  const second = await build(app, { ...options, out: join(dir, 'v2'), base: join(dir, 'v1') });
  expect(first.blobs).toBe(4);
  expect(second.image).not.toBe(first.image);
  expect(second.base?.blobs).toBe(3);
  expect(second.base?.bytes).toBeGreaterThan(1_900_000);
});

test('boot pages: one for every page, with its way to the root, the release and its title', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), {
    'index.html': '<!doctype html><TITLE lang=en>\n Big &amp; $& <b>bold</b>\n</TITLE>',
    'a/b/deep.HTML': '<p>no title',
    'latin1.htm': Buffer.from('<title>gr\xfcn</title>', 'latin1'),
  });
  const { image, bytes } = await build(app, { out: join(dir, 'site'), runtimeDir });
  const page = (path: string): string => readFileSync(join(dir, 'site', path), 'utf8');
  const boot = `id="sluice-boot">{"release":{"image":"${image}","bytes":${bytes}}}</script>`;
  expect(page('index.html')).toContain(boot);
  expect(page('index.html')).toContain('<title>Big &amp; $& &lt;b&gt;bold&lt;/b&gt;</title>');
  expect(page('index.html')).toContain('src="__sluice/client.js"');
  expect(page('a/b/deep.HTML')).toContain(boot);
  const preloads = [
    ...page('a/b/deep.HTML').matchAll(/<link rel="preload" href="\.\.\/\.\.\/(\w+)\.bin" as="fetch"/g),
  ];
  const blob = readdirSync(join(dir, 'site')).find(
    (name) => name.endsWith('.bin') && !name.startsWith(image),
  );
  expect(preloads.map(([, name]) => `${name}.bin`)).toEqual([`${image}.bin`, blob]);
  expect(page('a/b/deep.HTML')).toContain('src="../../__sluice/client.js"');
  expect(page('latin1.htm')).toContain('<title>Loading…</title>');
  expect(page('latin1.htm')).not.toContain('__SLUICE_ROOT__');
});

test('boot pages ask for the zstd decoder ahead where the image has zstd, and only there', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), { 'a/index.html': prose(1, 5000) });
  for (const codec of ['zstd', 'lz4', 'none'] as const) {
    const out = join(dir, codec);
    await build(app, { out, runtimeDir, codec });
    const ahead = '<link rel="preload" href="../__sluice/zstd.wasm" as="fetch" crossorigin>\n';
    const page = readFileSync(join(out, 'a/index.html'), 'utf8');
    expect([page.includes(ahead), page.includes('zstd')]).toEqual(
      codec === 'zstd' ? [true, true] : [false, false],
    );
  }
});

test('an app without a page at its root gets a boot page there all the same', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'sub/app.html': '<title>x</title>' });
  await build(app, { out: join(dir, 'site'), runtimeDir });
  expect(readFileSync(join(dir, 'site/index.html'), 'utf8')).toContain('src="__sluice/client.js"');
});

test('a single-page app gets a page for unknown paths, which looks for the site and asks for nothing ahead', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), {
    'index.html': '<title>One page</title>',
    'docs/index.html': '<title>Docs</title>',
  });
  const out = join(dir, 'site');
  const page = (path: string): string => readFileSync(join(out, path), 'utf8');
  const looks = (path: string): boolean => page(path).includes('(function find(');
  await build(app, { out, runtimeDir });
  expect(readdirSync(out)).not.toContain('404.html');
  expect(looks('index.html')).toBe(false);
  await build(app, { out, runtimeDir, fallback: '/index.html' });
  expect(page('404.html')).toContain('<title>One page</title>');
  expect(page('404.html')).not.toContain('<link');
  expect(['404.html', 'index.html', 'docs/index.html'].map(looks)).toEqual([true, true, false]);
  expect(page('index.html')).toContain('<link rel="preload"');
});

test('the README tells the hash by which a policy allows the script that looks for the site', () => {
  const text = findSite.slice('<script>'.length, findSite.lastIndexOf('</script>'));
  const hash = createHash('sha256').update(text).digest('base64');
  expect(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')).toContain(`'sha256-${hash}'`);
});

test('an app’s own page for unknown paths keeps its title, and looks for the site', async ({
  dir,
  runtimeDir,
}) => {
  const app = makeTree(join(dir, 'app'), {
    'index.html': '<title>Start</title>',
    '404.html': '<title>Nothing here</title>',
  });
  const out = join(dir, 'site');
  await build(app, { out, runtimeDir, fallback: 'index.html' });
  const page = readFileSync(join(out, '404.html'), 'utf8');
  expect(page).toContain('<title>Nothing here</title>');
  expect(page).toContain('(function find(');
});

test('what a trace names is the launch set of the image; without one there is none', async ({
  dir,
  runtimeDir,
}) => {
  const spec = {
    'index.html': '<h1>x</h1>',
    'a.js': prose(1, 90_000),
    'b.bin': noise(2, 2_000_000),
    'c.js': prose(3, 70_000),
  };
  const none = await buildImage(dir, spec, { runtimeDir });
  expect(none.launchSet).toBeUndefined();
  const traces = [{ reads: [{ path: 'index.html' }, { path: 'c.js' }] }];
  const image = await buildImage(dir, spec, { runtimeDir, traces });
  const launch = ['index.html', 'c.js'].flatMap((path) => {
    const inode = image.lookup(path)!;
    return [...image.mapExtents(inode, 0, image.inode(inode).size)];
  });
  const bytes = launch.reduce((sum, { storedLength }) => sum + storedLength, 0);
  expect(image.launchSet).toEqual({ blob: 1, block: 0, bytes });
  const all = [{ reads: Object.keys(spec).map((path) => ({ path })) }];
  const whole = await buildImage(dir, spec, { runtimeDir, traces: all });
  expect(whole.launchSet).toMatchObject({ blob: whole.blobCount, block: 0 });
});
