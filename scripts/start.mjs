// `npm start [-- --port N]`: packs the demo, serves it, says what to look at. Needs Node alone; packages are installed by then.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { assembleDemo } from './demo-app.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cli = join(root, 'dist/node/cli.js');
const site = join(root, '.cache/demo-site');
const stamp = join(root, '.cache/demo-site.stamp');

/** @param {string} path @returns {number} the newest modification below it; 0 when there is nothing */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0);
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

function buildIfStale() {
  const sources = ['src', 'sw', 'public', 'index.html', 'vite.config.ts', 'package.json'];
  // The command line is the last thing that a build writes.
  const changed = Math.max(...sources.map((path) => newest(join(root, path))));
  if (changed > newest(cli)) run('npm', ['run', 'build']);
}

function packIfStale() {
  const app = assembleDemo();
  const { version } = JSON.parse(readFileSync(join(app, 'cesium/package.json'), 'utf8'));
  const state = `cesium ${version}, page ${newest(join(root, 'demo'))}, sluice ${newest(join(root, 'dist/runtime'))} ${newest(cli)}\n`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  rmSync(site, { recursive: true, force: true });
  run(process.execPath, [cli, 'build', app, '--out', site]);
  writeFileSync(stamp, state);
}

function serve() {
  const args = [cli, 'serve', site, ...process.argv.slice(2)];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: server.stdout }).on('line', (line) => {
    console.log(line);
    if (/^https?:\/\/\S+$/.test(line)) console.log(whatToLookAt(line));
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => server.kill(signal));
  server.on('exit', (code) => process.exit(code ?? 0));
}

/** @param {string} url of the demo */
const whatToLookAt = (url) => `
Open it in a browser and look at:
  1. The globe: drawn while most of the 70 MB package is still on its way. The pill in the corner counts the rest.
  2. When the pill has said "Works offline now", stop this server (Ctrl+C) and load the page again, or open it in a new tab.
  3. The inspector, in a second tab: ${new URL('__sluice/', url)}
  4. In the console: await sluice.state(), await sluice.readLog()
Ctrl+C ends the server.`;

buildIfStale();
packIfStale();
serve();
