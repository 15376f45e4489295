import type { TreeFile } from './tree.ts';

/**
 * Which file of the tree each path of a trace means. A path that the tree has is that file. One that it has no more may be of a file whose
 * name carries a hash of its content, as bundlers write them (`app.3f9a2c1e.js`, `app-BxK3d2_a.js`): it stands for the file beside it that is called
 * the same but for the hash, where exactly one fits exactly one. Everything else means nothing: traces may be stale, or of another app.
 */
export function tracePaths(
  files: readonly TreeFile[],
  paths: Iterable<string>,
): ReadonlyMap<string, TreeFile> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, TreeFile>();
  const gone: string[] = [];
  for (const path of new Set(paths)) {
    const file = byPath.get(inTree(path));
    if (file === undefined) gone.push(path);
    else found.set(path, file);
  }
  const meant = new Set(found.values());
  const free = new Map<string, TreeFile[]>();
  for (const file of files) {
    if (meant.has(file)) continue;
    const beside = free.get(place(file.path));
    if (beside === undefined) free.set(place(file.path), [file]);
    else beside.push(file);
  }
  const renamed = new Map<TreeFile, string[]>();
  for (const path of gone) {
    const file = onlyOne(free.get(place(inTree(path))) ?? [], ({ name }) =>
      differByHash(nameOf(inTree(path)), name),
    );
    if (file !== undefined) renamed.set(file, [...(renamed.get(file) ?? []), path]);
  }
  for (const [file, names] of renamed) if (names.length === 1) found.set(names[0]!, file);
  return found;
}

const inTree = (path: string): string => path.replace(/^\//, '');

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Only names of one length in one directory can differ by a hash alone. */
const place = (path: string): string => `${path.slice(0, path.lastIndexOf('/') + 1)}/${nameOf(path).length}`;

/** The thing that fits, if no other does; looks no further than the second. */
function onlyOne<T>(things: readonly T[], fits: (thing: T) => boolean): T | undefined {
  const first = things.findIndex(fits);
  return first >= 0 && !things.slice(first + 1).some(fits) ? things[first] : undefined;
}

/** Whether two different names of one length differ in nothing but a hash before the extension. */
function differByHash(a: string, b: string): boolean {
  let same = 0;
  while (a[same] === b[same]) same += 1;
  const start = 1 + Math.max(...['.', '-', '_'].map((separator) => a.lastIndexOf(separator, same - 1)));
  const hashes = [a, b].map((name) => /^([\w-]{6,}?)((?:\.\w+)+)$/.exec(name.slice(start)));
  const [x, y] = hashes;
  if (start === 0 || !x || !y || x[2] !== y[2]) return false;
  return looksLikeHash(x[1]!) && looksLikeHash(y[1]!);
}

/** Words of a name have no digits, and no capitals within. */
function looksLikeHash(text: string): boolean {
  return /\d/.test(text) || (/[a-z]/.test(text) && /.[A-Z]/.test(text));
}
