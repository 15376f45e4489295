// `npm run bench [-- target options]`: see bench/main.ts. Vite runs the TypeScript, since Node 20 does not.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const { module } = await runnerImport(join(root, 'bench/main.ts'), {
  configFile: false,
  root,
  logLevel: 'warn',
  // `await using` is newer than Node 20.
  oxc: { target: 'node20' },
});
process.exitCode = await module.bench(process.argv.slice(2));
