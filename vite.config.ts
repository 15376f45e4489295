import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type EnvironmentOptions, type Plugin } from 'vite';
import manifest from './package.json' with { type: 'json' };
import { zstdWasmFile, zstdWasmSha256 } from './src/codec/zstd-wasm.ts';

/**
 * One `vite build` makes everything that the package ships:
 *
 *   dist/runtime/   what `sluice build` copies into a site: classic scripts, one file each, no chunks
 *   dist/lib/       the page library, ESM, self-contained (a CDN or an import map can serve it as it is)
 *   dist/node/      the command line and the build API, ESM for Node, npm packages external
 *
 * The order matters for one thing: sw.js carries the hash of the runtime files beside it and so comes after them.
 */
const root = fileURLToPath(new URL('.', import.meta.url));
const runtimeDir = 'dist/runtime';

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

/** `__SLUICE_RUNTIME__` in the service worker: version and hash of the runtime files, the name of its cache. */
function runtimeId(): Plugin {
  const id = () => {
    const dir = join(root, runtimeDir, '__sluice');
    const hash = createHash('sha256');
    for (const name of readdirSync(dir).sort()) hash.update(name).update(readFileSync(join(dir, name)));
    return `${manifest.version}-${hash.digest('hex').slice(0, 12)}`;
  };
  return {
    name: 'sluice:runtime-id',
    applyToEnvironment: (environment) => environment.name === 'sw',
    transform(code) {
      if (!code.includes('__SLUICE_RUNTIME__')) return;
      return { code: code.replaceAll('__SLUICE_RUNTIME__', JSON.stringify(id())), map: null };
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
  plugins: [bootTemplate(), zstdWasm(), splitLz4(), runtimeId(), executableCli()],
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) await builder.build(builder.environments[name]!);
    },
  },
});
