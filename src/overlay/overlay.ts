import { nameProblem } from '../format/dirent.ts';
import { maxBlockCount, maxBlockShift, minBlockShift } from '../format/extent.ts';
import { isHeaderText } from '../format/header.ts';
import { maxMetaLength } from '../format/inode.ts';
import { isSha256Hex } from '../format/sha256.ts';
import { utf8Encode } from '../format/utf8.ts';
import type { NewNode, TreeChange } from './change.ts';

/** What a name that was given at run time stands for. */
export interface AddedName {
  readonly inode: number;
  readonly kind: 'file' | 'directory';
}

/** Where a name stands. */
export interface NamePlace {
  readonly parent: number;
  readonly name: string;
}

/** What happened in one directory. A name can be in both: removed as published, then given anew. */
interface DirectoryChanges {
  readonly added: Map<string, AddedName>;
  /** Published names that are no more. */
  readonly removed: Set<string>;
}

interface RuntimeNode {
  node: NewNode;
  readonly names: NamePlace[];
}

/**
 * What was changed at run time in the tree of one published image, which it does not know: an inode that was not made here is taken for a
 * published one. It grows through {@link apply} only, from the journal and from whoever changes the tree.
 *
 * Invariants: every file made here has a name; a directory has exactly one; a name made here is in no two places at once.
 * The idea of a layer with whiteouts over an immutable one is that of union mounts.
 */
export class Overlay {
  #sequence = 0;
  #nextInode = 0;
  /** Made at run time and not removed. */
  readonly #nodes = new Map<number, RuntimeNode>();
  readonly #directories = new Map<number, DirectoryChanges>();
  /** Further names of published files, given at run time. */
  readonly #links = new Map<number, NamePlace[]>();
  /** Of published inodes. */
  readonly #meta = new Map<number, Uint8Array<ArrayBuffer>>();

  /** How many changes made this object: what was looked up at the same number is still true. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Above every inode that was ever made here; 0 where none was. */
  get nextInode(): number {
    return this.#nextInode;
  }

  /** Nothing of what was changed is left: everything made here was removed, and all that is published is as it was. */
  get isEmpty(): boolean {
    for (const { type } of this.changes()) if (type !== 'next-inode') return false;
    return true;
  }

  /** How many files and directories made at run time there are. */
  get nodeCount(): number {
    return this.#nodes.size;
  }

  /** What the name stands for where it was given at run time; `removed`: nothing, though it was published; undefined: as published. */
  child(directory: number, name: string): AddedName | 'removed' | undefined {
    const changes = this.#directories.get(directory);
    return changes?.added.get(name) ?? (changes?.removed.has(name) ? 'removed' : undefined);
  }

  /** The names given at run time in a directory, in no order. */
  names(directory: number): Iterable<readonly [name: string, AddedName]> {
    return this.#directories.get(directory)?.added ?? [];
  }

  /** Whether the published name is no more (it may have been given anew). */
  removed(directory: number, name: string): boolean {
    return this.#directories.get(directory)?.removed.has(name) ?? false;
  }

  /** A file or directory made at run time; undefined for a published or a removed one. */
  node(inode: number): NewNode | undefined {
    return this.#nodes.get(inode)?.node;
  }

  /** The names that an inode was given at run time, oldest first. */
  namesOf(inode: number): readonly NamePlace[] {
    return this.#nodes.get(inode)?.names ?? this.#links.get(inode) ?? [];
  }

  /** What a published inode's meta was set to; undefined where it is as published. Empty = none. */
  meta(inode: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#meta.get(inode);
  }

  /** The inodes of the files made at run time, with their nodes. */
  *files(): Generator<readonly [inode: number, node: NewNode & { readonly kind: 'file' }]> {
    for (const [inode, { node }] of this.#nodes) if (node.kind === 'file') yield [inode, node];
  }

  /**
   * Whether {@link apply} would take the change. It sees only what was changed at run time: that a parent is a published directory, and a
   * name was published, is for the caller to know.
   */
  allows(change: TreeChange): boolean {
    switch (change.type) {
      case 'create':
        // The directory of a directory was there before it: so none is in itself, by whatever way. (A file may have been linked into a later one.)
        return (
          change.inode > 0 &&
          (change.node.kind === 'file' || change.parent < change.inode) &&
          !this.#isUsed(change.inode) &&
          sound(change.node) &&
          this.#isFree(change)
        );
      case 'link':
        return change.inode > 0 && this.node(change.inode)?.kind !== 'directory' && this.#isFree(change);
      case 'unlink': {
        const changes = this.#directories.get(change.parent);
        const added = changes?.added.get(change.name);
        if (added === undefined) {
          return isName(change.name) && !this.#nodes.has(change.parent) && !changes?.removed.has(change.name);
        }
        return added.kind === 'file' || !this.#directories.get(added.inode)?.added.size;
      }
      case 'set-meta':
        return change.meta.length <= maxMetaLength;
      case 'next-inode':
        return true;
    }
  }

  /** Makes the change. Answers false, and changes nothing, for one that cannot be: see {@link allows}. */
  apply(change: TreeChange): boolean {
    if (!this.allows(change)) return false;
    switch (change.type) {
      case 'create':
        this.#nodes.set(change.inode, { node: change.node, names: [] });
        this.#nextInode = Math.max(this.#nextInode, change.inode + 1);
        this.#addName(change, change.inode, change.node.kind);
        break;
      case 'link':
        this.#addName(change, change.inode, 'file');
        break;
      case 'unlink':
        this.#removeName(change);
        break;
      case 'set-meta': {
        const made = this.#nodes.get(change.inode);
        if (made === undefined) this.#meta.set(change.inode, change.meta);
        else made.node = { ...made.node, meta: change.meta };
        break;
      }
      case 'next-inode':
        this.#nextInode = Math.max(this.#nextInode, change.inode);
        break;
    }
    this.#sequence += 1;
    return true;
  }

  /** The changes that make an overlay as this one is, from nothing: no more of them than there are names, however long its history. */
  *changes(): Generator<TreeChange> {
    // Published names first, since they may have been given anew; directories before what is in them.
    for (const [parent, { removed }] of this.#directories) {
      for (const name of removed) yield { type: 'unlink', parent, name };
    }
    for (const kind of ['directory', 'file'] as const) {
      for (const [inode, { node, names }] of this.#nodes) {
        if (node.kind === kind) yield { type: 'create', inode, ...names[0]!, node };
      }
    }
    for (const [inode, { names }] of this.#nodes) {
      for (const place of names.slice(1)) yield { type: 'link', inode, ...place };
    }
    for (const [inode, names] of this.#links) {
      for (const place of names) yield { type: 'link', inode, ...place };
    }
    for (const [inode, meta] of this.#meta) yield { type: 'set-meta', inode, meta };
    if (this.#nextInode > 0) yield { type: 'next-inode', inode: this.#nextInode };
  }

  /** Whether anything was said of the inode before. */
  #isUsed(inode: number): boolean {
    return [this.#nodes, this.#links, this.#meta, this.#directories].some((known) => known.has(inode));
  }

  #isFree({ parent, name }: NamePlace): boolean {
    return (
      isName(name) && this.node(parent)?.kind !== 'file' && !this.#directories.get(parent)?.added.has(name)
    );
  }

  #directory(inode: number): DirectoryChanges {
    let changes = this.#directories.get(inode);
    if (changes === undefined) {
      changes = { added: new Map(), removed: new Set() };
      this.#directories.set(inode, changes);
    }
    return changes;
  }

  #addName({ parent, name }: NamePlace, inode: number, kind: 'file' | 'directory'): void {
    this.#directory(parent).added.set(name, { inode, kind });
    let names = this.#nodes.get(inode)?.names ?? this.#links.get(inode);
    if (names === undefined) {
      names = [];
      this.#links.set(inode, names);
    }
    names.push({ parent, name });
  }

  #removeName({ parent, name }: NamePlace): void {
    const { added, removed } = this.#directory(parent);
    const entry = added.get(name);
    if (entry === undefined) {
      removed.add(name);
      return;
    }
    added.delete(name);
    const names = this.#nodes.get(entry.inode)?.names ?? this.#links.get(entry.inode)!;
    const at = names.findIndex((place) => place.parent === parent && place.name === name);
    names.splice(at, 1);
    if (names.length > 0) return;
    this.#links.delete(entry.inode);
    if (this.#nodes.delete(entry.inode)) this.#directories.delete(entry.inode);
  }
}

/** Whether a private blob can have blocks of so many bytes. */
export function isBlockSize(blockSize: number): boolean {
  const shift = Math.log2(blockSize);
  return Number.isInteger(shift) && shift >= minBlockShift && shift <= maxBlockShift;
}

function isName(name: string): boolean {
  return nameProblem(utf8Encode(name)) === undefined;
}

function sound(node: NewNode): boolean {
  if (node.meta.length > maxMetaLength) return false;
  if (node.kind === 'directory') return true;
  const { blob, size, blockSize, mime } = node;
  return (
    isSha256Hex(blob) &&
    isHeaderText(mime) &&
    isBlockSize(blockSize) &&
    size >= 0 &&
    Math.ceil(size / blockSize) <= maxBlockCount
  );
}
