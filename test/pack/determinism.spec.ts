import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../src/pack/index.ts';
import { noise, seededRandom } from '../support/random.ts';
import { contents, expect, makeTree, prose, type TreeSpec, test } from './fixture.ts';

const tree: TreeSpec = {
  'index.html': '<!doctype html><title>Golden</title>',
  'main.js': prose(1, 90_000),
  'style.css': prose(2, 3000),
  'app.wasm': noise(3, 70_000),
  'media/a.png': noise(4, 900),
  'media/b.jpg': noise(5, 2000),
  'data/level.pck': prose(6, 150_000),
  'data/copy-of-style.txt': prose(2, 3000),
  'empty.txt': '',
  'empty/': '',
  'é/ü.json': '{"a":1}',
};

/** Digests of the bootstrap: whoever changes them changes every published name, and tells why. */
const golden = {
  zstd: '4f9376b24493462be43c13163d87bced75193b623c8640e8ba359874a9125f98',
  lz4: '7b62d7528d80d23141e409c8fe72982b17d4f947e4e746298b2b588bc402e1bc',
  none: '3c81394a603ccf9bf0c3e07739f892f1c36b7e47d366beb534cfcc516e5ed128',
  traced: '2cee2a322096e10e8d65f60382215b7125dd0eb67f6d874735fba39dec86f923',
} as const;

for (const codec of ['zstd', 'lz4', 'none'] as const) {
  test(`golden digest, ${codec}`, async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), tree);
    const { image } = await build(app, { out: join(dir, 'site'), runtimeDir, codec });
    expect(image).toBe(golden[codec]);
  });
}

test('golden digest, with traces', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), tree);
  const part = { path: 'data/level.pck', start: 70_000, end: 70_001, size: 150_000 };
  const traces = [
    { reads: [{ path: 'index.html' }, part, { path: 'app.wasm' }] },
    { reads: [{ path: 'index.html' }, { path: 'main.js' }, { path: 'app.wasm' }, { path: 'style.css' }] },
  ];
  const { image } = await build(app, { out: join(dir, 'site'), runtimeDir, traces });
  expect(image).toBe(golden.traced);
});

test('neither the order of creation nor times nor an older site at the place change a byte', async ({
  dir,
  runtimeDir,
}) => {
  const random = seededRandom(7);
  const outputs: Map<string, string>[] = [];
  for (let round = 0; round < 4; round++) {
    const entries = Object.entries(tree).map((entry) => ({ entry, at: random() }));
    const shuffled = entries.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
    const app = makeTree(join(dir, `app-${round}`), Object.fromEntries(shuffled));
    for (const [path] of shuffled) utimesSync(join(app, path), random() * 1e9, random() * 1e9);
    // The second and later builds replace the site before them.
    const site = join(dir, 'site');
    await build(app, { out: site, runtimeDir });
    outputs.push(contents(site));
  }
  for (const output of outputs) expect(output).toEqual(outputs[0]);
});

test('the release pointer names the bootstrap by its digest and length', async ({ dir, runtimeDir }) => {
  const site = join(dir, 'site');
  const { image, bytes } = await build(makeTree(join(dir, 'app'), tree), { out: site, runtimeDir });
  expect(JSON.parse(readFileSync(join(site, 'sluice.json'), 'utf8'))).toEqual({
    sluice: 1,
    bootstrap: { sha256: image, bytes },
  });
  expect(readFileSync(join(site, `${image}.bin`)).length).toBe(bytes);
  expect(contents(site).get(`${image}.bin`)).toBe(image);
});
