// Makes `npm start` and `npm test` work in a fresh clone. Plain Node: nothing is installed yet when it runs.
//   node scripts/ensure-installed.mjs              node_modules as package-lock.json says
//   node scripts/ensure-installed.mjs --browsers   the same, and a Chromium (and Firefox and nginx where apt can give them)
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, findFirefox, findNginx, findOnPath } from './find-browsers.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @param {string} path */
const modifiedMs = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {boolean} whether it ended well
 */
function run(command, args) {
  console.log(`> ${command} ${args.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (error) console.error(error.message);
  return status === 0;
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}

function ensurePackages() {
  // npm writes this file last, so an interrupted install does not count as one.
  if (modifiedMs('node_modules/.package-lock.json') >= modifiedMs('package-lock.json')) return;
  if (!run('npm', ['ci'])) fail('npm ci failed: see above.');
}

async function ensureBrowsers() {
  const missing = [];
  if (!(await findChromium())) missing.push('chromium');
  if (!findFirefox()) missing.push('firefox-esr');
  if (!findNginx()) missing.push('nginx-light');
  if (missing.length === 0) return;

  const canApt = process.getuid?.() === 0 && findOnPath('apt-get');
  if (canApt && run('apt-get', ['update'])) run('apt-get', ['install', '-y', ...missing]);
  if (!(await findChromium())) run('npx', ['playwright', 'install', 'chromium']);
  if (!(await findChromium())) {
    fail(
      'The tests need Chromium and none was found. Install it (Debian: apt-get install chromium), or run\n' +
        'npx playwright install --with-deps chromium, or set SLUICE_CHROMIUM to the path of one.',
    );
  }
  if (!findFirefox()) {
    console.warn(
      'No Firefox was found: its tests are skipped. Install one (Debian: apt-get install firefox-esr), or set\n' +
        'SLUICE_FIREFOX to the path of one.',
    );
  }
  if (!findNginx()) console.warn('nginx was not found: the tests that serve from it are skipped.');
}

ensurePackages();
if (process.argv.includes('--browsers')) await ensureBrowsers();
