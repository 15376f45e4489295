// `npm test [-- playwright arguments]`: builds what the tests launch, then runs them.
// `npm run test:firefox [-- playwright arguments]`: all browser tests in the stock Firefox.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const args = process.argv.slice(2);
const firefox = args[0] === '--firefox';
const env = firefox ? { ...process.env, SLUICE_FIREFOX_TESTS: 'all' } : process.env;
if (firefox) args[0] = '--project=firefox';

for (const [command, ...rest] of [
  ['npm', 'run', 'build'],
  ['npx', 'playwright', 'test', ...args],
]) {
  const { status, error } = spawnSync(command, rest, { cwd: root, stdio: 'inherit', env });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}
