// `npm test [-- playwright arguments]`: builds what the tests launch, then runs them.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

for (const [command, ...args] of [
  ['npm', 'run', 'build'],
  ['npx', 'playwright', 'test', ...process.argv.slice(2)],
]) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}
