import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import { compareBytes, utf8Decode, utf8Encode } from '../format/utf8.ts';
import type { NewNode } from '../overlay/change.ts';
import type { Overlay } from '../overlay/overlay.ts';
import { privateBlob } from '../overlay/private-blob.ts';
import type { DirectoryEntry } from './directory.ts';
import type { FileTree } from './file-tree.ts';
import type { Image, Inode, LaunchSet } from './image.ts';
import { type BlockSpan, blockSpans, checkRange, type ExtentSpan } from './map-range.ts';

/**
 * A published image with what was added, linked and removed at run time, as one tree. It looks through to both, so that a change of the overlay is
 * seen at once; making one costs nothing.
 *
 * Inodes from `image.inodeCount` up were made at run time, and the private blob of such a file is
 * `image.blobCount + (inode - image.inodeCount)`. A published file keeps its inode as long as anybody reads it, even without a name
 * (`links` 0); one made at run time is gone with its last name (`ENOENT`).
 */
export class MountedTree implements FileTree {
  readonly image: Image;
  readonly overlay: Overlay;

  constructor(image: Image, overlay: Overlay) {
    this.image = image;
    this.overlay = overlay;
  }

  get id(): string {
    return this.image.id;
  }

  get launchSet(): LaunchSet | undefined {
    return this.image.launchSet;
  }

  get crossOriginIsolate(): boolean {
    return this.image.crossOriginIsolate;
  }

  get fallback(): number | undefined {
    const { fallback } = this.image;
    return fallback === undefined || this.#places(fallback).length === 0 ? undefined : fallback;
  }

  /** One more than the highest inode that is, or ever was: what the next file made at run time gets. */
  get inodeCount(): number {
    return Math.max(this.image.inodeCount, this.overlay.nextInode);
  }

  /** Indices of directories and removed files have no blob behind them: {@link blob} throws `ENOENT` there. */
  get blobCount(): number {
    return this.image.blobCount + this.inodeCount - this.image.inodeCount;
  }

  lookup(path: string): number | undefined {
    if (this.overlay.sequence === 0) return this.image.lookup(path);
    // Names are UTF-8: what is not well-formed is looked up as it would be written.
    const names = utf8Decode(utf8Encode(path))!.split('/');
    if (names[0] === '') names.shift();
    let inode = 0;
    for (const [i, name] of names.entries()) {
      // A trailing slash asks for a directory.
      if (name === '' && i === names.length - 1) return this.#isDirectory(inode) ? inode : undefined;
      const found = this.child(inode, name);
      if (found === undefined) return undefined;
      inode = found.inode;
    }
    return inode;
  }

  /** What `name` (well-formed) stands for in a directory; undefined where it is not there, or `directory` is a file. */
  child(
    directory: number,
    name: string,
  ): { readonly inode: number; readonly kind: 'file' | 'directory' } | undefined {
    const added = this.overlay.child(directory, name);
    if (added === 'removed') return undefined;
    return added ?? (this.#isPublished(directory) ? this.image.child(directory, name) : undefined);
  }

  inode(n: number): Inode {
    if (this.#isPublished(n)) {
      const inode = this.image.inode(n);
      const places = n === 0 ? [{ parent: 0 }] : this.#places(n);
      const meta = this.overlay.meta(n);
      return {
        ...inode,
        meta: meta === undefined ? inode.meta : present(meta),
        parent: places[0]?.parent ?? inode.parent,
        links: places.length,
      };
    }
    const node = this.#node(n);
    const names = this.overlay.namesOf(n);
    const isFile = node.kind === 'file';
    return {
      kind: node.kind,
      size: isFile ? node.size : 0,
      // The content is written once, so a name that no other file has tells it apart as well as a digest.
      tag: isFile ? node.blob.slice(0, 16) : '0'.repeat(16),
      mime: isFile && node.mime !== '' ? node.mime : undefined,
      headers: [],
      meta: present(node.meta),
      parent: names[0]!.parent,
      links: names.length,
    };
  }

  *readdir(n: number): Generator<DirectoryEntry, void, undefined> {
    if (!this.#isDirectory(n)) throw new SluiceError('ENOTDIR', `inode ${n} is a file`);
    const added = [...this.overlay.names(n)]
      .map(([name, entry]) => ({ name, bytes: utf8Encode(name), ...entry }))
      .sort((a, b) => compareBytes(a.bytes, b.bytes));
    let next = 0;
    const addedBefore = function* (bytes?: Uint8Array): Generator<DirectoryEntry, void, undefined> {
      for (; next < added.length; next++) {
        const { name, inode, kind } = added[next]!;
        if (bytes !== undefined && compareBytes(added[next]!.bytes, bytes) > 0) return;
        yield { name, inode, kind };
      }
    };
    if (this.#isPublished(n)) {
      for (const entry of this.image.readdir(n)) {
        if (next < added.length) yield* addedBefore(utf8Encode(entry.name));
        if (!this.overlay.removed(n, entry.name)) yield entry;
      }
    }
    yield* addedBefore();
  }

  /** One of its paths, the published one before others. Throws `ENOENT` for a file that has no name left. */
  pathOf(n: number): string {
    const names: string[] = [];
    for (let inode = n; inode !== 0; ) {
      const place = this.#places(inode)[0];
      if (place === undefined) throw new SluiceError('ENOENT', `inode ${inode} has no name any more`);
      names.push(place.name);
      inode = place.parent;
      if (names.length > this.image.inodeCount + this.overlay.nodeCount)
        throw new SluiceError('corrupt-image', `inode ${n} is its own ancestor`);
    }
    return names.reverse().join('/');
  }

  /** A file with several names comes once for each. */
  *files(): Generator<{ readonly inode: number; readonly path: string }, void, undefined> {
    if (this.overlay.sequence === 0) {
      yield* this.image.files();
      return;
    }
    const stack = [{ prefix: '', entries: this.readdir(0) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const step = top.entries.next();
      if (step.done) {
        stack.pop();
        continue;
      }
      const { name, inode, kind } = step.value;
      const path = top.prefix + name;
      if (kind === 'file') yield { inode, path };
      else stack.push({ prefix: `${path}/`, entries: this.readdir(inode) });
    }
  }

  blob(i: number): BlobRecord {
    if (i < this.image.blobCount) return this.image.blob(i);
    const node = this.#node(this.#inodeOfBlob(i));
    if (node.kind === 'directory') throw new SluiceError('ENOENT', `there is no blob ${i}`);
    return privateBlob(node);
  }

  /** Whether the blob is a published one, or that of a run-time file that was not removed. */
  hasBlob(i: number): boolean {
    return i < this.image.blobCount || this.overlay.node(this.#inodeOfBlob(i))?.kind === 'file';
  }

  /** The index of the blob that holds a file made at run time; undefined for a published file. */
  privateBlobOf(inode: number): number | undefined {
    return this.#isPublished(inode) ? undefined : this.image.blobCount + inode - this.image.inodeCount;
  }

  *mapRange(inode: number, start: number, end: number): Generator<BlockSpan, void, undefined> {
    if (this.#isPublished(inode)) yield* this.image.mapRange(inode, start, end);
    else for (const span of this.mapExtents(inode, start, end)) yield* blockSpans(span);
  }

  *mapExtents(inode: number, start: number, end: number): Generator<ExtentSpan, void, undefined> {
    if (this.#isPublished(inode)) {
      yield* this.image.mapExtents(inode, start, end);
      return;
    }
    const node = this.#node(inode);
    if (node.kind === 'directory') throw new SluiceError('EISDIR', `inode ${inode} is a directory`);
    checkRange(start, end);
    const stop = Math.min(end, node.size);
    if (start >= stop) return;
    const { blockSize } = node;
    const firstBlock = Math.floor(start / blockSize);
    const endBlock = Math.ceil(stop / blockSize);
    const storedOffset = firstBlock * blockSize;
    yield {
      blob: this.privateBlobOf(inode)!,
      firstBlock,
      blockCount: endBlock - firstBlock,
      shift: Math.log2(blockSize),
      blockOffset: start - storedOffset,
      length: stop - start,
      fileOffset: start,
      storedOffset,
      storedLength: Math.min(endBlock * blockSize, node.size) - storedOffset,
      storedExact: true,
    };
  }

  #inodeOfBlob(privateBlob: number): number {
    return this.image.inodeCount + privateBlob - this.image.blobCount;
  }

  #isPublished(inode: number): boolean {
    return inode < this.image.inodeCount;
  }

  #isDirectory(inode: number): boolean {
    const { kind } = this.#isPublished(inode) ? this.image.inode(inode) : this.#node(inode);
    return kind === 'directory';
  }

  #node(inode: number): NewNode {
    const node = this.overlay.node(inode);
    if (node !== undefined) return node;
    if (inode < this.inodeCount) throw new SluiceError('ENOENT', `inode ${inode} was removed`);
    throw new SluiceError('ERANGE', `there is no inode ${inode}, only ${this.inodeCount}`);
  }

  /** Every place of an inode other than the root: where it was published, if it still is there, before those given at run time. */
  #places(inode: number): readonly { readonly parent: number; readonly name: string }[] {
    const added = this.overlay.namesOf(inode);
    if (!this.#isPublished(inode)) {
      this.#node(inode);
      return added;
    }
    const { parent } = this.image.inode(inode);
    const name = this.image.nameOf(inode);
    return this.overlay.removed(parent, name) ? added : [{ parent, name }, ...added];
  }
}

function present(meta: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  return meta.length === 0 ? undefined : meta;
}
