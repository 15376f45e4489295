import { constants } from 'node:fs';
import { cp, mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestApp } from '../test/apps/test-app.ts';
import { addBrotliFiles } from './brotli.ts';
import { recordTrace } from './record-trace.ts';
import { runCli } from './run-cli.ts';
import type { SideName } from './side.ts';
import { addWorkbox } from './workbox/add-workbox.ts';

const published = fileURLToPath(new URL('../.cache/bench/published/', import.meta.url));

/**
 * Without Cache-Control, browsers take a file for fresh for a tenth of its age (RFC 9111 4.2.2): files that were made a minute ago would be asked for
 * again and again. All sides are as old as a published app is.
 */
const age = 30 * 24 * 60 * 60 * 1000;

const done = new Map<string, Promise<string>>();

/** A directory to serve, as a side wants it. Made once a process. */
export function publish(app: TestApp, as: SideName): Promise<string> {
  const dir = join(published, app.name, as);
  let publishing = done.get(dir);
  if (publishing === undefined) {
    publishing = fill(app, as, dir);
    done.set(dir, publishing);
  }
  return publishing;
}

async function fill(app: TestApp, as: SideName, dir: string): Promise<string> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(join(published, app.name), { recursive: true });
  if (as === 'sluice') await runCli(['build', app.dir, '--out', dir]);
  else if (as === 'sluice+trace') {
    const trace = join(published, app.name, 'trace.json');
    await recordTrace(app, await publish(app, 'sluice'), trace);
    await runCli(['build', app.dir, '--out', dir, '--trace', trace]);
  } else {
    await cp(app.dir, dir, { recursive: true, mode: constants.COPYFILE_FICLONE });
    if (as === 'brotli') await addBrotliFiles(dir);
    if (as === 'workbox') await addWorkbox(dir);
  }
  const at = new Date(Date.now() - age);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    await utimes(join(entry.parentPath, entry.name), at, at);
  }
  return dir;
}
