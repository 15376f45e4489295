import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, totalmem, type } from 'node:os';
import { findChromium, findNginx } from '../scripts/find-browsers.mjs';

/** What everything was measured on and with. */
export interface Machine {
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly node: string;
  readonly browser: string;
  readonly nginx: string;
  readonly workbox: string;
  readonly sluice: string;
}

export async function thisMachine(): Promise<Machine> {
  const nginx = findNginx();
  const chromium = await findChromium();
  return {
    system: `${type()}, ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    browser: chromium === undefined ? 'none' : versionOf(chromium, '--version'),
    nginx: nginx === undefined ? 'none' : versionOf(nginx, '-v'),
    workbox: packageVersion('../node_modules/workbox-precaching/package.json'),
    sluice: packageVersion('../package.json'),
  };
}

/** `Chromium 156.0.1.2`: the name and the number of what a program says of itself. */
function versionOf(program: string, option: string): string {
  // nginx says it on the standard error output.
  const words = execFileSync('sh', ['-c', `"$0" ${option} 2>&1`, program], { encoding: 'utf8' });
  return /[A-Za-z]+[ /][\d.]+/.exec(words)?.[0].replace('/', ' ') ?? words.trim();
}

function packageVersion(path: string): string {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
}
