// `npm run torture -- TARGET [options]`: see test/torture/main.ts. Vite runs the TypeScript, since Node 20 does not.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const { module } = await runnerImport(join(root, 'test/torture/main.ts'), {
  configFile: false,
  root,
  logLevel: 'warn',
  // `await using` is newer than Node 20.
  oxc: { target: 'node20' },
});
// What a browser that crashed has left open must not keep us.
process.exit(await module.torture(process.argv.slice(2)));
