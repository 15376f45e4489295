import { fileURLToPath } from 'node:url';
import { createBuilder, type Plugin } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every check of a digest on the way of an image's bytes, and what it is without one. */
const checks: readonly (readonly [file: string, check: string, without: string])[] = [
  ['format/block-table.ts', 'compareBytes(await sha256(stored), table.digest(i)) === 0', 'true'],
  ['format/block-table.ts', 'hex(await sha256(bytes)) !== record.tableSha256', 'false'],
  ['image/image.ts', 'const id = hex(await sha256(bytes));', 'const id = options.sha256!;'],
];

/** Service worker and loader in which nothing is verified, into `outDir`: a build of the bench's own, never an option of the product. */
export async function buildUnverified(outDir: string): Promise<void> {
  const build = { outDir, emptyOutDir: false, copyPublicDir: false };
  const builder = await createBuilder({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'warn',
    plugins: [withoutChecks()],
    environments: { sw: { build }, loader: { build } },
  });
  // The service worker knows the loader by its digest.
  for (const name of ['loader', 'sw']) await builder.build(builder.environments[name]!);
}

function withoutChecks(): Plugin {
  return {
    name: 'bench:without-checks',
    enforce: 'pre',
    transform(code, id) {
      let changed = code;
      for (const [file, check, without] of checks) {
        if (!id.endsWith(`/src/${file}`)) continue;
        if (!changed.includes(check)) this.error(`${file} does not check digests as expected: ${check}`);
        changed = changed.replace(check, without);
      }
      return changed === code ? undefined : { code: changed, map: null };
    },
  };
}
