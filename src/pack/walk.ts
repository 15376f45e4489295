import { isUtf8 } from 'node:buffer';
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SluiceError } from '../format/errors.ts';
import { Breath } from './breath.ts';
import { fromNodeError, nodeCode } from './node-error.ts';
import { reservedProblem } from './reserved.ts';
import type { Tree, TreeDirectory, TreeFile } from './tree.ts';

interface WalkOptions {
  readonly onFile?: (files: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A directory that is being walked: its real path, to see when a link leads back into it. */
interface Ancestor {
  readonly real: string;
  readonly above: Ancestor | undefined;
}

/**
 * Finds everything below `root`. Links to files and directories inside of the tree are followed.
 *
 * Throws, naming the path: `ENOENT`, `ENOTDIR`, `EACCES` as they come; `bad-name` for names that are not UTF-8, have a backslash, are reserved or make a path longer than
 * the system opens; `bad-link` for links that lead outside, nowhere or into a directory that they are in; `bad-file` for sockets, pipes and devices.
 */
export async function walk(root: string, { onFile, signal }: WalkOptions = {}): Promise<Tree> {
  let real: string;
  try {
    real = realpathSync(root);
    if (!statSync(real).isDirectory())
      throw new SluiceError('ENOTDIR', `${root} is not a directory`, { path: root });
  } catch (error) {
    if (nodeCode(error) === 'ENOENT')
      throw new SluiceError('ENOENT', `there is no directory ${root}`, { path: root });
    throw fromNodeError(error, 'read', root);
  }
  const breath = new Breath(signal);
  const files: TreeFile[] = [];
  let directoryCount = 0;

  const directory = async (
    name: string,
    source: string,
    prefix: string,
    ancestor: Ancestor,
  ): Promise<TreeDirectory> => {
    const entries: (TreeFile | TreeDirectory)[] = [];
    for (const name of namesIn(source, prefix)) {
      await breath.take();
      const path = prefix + name;
      const child = join(source, name);
      const { stats, realPath } = follow(child, path, real, ancestor, name);
      const reserved = prefix === '' ? reservedProblem(name, stats.isDirectory()) : undefined;
      // Browsers, servers and file systems take it for a slash, each where it suits them.
      const problem = name.includes('\\') ? 'no URL can name what has a backslash in its name' : reserved;
      if (problem !== undefined)
        throw new SluiceError('bad-name', `${path} cannot be packed: ${problem}`, { path });
      if (stats.isDirectory()) {
        directoryCount++;
        entries.push(await directory(name, child, `${path}/`, { real: realPath, above: ancestor }));
      } else if (stats.isFile()) {
        const file: TreeFile = { kind: 'file', name, path, source: child, size: stats.size };
        entries.push(file);
        files.push(file);
        onFile?.(files.length);
      } else {
        throw new SluiceError('bad-file', `${path} is ${kindOf(stats)}`, { path });
      }
    }
    return { kind: 'directory', name, entries };
  };
  return { root: await directory('', real, '', { real, above: undefined }), files, directoryCount };
}

/** In the order of their bytes, whatever order the file system has. */
function namesIn(directory: string, prefix: string): string[] {
  let names: Buffer[];
  try {
    names = readdirSync(directory, { encoding: 'buffer' });
  } catch (error) {
    throw fromNodeError(error, 'read the directory', prefix === '' ? directory : prefix);
  }
  return names.sort(Buffer.compare).map((name) => {
    if (isUtf8(name)) return name.toString('utf8');
    const shown =
      prefix +
      name
        .toString('latin1')
        .replaceAll(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    throw new SluiceError('bad-name', `the name of ${shown} is not UTF-8, so no URL can name it`, {
      path: shown,
    });
  });
}

function follow(
  source: string,
  path: string,
  root: string,
  ancestor: Ancestor,
  name: string,
): { readonly stats: Stats; readonly realPath: string } {
  try {
    const stats = lstatSync(source);
    if (!stats.isSymbolicLink()) return { stats, realPath: join(ancestor.real, name) };
    return followLink(source, path, root, ancestor);
  } catch (error) {
    throw fromNodeError(error, 'read', path);
  }
}

function followLink(
  source: string,
  path: string,
  root: string,
  ancestor: Ancestor,
): { readonly stats: Stats; readonly realPath: string } {
  let realPath: string;
  let stats: Stats;
  try {
    realPath = realpathSync(source);
    stats = statSync(realPath);
  } catch (error) {
    const code = nodeCode(error);
    if (code === 'ENOENT') throw new SluiceError('bad-link', `the link ${path} leads nowhere`, { path });
    if (code === 'ELOOP') throw new SluiceError('bad-link', `the link ${path} leads in a circle`, { path });
    throw error;
  }
  if (realPath !== root && !realPath.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new SluiceError('bad-link', `the link ${path} leads out of the app directory, to ${realPath}`, {
      path,
    });
  }
  for (let above: Ancestor | undefined = ancestor; above !== undefined; above = above.above) {
    if (above.real === realPath) {
      throw new SluiceError('bad-link', `the link ${path} leads to a directory that it lies in: a circle`, {
        path,
      });
    }
  }
  return { stats, realPath };
}

function kindOf(stats: Stats): string {
  if (stats.isSocket()) return 'a socket';
  if (stats.isFIFO()) return 'a named pipe';
  return 'a device';
}
