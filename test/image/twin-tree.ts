import type { TreeOperation } from '../../src/format/tree-operation.ts';

/** A tree as simple as can be, to be beside a mounted one: nodes hold nodes by name. */
export interface TwinNode {
  readonly entries: Map<string, TwinNode> | undefined;
  meta: string;
  size: number;
  links: number;
  /** Whatever a test wants to remember with it. */
  data?: unknown;
}

export function twinDirectory(): TwinNode {
  return { entries: new Map(), meta: '', size: 0, links: 1 };
}

export function twinFile(size: number, meta = ''): TwinNode {
  return { entries: undefined, meta, size, links: 1 };
}

/** Does what is asked and answers undefined, or answers the code of what is wrong and changes nothing. */
export function twinApply(root: TwinNode, operation: TreeOperation): string | undefined {
  const names = split(operation.path);
  if (typeof names === 'string') return names;
  const meta = 'meta' in operation ? operation.meta.join() : '';
  const tooMuch = 'meta' in operation && operation.meta.length > 512;
  if (operation.type === 'mkdir' && operation.recursive) return makeAll(root, names);
  if (operation.type === 'link') {
    const from = split(operation.existing);
    if (typeof from === 'string') return from;
    const source = walk(root, from);
    if (typeof source === 'string') return source;
    if (source.entries === undefined && operation.existing.endsWith('/')) return 'ENOTDIR';
    if (source.entries !== undefined) {
      return from.every((name, i) => names[i] === name) ? 'EINVAL' : 'EMLINK';
    }
    return put(root, operation.path, names, false, () => {
      source.links += 1;
      return source;
    });
  }
  if (operation.type === 'create-file' || operation.type === 'mkdir') {
    const isDirectory = operation.type === 'mkdir';
    return put(root, operation.path, names, isDirectory, () => {
      if (tooMuch) return 'E2BIG';
      if (operation.type === 'mkdir') return twinDirectory();
      const { size, content } = operation;
      if (content !== undefined && content.length !== size) return content.length > size ? 'E2BIG' : 'EINVAL';
      return twinFile(size, meta);
    });
  }
  const node = walk(root, names);
  if (typeof node === 'string') return node;
  if (node.entries === undefined && operation.path.endsWith('/')) return 'ENOTDIR';
  if (operation.type === 'set-meta') {
    if (tooMuch) return 'E2BIG';
    node.meta = meta;
    return undefined;
  }
  if (operation.type === 'unlink' && node.entries !== undefined && names.length > 0) return 'EISDIR';
  if (operation.type === 'rmdir' && node.entries === undefined) return 'ENOTDIR';
  if (names.length === 0) return 'EINVAL';
  if (operation.type === 'rmdir' && node.entries!.size > 0) return 'ENOTEMPTY';
  node.links -= 1;
  (walk(root, names.slice(0, -1)) as TwinNode).entries!.delete(names.at(-1)!);
  return undefined;
}

/** Path → what is there, for everything but the root; directories end with a slash. */
export function twinListing(root: TwinNode): Map<string, string> {
  const listing = new Map<string, string>();
  const visit = (node: TwinNode, prefix: string): void => {
    for (const [name, entry] of node.entries!) {
      const path = prefix + name;
      listing.set(
        entry.entries === undefined ? path : `${path}/`,
        `${entry.size} ${entry.links} ${entry.meta}`,
      );
      if (entry.entries !== undefined) visit(entry, `${path}/`);
    }
  };
  visit(root, '');
  return listing;
}

function split(path: string): string[] | string {
  if (new TextEncoder().encode(path).length > 4096) return 'ENAMETOOLONG';
  if (Buffer.from(path).toString() !== path) return 'EINVAL';
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  const names = trimmed === '' ? [] : trimmed.split('/');
  for (const name of names) {
    if (new TextEncoder().encode(name).length > 255) return 'ENAMETOOLONG';
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) return 'EINVAL';
  }
  return names;
}

/** Names that the site uses at its root. */
function isReserved(name: string, isDirectory: boolean): boolean {
  if (['__sluice', 'sluice.json', 'sw.js'].includes(name)) return true;
  return /^[0-9a-f]{64}\.bin$/.test(name) || (isDirectory && name === 'index.html');
}

function walk(root: TwinNode, names: readonly string[]): TwinNode | string {
  let node = root;
  for (const name of names) {
    if (node.entries === undefined) return 'ENOTDIR';
    const next = node.entries.get(name);
    if (next === undefined) return 'ENOENT';
    node = next;
  }
  return node;
}

function put(
  root: TwinNode,
  path: string,
  names: readonly string[],
  isDirectory: boolean,
  make: () => TwinNode | string,
): string | undefined {
  if (names.length === 0) return 'EEXIST';
  if (!isDirectory && path.endsWith('/')) return 'EINVAL';
  if (names.length === 1 && isReserved(names[0]!, isDirectory)) return 'EINVAL';
  const parent = walk(root, names.slice(0, -1));
  if (typeof parent === 'string') return parent;
  if (parent.entries === undefined) return 'ENOTDIR';
  if (parent.entries.has(names.at(-1)!)) return 'EEXIST';
  const made = make();
  if (typeof made === 'string') return made;
  parent.entries.set(names.at(-1)!, made);
  return undefined;
}

function makeAll(root: TwinNode, names: readonly string[]): string | undefined {
  const missing: string[] = [];
  for (let depth = names.length; depth > 0; depth--) {
    const node = walk(root, names.slice(0, depth));
    if (node === 'ENOTDIR') return 'ENOTDIR';
    if (node === 'ENOENT') missing.unshift(names[depth - 1]!);
    else if ((node as TwinNode).entries === undefined) return depth === names.length ? 'EEXIST' : 'ENOTDIR';
    else break;
  }
  if (missing.length > 0 && missing.length === names.length && isReserved(missing[0]!, true)) return 'EINVAL';
  let node = walk(root, names.slice(0, names.length - missing.length)) as TwinNode;
  for (const name of missing) {
    const made = twinDirectory();
    node.entries!.set(name, made);
    node = made;
  }
  return undefined;
}
