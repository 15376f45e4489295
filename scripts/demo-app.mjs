// The demo as an app directory: our page, and beside it the published npm package `cesium`, whole and unmodified.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Assembles `.cache/demo-app` where it is missing or of another cesium, and brings our own page in it up to date.
 * @returns {string} its path
 */
export function assembleDemo() {
  const app = join(root, '.cache/demo-app');
  const source = join(root, 'node_modules/cesium');
  const copy = join(app, 'cesium');
  if (versionOf(copy) !== versionOf(source)) {
    mkdirSync(app, { recursive: true });
    rmSync(copy, { recursive: true, force: true });
    // By way of another name, so that an interrupted copy does not count as one.
    const unfinished = join(root, '.cache/cesium-unfinished');
    rmSync(unfinished, { recursive: true, force: true });
    cpSync(source, unfinished, { recursive: true, preserveTimestamps: true });
    renameSync(unfinished, copy);
  }
  cpSync(join(root, 'demo'), app, { recursive: true, preserveTimestamps: true });
  return app;
}

/** @param {string} dir */
function versionOf(dir) {
  const manifest = join(dir, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}
