import { cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { copyPage, packageDir, prepareApp, type TestApp } from './test-app.ts';

/** What the page imports; all else comes with it. */
const ENTRIES = [
  'Scene/Scene.js',
  'Scene/Globe.js',
  'Core/Ellipsoid.js',
  'Core/Cartesian3.js',
  'Core/Color.js',
];

/** Files of one module each for the bare names that the engine's modules import. */
const DEPENDENCIES: Readonly<Record<string, string>> = {
  'mersenne-twister': 'mersenne-twister',
  urijs: 'urijs',
  tween: '@tweenjs/tween.js',
  dompurify: 'dompurify',
  earcut: 'earcut',
  meshoptimizer: 'meshoptimizer',
  'spz-loader': '@spz-loader/core',
};

/** A few of the modules import the engine by its own name, and with it all of its 1,300, for these. */
const ENGINE = `export { default as Check } from './engine/Core/Check.js';
export { default as destroyObject } from './engine/Core/destroyObject.js';
export { default as MetadataComponentType } from './engine/Scene/MetadataComponentType.js';
`;

/**
 * Many small files: the 800 modules of Cesium's engine that draw a globe, as published, not bundled; only what they have from other packages is, as
 * development servers do it.
 */
export function modulesApp(): Promise<TestApp> {
  return prepareApp({
    name: 'modules',
    expected: { drawn: true },
    packages: ['@cesium/engine'],
    sources: ['modules.ts', 'pages/modules.html'],
    build: async (dir) => {
      const engine = packageDir('@cesium/engine');
      await copyModules(join(engine, 'Source'), join(dir, 'engine'));
      await writeFile(join(dir, 'engine.js'), ENGINE);
      await bundleDependencies(join(dir, 'dependencies'));
      await cp(join(engine, 'Build/Workers'), join(dir, 'base/Workers'), { recursive: true });
      for (const path of ['Assets/IAU2006_XYS', 'Assets/Images/ion-credit.png']) {
        await cp(join(engine, 'Source', path), join(dir, 'base', path), { recursive: true });
      }
      await cp(join(engine, 'LICENSE.md'), join(dir, 'LICENSE.md'));
      await copyPage('pages/modules.html', dir);
    },
  });
}

/** The entries and what they import, by relative names, of each other. */
async function copyModules(from: string, to: string): Promise<void> {
  const paths = new Set(ENTRIES);
  for (const path of paths) {
    const source = await readFile(join(from, path), 'utf8');
    for (const [, imported] of source.matchAll(
      /^(?:import|export|\})[^;'"]*["'](\.{1,2}\/[^"']+\.js)["'];?$/gm,
    )) {
      paths.add(join(dirname(path), imported!));
    }
    await cp(join(from, path), join(to, path));
  }
}

async function bundleDependencies(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: packageDir('@cesium/engine'),
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir,
      emptyOutDir: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: {
        input: DEPENDENCIES,
        preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  });
}
