import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createBuilder, type Plugin } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A text in a file below src/, and what stands there instead. */
export type Change = readonly [file: string, text: string, instead: string];

/**
 * A published directory beside another one, that differs from it in its service worker and loader: a build of the bench's own, never an option of the product.
 * Fails where a text is not in its file.
 */
export async function publishChanged(
  published: string,
  name: string,
  changes: readonly Change[],
): Promise<string> {
  const dir = `${published.replace(/\/$/, '')}-${name}/`;
  await rm(dir, { recursive: true, force: true });
  await cp(published, dir, { recursive: true, preserveTimestamps: true });
  const build = { outDir: dir, emptyOutDir: false, copyPublicDir: false };
  const builder = await createBuilder({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'warn',
    plugins: [changed(changes)],
    environments: { sw: { build }, loader: { build } },
  });
  // The service worker knows the loader by its digest.
  for (const environment of ['loader', 'sw']) await builder.build(builder.environments[environment]!);
  return dir;
}

function changed(changes: readonly Change[]): Plugin {
  return {
    name: 'bench:changed-runtime',
    enforce: 'pre',
    transform(code, id) {
      const own = changes.filter(([file]) => id.endsWith(`/src/${file}`));
      if (own.length === 0) return undefined;
      let result = code;
      for (const [file, text, instead] of own) {
        if (!result.includes(text)) this.error(`${file} is not as the bench knows it: no ${text}`);
        result = result.replace(text, instead);
      }
      return { code: result, map: null };
    },
  };
}
