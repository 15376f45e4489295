import { globToRegExp } from '../format/glob.ts';
import { joinPath, type ReadDirectory, walk } from './walk.ts';

/**
 * The files that `wanted` names: paths are taken as they are, whether they exist or not; what has a `*` or `?` is a pattern
 * (see {@link globToRegExp}) and stands for the files that match it, perhaps none. Each file once.
 */
export async function selectFiles(wanted: readonly string[], read: ReadDirectory): Promise<string[]> {
  const isGlob = (path: string): boolean => /[*?]/.test(path);
  const patterns = wanted.filter(isGlob).map(globToRegExp);
  const files = new Set(wanted.filter((path) => !isGlob(path)));
  if (patterns.length > 0) {
    for (const entry of await walk(read, '')) {
      const path = joinPath(entry.parentPath, entry.name);
      if (entry.isFile() && patterns.some((pattern) => pattern.test(path))) files.add(path);
    }
  }
  return [...files];
}
