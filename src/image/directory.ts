import type { DirentRecord } from '../format/dirent.ts';
import { SluiceError } from '../format/errors.ts';
import { inodeKind } from '../format/inode.ts';
import { compareBytes, utf8Decode, utf8Encode } from '../format/utf8.ts';
import { corrupt, type Tables } from './tables.ts';

export type NodeKind = 'file' | 'directory';

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
  readonly kind: NodeKind;
}

/**
 * The inode at `path`, by one binary search a component; undefined where there is none. Components are names as they are (no
 * percent-decoding, no normalisation, `.` and `..` mean nothing). One leading slash is allowed, '' and '/' are the root, and a trailing
 * slash asks for a directory.
 */
export function lookup(tables: Tables, path: string): number | undefined {
  const bytes = utf8Encode(path);
  const slash = 0x2f;
  let at = bytes[0] === slash ? 1 : 0;
  let inode = 0;
  while (at < bytes.length) {
    const next = bytes.indexOf(slash, at);
    const end = next === -1 ? bytes.length : next;
    const found = find(tables, inode, bytes.subarray(at, end));
    if (found === undefined) return undefined;
    inode = found.inode;
    at = end + 1;
    if (next === bytes.length - 1 && tables.inode(inode).kind !== inodeKind.directory) return undefined;
  }
  return inode;
}

/** The entry of that name in a directory; undefined where it is not there, or `directory` is a file. */
export function child(tables: Tables, directory: number, name: string): DirectoryEntry | undefined {
  const found = find(tables, directory, utf8Encode(name));
  return found && { name, inode: found.inode, kind: nodeKind(found.kind) };
}

function find(tables: Tables, directory: number, name: Uint8Array): DirentRecord | undefined {
  const { kind, first, count } = tables.inode(directory);
  if (kind !== inodeKind.directory) return undefined;
  let low = first;
  let high = first + count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const dirent = tables.dirent(middle);
    const order = compareBytes(tables.name(dirent), name);
    if (order === 0) return dirent;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}

/** The entries of a directory, in the order of their names as bytes. Throws `ENOTDIR` for a file. */
export function* readdir(tables: Tables, n: number): Generator<DirectoryEntry, void, undefined> {
  const { kind, first, count } = tables.inode(n);
  if (kind !== inodeKind.directory) throw new SluiceError('ENOTDIR', `inode ${n} is a file`);
  let previous: Uint8Array = new Uint8Array(0);
  for (let i = first; i < first + count; i++) {
    const dirent = tables.dirent(i);
    const name = tables.name(dirent);
    if (compareBytes(previous, name) >= 0) throw corrupt(`the names in directory ${n} are not in order`);
    previous = name;
    yield { name: decodeName(name), inode: dirent.inode, kind: nodeKind(dirent.kind) };
  }
}

/** The path of an inode, without a leading slash; '' for the root. */
export function pathOf(tables: Tables, n: number): string {
  const names: string[] = [];
  for (let inode = n; inode !== 0; ) {
    // A chain of parents that never reaches the root is longer than there are inodes.
    if (names.length >= tables.superblock.inodeCount) throw corrupt(`inode ${n} is its own ancestor`);
    const { parent } = tables.inode(inode);
    names.push(nameIn(tables, parent, inode));
    inode = parent;
  }
  return names.reverse().join('/');
}

/** The name of an inode in the directory that is its parent. */
export function nameIn(tables: Tables, directory: number, inode: number): string {
  const { kind, first, count } = tables.inode(directory);
  if (kind === inodeKind.directory && count > 0) {
    // The builder numbers siblings in the order of their names, so the entry is where subtraction says. Elsewhere: search.
    const guess = first + inode - tables.dirent(first).inode;
    if (guess >= first && guess < first + count) {
      const dirent = tables.dirent(guess);
      if (dirent.inode === inode) return decodeName(tables.name(dirent));
    }
    for (let i = first; i < first + count; i++) {
      const dirent = tables.dirent(i);
      if (dirent.inode === inode) return decodeName(tables.name(dirent));
    }
  }
  throw corrupt(`inode ${inode} is not in the directory that it names as its parent`);
}

/**
 * Every file with its path, depth first, in the order of names as bytes. Also the check of the whole tree: throws
 * `corrupt-image` for an entry whose inode names another parent, which is what keeps the walk from going in circles.
 */
export function* files(
  tables: Tables,
): Generator<{ readonly inode: number; readonly path: string }, void, undefined> {
  const stack = [{ inode: 0, prefix: '', entries: readdir(tables, 0) }];
  let visited = 0;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const step = top.entries.next();
    if (step.done) {
      stack.pop();
      continue;
    }
    const { name, inode, kind } = step.value;
    if (++visited > tables.superblock.direntCount) throw corrupt('directories share entries');
    if (tables.inode(inode).parent !== top.inode)
      throw corrupt(`inode ${inode} is not in the directory that it names as its parent`);
    const path = top.prefix + name;
    if (kind === 'file') yield { inode, path };
    else stack.push({ inode, prefix: `${path}/`, entries: readdir(tables, inode) });
  }
}

export function nodeKind(kind: number): NodeKind {
  return kind === inodeKind.directory ? 'directory' : 'file';
}

function decodeName(name: Uint8Array): string {
  const text = utf8Decode(name);
  if (text === undefined) throw corrupt('a name in a directory is not UTF-8');
  return text;
}
