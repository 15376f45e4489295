import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { cp, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestApp } from '../test/apps/test-app.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Without Cache-Control, browsers take a file for fresh for a tenth of its age (RFC 9111 4.2.2): files that were made a minute ago would be asked for
 * again and again. Both sides are as old as a published app is.
 */
const age = 30 * 24 * 60 * 60 * 1000;

/** A directory to serve: the app's files as they are, or what `sluice build` makes of them with its defaults. */
export async function publish(app: TestApp, as: 'plain' | 'sluice'): Promise<string> {
  const dir = join(root, '.cache/bench/published', app.name, as);
  await rm(dir, { recursive: true, force: true });
  if (as === 'sluice') await pack(app.dir, dir);
  else await cp(app.dir, dir, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const at = new Date(Date.now() - age);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    await utimes(join(entry.parentPath, entry.name), at, at);
  }
  return dir;
}

/** By the command line, as users have it. */
async function pack(from: string, to: string): Promise<void> {
  const args = [join(root, 'dist/node/cli.js'), 'build', from, '--out', to];
  const packing = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  packing.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  const [status] = await once(packing, 'close');
  if (status !== 0) throw new Error(`sluice build ${from} failed:\n${words}`);
}
