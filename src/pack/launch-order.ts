import type { TreeFile } from './tree.ts';

/**
 * The order in which files are stored as far as no trace tells more: the entry page, `linked` (paths that its markup names, in that order),
 * other pages at the root, scripts, styles, wasm, and the rest by path. A page may name what is not there.
 */
export function launchOrder(files: readonly TreeFile[], linked: readonly string[] = []): TreeFile[] {
  const order = new Map([...new Set(linked)].map((path, i) => [path, i]));
  const ranked = files.map((file) => {
    const link = order.get(file.path);
    return { file, rank: rank(file.path, link !== undefined), link: link ?? 0 };
  });
  ranked.sort((a, b) => a.rank - b.rank || a.link - b.link || (a.file.path < b.file.path ? -1 : 1));
  return ranked.map(({ file }) => file);
}

function rank(path: string, isLinked: boolean): number {
  if (path === 'index.html') return 0;
  if (isLinked) return 1;
  if (/^[^/]+\.html?$/i.test(path)) return 2;
  if (/\.[mc]?js$/i.test(path)) return 3;
  if (/\.css$/i.test(path)) return 4;
  if (/\.wasm$/i.test(path)) return 5;
  return 6;
}
