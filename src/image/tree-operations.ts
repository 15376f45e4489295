import { nameProblem } from '../format/dirent.ts';
import { SluiceError } from '../format/errors.ts';
import { maxBlockCount } from '../format/extent.ts';
import { maxMetaLength } from '../format/inode.ts';
import type { TreeOperation } from '../format/tree-operation.ts';
import { utf8Decode, utf8Encode } from '../format/utf8.ts';
import type { TreeChange } from '../overlay/change.ts';
import { isBlockSize } from '../overlay/overlay.ts';
import type { MountedTree } from './mounted-tree.ts';

export interface PlanOptions {
  /** Name of the private blob if a file is made: 64 random hex digits. */
  readonly blob: string;
  /** Most files and directories made at run time. */
  readonly maxNodes?: number;
}

/** Files and directories made at run time that one image may have. */
export const maxRuntimeNodes = 2 ** 20;
/** Bytes of UTF-8 in a path. */
const maxPathLength = 4096;
const maxMimeLength = 255;

/**
 * The changes that do what is asked, in order; none where all is so already (a recursive mkdir). Pure: nothing is changed here. The codes are Node's, and
 * what Incremental FS answers for the like:
 *
 * - `ENOENT` no such file, or no such directory to put it in; `ENOTDIR` a component that must be a directory is a file;
 *   `EISDIR` unlink of a directory; `EEXIST` the name is taken; `ENOTEMPTY`;
 * - `EMLINK` a second name for a directory; `EINVAL` a directory into itself, the root as a child or removed, a name that is empty, `.`, `..`, with NUL,
 *   not well-formed, or that the site itself uses at the root; a size, block size or MIME type that is none; content shorter than the size;
 * - `ENAMETOOLONG` a name over 255 bytes, a path over 4096; `E2BIG` meta over 512 bytes, content longer than the size; `EFBIG` more blocks than a file can
 *   have; `ENFILE` more than `maxNodes`.
 */
export function planChange(
  tree: MountedTree,
  operation: TreeOperation,
  options: PlanOptions,
): readonly TreeChange[] {
  const { path } = operation;
  switch (operation.type) {
    case 'create-file': {
      const place = freePlace(tree, path, false);
      checkMeta(operation.meta, path);
      const { size, blockSize, mime, meta, content } = operation;
      checkFile(size, blockSize, mime, path);
      if (content !== undefined && content.length !== size) {
        const code = content.length > size ? 'E2BIG' : 'EINVAL';
        throw new SluiceError(code, `"${path}" has ${size} bytes, its content ${content.length}`, { path });
      }
      const inode = newInodes(tree, 1, options, path);
      const node = { kind: 'file', size, blockSize, blob: options.blob, mime, meta } as const;
      return [{ type: 'create', inode, ...place, node }];
    }
    case 'mkdir':
      return planDirectories(tree, operation, options);
    case 'link': {
      const target = namesOf(path);
      const source = existing(tree, operation.existing);
      if (tree.inode(source.inode).kind === 'directory') {
        const into = `${source.names.join('/')}/`;
        const itself = source.inode === 0 || `${target.join('/')}/`.startsWith(into);
        const what = itself ? 'a directory cannot be put into itself' : 'a directory has one name only';
        throw new SluiceError(itself ? 'EINVAL' : 'EMLINK', `"${operation.existing}": ${what}`, { path });
      }
      return [{ type: 'link', inode: source.inode, ...freePlace(tree, path, false) }];
    }
    case 'unlink': {
      const { inode, names } = existing(tree, path);
      const isDirectory = inode === 0 || tree.inode(inode).kind === 'directory';
      if (inode !== 0 && isDirectory) throw new SluiceError('EISDIR', `"${path}" is a directory`, { path });
      return [{ type: 'unlink', ...placeOf(tree, names, path) }];
    }
    case 'rmdir': {
      const { inode, names } = existing(tree, path);
      if (tree.inode(inode).kind === 'file')
        throw new SluiceError('ENOTDIR', `"${path}" is a file`, { path });
      const place = placeOf(tree, names, path);
      if (!tree.readdir(inode).next().done) {
        throw new SluiceError('ENOTEMPTY', `"${path}" is not empty`, { path });
      }
      return [{ type: 'unlink', ...place }];
    }
    case 'set-meta': {
      const { inode } = existing(tree, path);
      checkMeta(operation.meta, path);
      return [{ type: 'set-meta', inode, meta: operation.meta }];
    }
  }
}

function planDirectories(
  tree: MountedTree,
  { path, recursive }: { readonly path: string; readonly recursive: boolean },
  options: PlanOptions,
): TreeChange[] {
  const names = namesOf(path);
  if (!recursive) {
    const place = freePlace(tree, path, true);
    return [makeDirectory(newInodes(tree, 1, options, path), place.parent, place.name)];
  }
  let parent = 0;
  let missing = 0;
  for (; missing < names.length; missing++) {
    const found = tree.child(parent, names[missing]!);
    if (found === undefined) break;
    if (found.kind === 'file') {
      const code = missing === names.length - 1 ? 'EEXIST' : 'ENOTDIR';
      throw new SluiceError(code, `"${names.slice(0, missing + 1).join('/')}" is a file`, { path });
    }
    parent = found.inode;
  }
  const changes: TreeChange[] = [];
  if (missing === names.length) return changes;
  if (missing === 0) checkReserved(names[0]!, true, path);
  let inode = newInodes(tree, names.length - missing, options, path);
  for (const name of names.slice(missing)) {
    changes.push(makeDirectory(inode, parent, name));
    parent = inode;
    inode += 1;
  }
  return changes;
}

function makeDirectory(inode: number, parent: number, name: string): TreeChange {
  return { type: 'create', inode, parent, name, node: { kind: 'directory', meta: new Uint8Array(0) } };
}

/** The components of a path, checked: none for the root. */
function namesOf(path: string): string[] {
  const bytes = utf8Encode(path);
  if (bytes.length > maxPathLength) {
    throw new SluiceError('ENAMETOOLONG', `The path has ${bytes.length} bytes, more than ${maxPathLength}`, {
      path,
    });
  }
  if (utf8Decode(bytes) !== path)
    throw new SluiceError('EINVAL', 'The path is not well-formed Unicode', { path });
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  if (trimmed === '') return [];
  return trimmed.split('/').map((name) => {
    const problem = nameProblem(utf8Encode(name));
    if (problem === undefined) return name;
    const code = name.length > 0 && utf8Encode(name).length > 255 ? 'ENAMETOOLONG' : 'EINVAL';
    throw new SluiceError(code, `"${name}" is no name: ${problem}`, { path });
  });
}

function existing(tree: MountedTree, path: string): { readonly inode: number; readonly names: string[] } {
  const names = namesOf(path);
  let inode = 0;
  let kind = 'directory';
  for (const name of names) {
    if (kind === 'file') throw new SluiceError('ENOTDIR', `"${path}" leads through a file`, { path });
    const found = tree.child(inode, name);
    if (found === undefined) throw new SluiceError('ENOENT', `There is no "${path}"`, { path });
    ({ inode, kind } = found);
  }
  if (kind === 'file' && path.endsWith('/'))
    throw new SluiceError('ENOTDIR', `"${path}" is a file`, { path });
  return { inode, names };
}

/** Directory and name of something that exists and is not the root. */
function placeOf(
  tree: MountedTree,
  names: readonly string[],
  path: string,
): { readonly parent: number; readonly name: string } {
  const name = names.at(-1);
  if (name === undefined) throw new SluiceError('EINVAL', 'The root cannot be removed', { path });
  return { parent: existing(tree, names.slice(0, -1).join('/')).inode, name };
}

/** Directory and name for something new. */
function freePlace(
  tree: MountedTree,
  path: string,
  isDirectory: boolean,
): { readonly parent: number; readonly name: string } {
  const names = namesOf(path);
  const name = names.at(-1);
  if (name === undefined) throw new SluiceError('EEXIST', 'The root is there', { path });
  if (!isDirectory && path.endsWith('/'))
    throw new SluiceError('EINVAL', `"${path}" names a directory`, { path });
  if (names.length === 1) checkReserved(name, isDirectory, path);
  const parent = existing(tree, names.slice(0, -1).join('/')).inode;
  if (tree.inode(parent).kind === 'file')
    throw new SluiceError('ENOTDIR', `"${path}" leads through a file`, { path });
  if (tree.child(parent, name) !== undefined) throw new SluiceError('EEXIST', `"${path}" is there`, { path });
  return { parent, name };
}

/** Requests for these never reach the image, or reach what boots it. */
function checkReserved(name: string, isDirectory: boolean, path: string): void {
  const reserved =
    name === '__sluice' ||
    name === 'sluice.json' ||
    name === 'sw.js' ||
    (isDirectory && name === 'index.html') ||
    /^[0-9a-f]{64}\.bin$/.test(name);
  if (reserved) throw new SluiceError('EINVAL', `The site itself uses the name "${name}"`, { path });
}

function checkMeta(meta: Uint8Array, path: string): void {
  if (meta.length <= maxMetaLength) return;
  throw new SluiceError('E2BIG', `${meta.length} bytes of meta are more than ${maxMetaLength}`, { path });
}

function checkFile(size: number, blockSize: number, mime: string, path: string): void {
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new SluiceError('EINVAL', `${size} is no size of a file`, { path });
  }
  if (!isBlockSize(blockSize)) {
    throw new SluiceError('EINVAL', `${blockSize} is no power of two from 4 KiB to 1 MiB`, { path });
  }
  if (size > blockSize * maxBlockCount) {
    throw new SluiceError('EFBIG', `${size} bytes are more than ${maxBlockCount} blocks of ${blockSize}`, {
      path,
    });
  }
  // It becomes a response header.
  if (mime.length > maxMimeLength || !/^[\x20-\x7e]*$/.test(mime)) {
    throw new SluiceError('EINVAL', 'The MIME type is not printable ASCII of up to 255 characters', { path });
  }
}

/** The first of `count` new inodes. */
function newInodes(
  tree: MountedTree,
  count: number,
  { maxNodes = maxRuntimeNodes }: PlanOptions,
  path: string,
): number {
  const first = tree.inodeCount;
  if (tree.overlay.nodeCount + count > maxNodes || first + count >= 2 ** 32) {
    throw new SluiceError('ENFILE', `More than ${maxNodes} files and directories were made at run time`, {
      path,
    });
  }
  return first;
}
