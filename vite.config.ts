import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { defineConfig, type EnvironmentOptions, type Plugin } from 'vite';
import manifest from './package.json' with { type: 'json' };

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
function script(entry: string, file: string, name?: string): EnvironmentOptions {
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
        preserveEntrySignatures: name === undefined ? false : 'strict',
        output: {
          format: 'iife',
          entryFileNames: file,
          codeSplitting: false,
          ...(name === undefined ? {} : { name }),
        },
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
  zstd: script('src/codec/zstd-decoder.ts', '__sluice/zstd.js', 'sluiceZstd'),
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
 * The zstd decoder is imported dynamically; a classic script has no chunks to split it into. The service worker needs it for its
 * first answer and carries it; the loader needs it only where a page reads an image by itself, and brings it in by `importScripts` then.
 */
function zstdPlacement(): Plugin {
  const inScript = '\0sluice:zstd-script';
  const zstdDecoder = join(root, 'src/codec/zstd-decoder.ts');
  return {
    name: 'sluice:zstd-placement',
    applyToEnvironment: (environment) => ['sw', 'loader'].includes(environment.name),
    resolveId: (id) => (id === inScript ? id : undefined),
    load(id) {
      if (id !== inScript) return;
      return `export function loadZstd() {
        self.sluiceZstd ?? importScripts(new URL('zstd.js', self.location.href));
        return self.sluiceZstd.loadZstd();
      }`;
    },
    transform(code, id) {
      const decoder = this.environment.name === 'sw' ? zstdDecoder : inScript;
      // Foremost in sw.js: text that cannot be compressed, in the middle of text that can, costs gzip 1.7 KB more.
      if (id.endsWith('/sw/main.ts'))
        return { code: `import ${JSON.stringify(decoder)};\n${code}`, map: null };
      if (!id.endsWith('/src/codec/decode-block.ts')) return;
      const split = /await import\(["']\.\/zstd-decoder\.ts["']\)/;
      if (!split.test(code)) this.error('decode-block.ts does not import the zstd decoder as expected');
      return {
        code: `import { loadZstd as load } from ${JSON.stringify(decoder)};\n${code.replace(split, '{ loadZstd: load }')}`,
        map: null,
      };
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
 * zstddec carries its WebAssembly as base64, in which gzip finds little: 28.4 KB. Deflated before it is encoded, it takes 20.7 KB, and
 * the scripts that browsers parse at each start of the service worker are 45 KB shorter.
 */
function deflatedZstd(): Plugin {
  return {
    name: 'sluice:deflated-zstd',
    applyToEnvironment: (environment) => ['sw', 'zstd'].includes(environment.name),
    transform(code, id) {
      if (!id.endsWith('/zstddec/dist/zstddec.mjs')) return;
      const base64 = /const wasm = "([\w+/=]+)"/.exec(code)?.[1];
      const fetched = /fetch\(`data:application\/wasm;base64,\$\{wasm\}`\)/;
      if (base64 === undefined || !fetched.test(code)) this.error('zstddec is not written as expected');
      const deflated = deflateRawSync(Buffer.from(base64, 'base64'), { level: 9 }).toString('base64');
      const inflated = `Promise.resolve(new Response(new Blob([Uint8Array.from(atob(wasm), (c) => c.charCodeAt(0))])
        .stream().pipeThrough(new DecompressionStream('deflate-raw'))))`;
      return { code: code.replace(base64, deflated).replace(fetched, () => inflated), map: null };
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
  plugins: [bootTemplate(), zstdPlacement(), deflatedZstd(), splitLz4(), runtimeId(), executableCli()],
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) await builder.build(builder.environments[name]!);
    },
  },
});
