// `npm run bench [-- options]`: see bench/options.ts. Vite runs the TypeScript, since Node 20 does not.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const { module } = await runnerImport(join(root, 'bench/launch.ts'), {
  configFile: false,
  root,
  logLevel: 'warn',
  // `await using` is newer than Node 20.
  oxc: { target: 'node20' },
});
process.exitCode = await module.launch(process.argv.slice(2));
