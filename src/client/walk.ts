import type { DirectoryEntry } from '../protocol/loader-api.ts';
import { Dirent } from './stats.ts';

export type ReadDirectory = (path: string) => Promise<readonly DirectoryEntry[]>;

/** `name` in the directory `path`, which may be '' or '/' for the root. */
export function joinPath(path: string, name: string): string {
  return path === '' || path.endsWith('/') ? path + name : `${path}/${name}`;
}

/** Everything below `path`, a level after the other, each directory in the order of its names: the directories of a level are asked for together. */
export async function walk(read: ReadDirectory, path: string): Promise<Dirent[]> {
  const found: Dirent[] = [];
  let level = [path];
  while (level.length > 0) {
    const lists = await Promise.all(level.map(read));
    const next: string[] = [];
    for (const [i, entries] of lists.entries()) {
      const parent = level[i]!;
      for (const entry of entries) {
        found.push(new Dirent(parent, entry));
        if (entry.kind === 'directory') next.push(joinPath(parent, entry.name));
      }
    }
    level = next;
  }
  return found;
}
