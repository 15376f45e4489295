import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';

const read = (name: string): Record<string, never> =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>;
const packages = read('package-lock.json').packages as Readonly<Record<string, Locked>>;

/** What is shipped, or needed to build: each is named here by hand, and so looked at. */
const shipped = {
  '@foxglove/wasm-zstd': 'the encoder of blocks, in Node',
  comlink: 'calls between page and loader',
  fflate: 'the encoder of bootstraps, in Node',
  'idb-keyval': 'the release record',
  lz4js: 'the encoder of lz4 blocks, in Node',
  mime: 'media types',
  'workbox-window': 'registration of the service worker',
  // workbox-window's own.
  '@types/trusted-types': 'types',
  'workbox-core': 'part of workbox-window',
};

test('dependencies have exact versions, and the lock file has these, with digests', () => {
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
  for (const [path, { resolved, integrity, optional }] of Object.entries(packages)) {
    // What is for other platforms was never here.
    if (path === '' || (optional && integrity === undefined)) continue;
    // From the registry that is set up, never from an address of its own.
    expect(resolved, path).toBeUndefined();
    expect(integrity, path).toMatch(/^sha512-/);
  }
});

test('nothing comes along with a dependency unseen: neither packages that are shipped, nor scripts that run when it is installed', () => {
  const all = Object.entries(packages).filter(([path]) => path !== '');
  const name = (path: string): string => path.replace(/^.*node_modules\//, '');
  const found = all.filter(([, { dev, optional }]) => !dev && !optional).map(([path]) => name(path));
  expect(found.sort()).toEqual(Object.keys(shipped).sort());
  expect(Object.keys(dependencies!).every((one) => one in shipped)).toBe(true);
  const scripts = all.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => name(path));
  // Of onnxruntime-web, an app of the benchmark.
  expect(scripts.sort()).toEqual(['protobufjs']);
});
