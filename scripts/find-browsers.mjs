// @ts-check
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The path of an executable called `name` on PATH (or in one of `extraDirs`), or undefined.
 * @param {string} name
 * @param {string[]} [extraDirs]
 * @returns {string | undefined}
 */
export function findOnPath(name, extraDirs = []) {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), ...extraDirs]) {
    if (dir !== '' && isExecutable(join(dir, name))) return join(dir, name);
  }
  return undefined;
}

/**
 * The Chromium to test with: the one named by SLUICE_CHROMIUM, else the system's, else Playwright's own
 * download. Undefined when there is none. Throws when SLUICE_CHROMIUM names something that cannot be run.
 * @returns {Promise<string | undefined>}
 */
export async function findChromium() {
  const named = process.env.SLUICE_CHROMIUM;
  if (named) {
    if (!isExecutable(named)) throw new Error(`SLUICE_CHROMIUM is ${named}, which is not an executable file`);
    return named;
  }
  for (const name of NAMES) {
    const path = findOnPath(name);
    if (path) return path;
  }
  // This module also runs before anything is installed.
  if (!existsSync(new URL('../node_modules/playwright-core', import.meta.url))) return undefined;
  const { chromium } = await import('@playwright/test');
  const own = chromium.executablePath();
  return own && isExecutable(own) ? own : undefined;
}

/**
 * The stock Firefox to test with: the one named by SLUICE_FIREFOX, else the system's. Undefined when there is none.
 * Throws when SLUICE_FIREFOX names something that cannot be run.
 * @returns {string | undefined}
 */
export function findFirefox() {
  const named = process.env.SLUICE_FIREFOX;
  if (named) {
    if (!isExecutable(named)) throw new Error(`SLUICE_FIREFOX is ${named}, which is not an executable file`);
    return named;
  }
  return findOnPath('firefox-esr') ?? findOnPath('firefox');
}

/**
 * The nginx to test with, or undefined. Debian keeps it in /usr/sbin, which is often not on PATH.
 * @returns {string | undefined}
 */
export function findNginx() {
  return findOnPath('nginx', ['/usr/sbin', '/usr/local/sbin']);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Absent and not executable are the same answer here.
  }
}
