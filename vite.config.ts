import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  plugins: [bootTemplate(), runtimeId(), executableCli()],
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) {
        const environment = builder.environments[name]!;
        const { input } = environment.config.build.rolldownOptions;
        const missing = (typeof input === 'string' ? [input] : Object.values(input ?? {})).filter(
          (f) => !existsSync(f),
        );
        if (missing.length > 0) console.warn('TEMPORARY: entries not there yet, skipped:', missing.join(' '));
        else await builder.build(environment);
      }
    },
  },
});
