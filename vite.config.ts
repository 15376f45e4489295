import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type EnvironmentOptions, type Plugin } from 'vite';
import manifest from './package.json' with { type: 'json' };
import { zstdWasmFile, zstdWasmSha256 } from './src/codec/zstd-wasm.ts';

/**
 * One `vite build` makes everything that the package ships:
 *
 *   dist/runtime/   what `sluice build` copies into a site: classic scripts, one file each, no chunks
 *   dist/lib/       the page library, ESM, self-contained (a CDN or an import map can serve it as it is)
 *   dist/extension/ the inspector for Chrome's DevTools, to be loaded unpacked, or zipped for a store
 *   dist/node/      the command line and the build API, ESM for Node, npm packages external
 *
 * The order matters for one thing: sw.js carries the hash of the runtime files beside it and so comes after them.
 */
const root = fileURLToPath(new URL('.', import.meta.url));
const runtimeDir = 'dist/runtime';

// Whoever builds, and for whatever (a test runner says "test"): what is shipped is the same.
process.env.NODE_ENV = 'production';

/** The oldest engines with module-free service workers, OPFS sync handles and DecompressionStream. */
const browsers = ['chrome110', 'firefox115', 'safari16.4'];

/** A classic script for the browser: everything inlined, nothing split off. */
function script(entry: string, file: string): EnvironmentOptions {
  return {
    consumer: 'client',
    build: {
      outDir: runtimeDir,
      emptyOutDir: false,
      copyPublicDir: false,
      target: browsers,
      modulePreload: false,
      rolldownOptions: {
        input: join(root, entry),
        preserveEntrySignatures: false,
        output: { format: 'iife', entryFileNames: file, codeSplitting: false },
      },
    },
  };
}

/** The first of the environments that share dist/runtime empties it and copies public/ into it. */
function withFirst(options: EnvironmentOptions): EnvironmentOptions {
  return { ...options, build: { ...options.build, emptyOutDir: true, copyPublicDir: true } };
}

const environments: Record<string, EnvironmentOptions> = {
  // Vite's own name for the default environment; it also brings the boot template and public/.
  client: withFirst(script('src/client/client.ts', '__sluice/client.js')),
  loader: script('src/loader/worker.ts', '__sluice/loader.js'),
  inspector: script('src/inspector/index.ts', '__sluice/inspector.js'),
  sw: script('sw/main.ts', 'sw.js'),
  lib: {
    consumer: 'client',
    build: {
      outDir: 'dist/lib',
      copyPublicDir: false,
      target: browsers,
      minify: false,
      rolldownOptions: {
        input: { index: join(root, 'src/client/index.ts') },
        preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: '[name].js', codeSplitting: false },
      },
    },
  },
  extension: {
    consumer: 'client',
    build: {
      outDir: 'dist/extension',
      copyPublicDir: false,
      // The manifest's minimum_chrome_version.
      target: 'chrome119',
      modulePreload: false,
      rolldownOptions: {
        input: {
          devtools: join(root, 'src/extension/devtools.ts'),
          panel: join(root, 'src/extension/panel.ts'),
        },
        preserveEntrySignatures: false,
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
  },
  node: {
    consumer: 'server',
    build: {
      outDir: 'dist/node',
      copyPublicDir: false,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        input: {
          cli: join(root, 'src/cli/main.ts'),
          build: join(root, 'src/pack/index.ts'),
          'compress-worker': join(root, 'src/pack/compress-worker.ts'),
        },
        external: [/^node:/, ...Object.keys(manifest.dependencies)],
        preserveEntrySignatures: 'strict',
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' },
      },
    },
  },
};

/** Emits the boot template as it stands: it is no entry of a bundle, its script tag names a file beside it. */
function bootTemplate(): Plugin {
  return {
    name: 'sluice:boot-template',
    applyToEnvironment: (environment) => environment.name === 'client',
    buildStart() {
      this.addWatchFile(join(root, 'index.html'));
      this.emitFile({
        type: 'asset',
        fileName: 'index.html',
        source: readFileSync(join(root, 'index.html')),
      });
    },
  };
}

/** `__SLUICE_RUNTIME__` in the service worker, a RuntimeBuild: version and hash of the runtime files beside it, and the digest of each. */
function runtimeId(): Plugin {
  const runtimeBuild = (outDir: string) => {
    const dir = resolve(root, outDir, '__sluice');
    const files = readdirSync(dir)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(dir, name)))
          .digest('hex'),
      ]);
    const hash = createHash('sha256').update(files.flat().join(' ')).digest('hex');
    return { id: `${manifest.version}-${hash.slice(0, 12)}`, sha256: Object.fromEntries(files) };
  };
  return {
    name: 'sluice:runtime-id',
    applyToEnvironment: (environment) => environment.name === 'sw',
    transform(code) {
      if (!code.includes('__SLUICE_RUNTIME__')) return;
      const { outDir } = this.environment.config.build;
      return { code: code.replaceAll('__SLUICE_RUNTIME__', JSON.stringify(runtimeBuild(outDir))), map: null };
    },
  };
}

/**
 * lz4js is one CommonJS module, of which bundlers keep all. As ES modules, its encoder and its frames (with buffers of 5 MB, made at each
 * start of the service worker) stay out of scripts that only decode blocks.
 */
function splitLz4(): Plugin {
  return {
    name: 'sluice:split-lz4',
    applyToEnvironment: (environment) => ['sw', 'loader', 'lib'].includes(environment.name),
    transform(code, id) {
      if (!/\/lz4js\/\w+\.js$/.test(id)) return;
      const split = code
        .replace(/^var (\w+) = require\(('[^']+')\);/gm, 'import * as $1 from $2;')
        .replace(/^exports\.(\w+) = (function \1 )/gm, 'export $2')
        .replace(/^exports\.(\w+) = (\w+);/gm, 'export { $2 as $1 };')
        .replace(/^var (\w+) = make/gm, 'var $1 = /* @__PURE__ */ make')
        .replace(/\bexports\.(\w+)\(/g, '$1(');
      if (/\b(exports\.|require\()/.test(split)) this.error(`${id} is not written as expected`);
      return { code: split, map: null };
    },
  };
}

/**
 * lit asks for a Trusted Types policy of its own name as soon as it is loaded, and cannot be loaded where the page's policy does not list it. The
 * inspector's policy is named after whose it is.
 */
function litPolicyName(): Plugin {
  return {
    name: 'sluice:lit-policy-name',
    applyToEnvironment: (environment) => environment.name === 'inspector',
    transform(code, id) {
      if (!/\/lit-html\/(\w+\/)*lit-html\.js$/.test(id)) return;
      const renamed = code.replace(/createPolicy\((["'])lit-html\1/, 'createPolicy("sluice-inspector"');
      if (renamed === code) this.error(`${id} is not written as expected`);
      return { code: renamed, map: null };
    },
  };
}

/** `__sluice/zstd.wasm`, out of the package that carries it as base64 in a script. Only the one that is known by its digest. */
function zstdWasm(): Plugin {
  const script = join(root, 'node_modules/zstddec/dist/zstddec.mjs');
  return {
    name: 'sluice:zstd-wasm',
    applyToEnvironment: (environment) => environment.name === 'client',
    buildStart() {
      const base64 = /const wasm = "([\w+/=]+)"/.exec(readFileSync(script, 'utf8'))?.[1];
      if (base64 === undefined) this.error(`${script} is not written as expected`);
      const source = Buffer.from(base64, 'base64');
      const sha256 = createHash('sha256').update(source).digest('hex');
      if (sha256 !== zstdWasmSha256) {
        this.error(
          `zstddec holds another decoder, ${sha256}: see that the tests of codec pass with it, then name it in src/codec/zstd-wasm.ts`,
        );
      }
      this.emitFile({ type: 'asset', fileName: `__sluice/${zstdWasmFile}`, source });
    },
  };
}

/** What of the extension is no script: its manifest, with the package's version, pages and icons. */
function extensionFiles(): Plugin {
  const dir = join(root, 'src/extension');
  const icons = readdirSync(join(dir, 'icons')).map((name) => join('icons', name));
  return {
    name: 'sluice:extension-files',
    applyToEnvironment: (environment) => environment.name === 'extension',
    buildStart() {
      const fields = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
      const source = `${JSON.stringify({ ...fields, version: manifest.version }, undefined, 2)}\n`;
      this.emitFile({ type: 'asset', fileName: 'manifest.json', source });
      for (const name of ['devtools.html', 'panel.html', 'panel.css', ...icons]) {
        this.emitFile({ type: 'asset', fileName: basename(name), source: readFileSync(join(dir, name)) });
      }
    },
  };
}

function executableCli(): Plugin {
  return {
    name: 'sluice:executable-cli',
    applyToEnvironment: (environment) => environment.name === 'node',
    writeBundle: () => chmodSync(join(root, 'dist/node/cli.js'), 0o755),
  };
}

export default defineConfig({
  appType: 'custom',
  publicDir: 'public',
  logLevel: 'warn',
  environments,
  resolve: {
    // Its package.json leads bundlers to the build for ES5, which is 1 KB (gzipped) longer than the one for today's engines.
    alias: { 'workbox-window': 'workbox-window/build/workbox-window.prod.mjs' },
  },
  plugins: [
    bootTemplate(),
    zstdWasm(),
    splitLz4(),
    litPolicyName(),
    extensionFiles(),
    runtimeId(),
    executableCli(),
  ],
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) await builder.build(builder.environments[name]!);
    },
  },
});
