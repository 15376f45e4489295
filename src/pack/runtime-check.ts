import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdWasmFile } from '../codec/zstd-wasm.ts';
import { fromNodeError, nodeCode } from './node-error.ts';

/** What is wrong with a file of the runtime. */
export interface RuntimeProblem {
  /** Path in the site. */
  readonly file: string;
  readonly message: string;
}

/** What every site has in `__sluice/`; which others there are, its service worker knows. */
const always: readonly string[] = ['client.js', 'loader.js', 'index.html', 'inspector.js', zstdWasmFile];
const ofInspector: readonly string[] = ['index.html', 'inspector.js'];

/**
 * What is wrong with `sw.js` and the files in `__sluice/`: the service worker has the digests of those that it was built with, and refuses any other. Where
 * nothing `usesZstd`, its decoder may be missing. Throws as reading does.
 */
export function runtimeProblems(site: string, usesZstd: boolean): RuntimeProblem[] {
  const problems: RuntimeProblem[] = [];
  const found = (file: string, what: string, hurt: string): void => {
    problems.push({ file, message: `${what}: ${hurt}; publish all files of one build` });
  };
  const worker = read(join(site, 'sw.js'));
  const digests = digestsIn(worker?.toString() ?? '');
  if (!worker) found('sw.js', 'the file is missing', 'the app does not start');
  else if (digests.size === 0)
    found(
      'sw.js',
      'the file names no digest of those in __sluice/, as if it were cut off',
      'the app does not start',
    );
  for (const name of new Set([...always, ...digests.keys()])) {
    const file = `__sluice/${name}`;
    const hurt = ofInspector.includes(name)
      ? 'the inspector does not open'
      : 'the app does not start, or not offline';
    const bytes = read(join(site, file));
    const sha256 = digests.get(name);
    if (!bytes) {
      if (name !== zstdWasmFile || usesZstd) found(file, 'the file is missing', hurt);
    } else if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256)
      found(file, 'the file is not the one that sw.js was built with', hurt);
  }
  return problems;
}

/** By name of the file: what the build writes into the service worker (its RuntimeBuild). */
function digestsIn(worker: string): ReadonlyMap<string, string> {
  const fields = worker.matchAll(/["'`]([\w-]+\.\w+)["'`]\s*:\s*["'`]([0-9a-f]{64})["'`]/g);
  return new Map(Array.from(fields, ([, name, sha256]) => [name!, sha256!]));
}

/** Undefined where there is none. */
function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (nodeCode(error) === 'ENOENT') return undefined;
    throw fromNodeError(error, 'read', path);
  }
}
