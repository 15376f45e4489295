import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from '@playwright/test';

/**
 * What the compiler's project references cannot see: cycles inside a folder, platform names in the wrong place.
 * (Which folder may import which is in each folder's tsconfig.json, and tsc enforces it.)
 */
const root = resolve(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const files = [...sources('src'), ...sources('sw')];
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

/** Code without comments and import types: what really runs. */
function code(file: string): string {
  return (textOf.get(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function importsOf(file: string): string[] {
  const specifiers = code(file).matchAll(/(?:import|export)\s+(?!type\b)[^'";]*?from\s+'(\.[^']+)'/g);
  return [...specifiers].map((match) => relative(root, resolve(root, dirname(file), match[1] ?? '')));
}

test('no import cycle', () => {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const next of importsOf(file)) visit(next, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  expect(files.length).toBeGreaterThan(20);
  expect(cycles).toEqual([]);
});

test('every relative import names a file that exists', () => {
  const known = new Set(files);
  const missing = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => target.endsWith('.ts') && !known.has(target))
      .map((target) => `${file} → ${target}`),
  );
  expect(missing).toEqual([]);
});

const places: { rule: string; pattern: RegExp; allowed: (file: string) => boolean }[] = [
  {
    rule: 'only the OPFS folder and directory name the Origin Private File System',
    pattern: /\bcreateSyncAccessHandle\b|navigator\.storage\.getDirectory/,
    allowed: (file) => /^src\/store\/opfs-\w+\.ts$/.test(file),
  },
  {
    rule: 'store, format, image, codec and protocol do no network',
    pattern: /(?<![.\w])fetch\(/,
    allowed: (file) => !/^src\/(store|format|image|codec|protocol)\//.test(file),
  },
  {
    rule: 'pure folders name no browser and no Node',
    pattern: /\b(navigator|window|document|self|process|Buffer)\.|from 'node:/,
    allowed: (file) => !/^src\/(format|image|codec)\//.test(file),
  },
];

for (const { rule, pattern, allowed } of places) {
  test(rule, () => {
    const offenders = files.filter((file) => !allowed(file) && pattern.test(code(file)));
    expect(offenders).toEqual([]);
  });
}
