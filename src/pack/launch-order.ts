import { fileClass } from './file-class.ts';
import type { TreeFile } from './tree.ts';

/** A read log of a real launch, as `window.sluice.readLog()` gives it; what else it says is not used. */
export interface LaunchTrace {
  readonly reads: readonly { readonly path: string }[];
}

export interface LaunchOrder {
  readonly files: readonly TreeFile[];
  /** How many of them, from the front, the traces name. */
  readonly launchCount: number;
}

/**
 * The order in which files are stored: the files of the traces in the order of their first read (of those, the ones read by range
 * last, since a launch reads only a part of them), then the entry page, `linked` (paths that its markup names, in that order), other
 * pages at the root, scripts, styles, wasm, and the rest by path. Paths that the tree does not have are left out: a trace may be
 * older than the app, and a page may name what is not there.
 */
export function launchOrder(
  files: readonly TreeFile[],
  traces: readonly LaunchTrace[],
  linked: readonly string[] = [],
): LaunchOrder {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const launch = new Set<TreeFile>();
  for (const { reads } of traces) {
    for (const { path } of reads) {
      const file = byPath.get(path.replace(/^\//, ''));
      if (file !== undefined) launch.add(file);
    }
  }
  const traced = [...launch].sort((a, b) => Number(isRanged(a)) - Number(isRanged(b)));
  const order = new Map([...new Set(linked)].map((path, i) => [path, i]));
  const rest = files
    .filter((file) => !launch.has(file))
    .map((file) => {
      const link = order.get(file.path);
      return { file, rank: rank(file.path, link !== undefined), link: link ?? 0 };
    });
  rest.sort((a, b) => a.rank - b.rank || a.link - b.link || (a.file.path < b.file.path ? -1 : 1));
  return { files: [...traced, ...rest.map(({ file }) => file)], launchCount: traced.length };
}

function isRanged(file: TreeFile): boolean {
  return fileClass(file.path).access === 'range';
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
