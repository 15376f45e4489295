import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import { compatFeatures, incompatFeatures } from '../format/features.ts';
import { isHeader, isHeaderText } from '../format/header.ts';
import { inflate } from '../format/inflate.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { decodeSuperblock, type Superblock, superblockLayout } from '../format/superblock.ts';
import { utf8Decode } from '../format/utf8.ts';
import {
  child,
  type DirectoryEntry,
  files,
  lookup,
  type NodeKind,
  nameIn,
  nodeKind,
  pathOf,
  readdir,
} from './directory.ts';
import type { FileTree } from './file-tree.ts';
import { type BlockSpan, type ExtentSpan, mapExtents, mapRange } from './map-range.ts';
import { corrupt, Tables } from './tables.ts';

export type { DirectoryEntry } from './directory.ts';
export type { BlockSpan, ExtentSpan } from './map-range.ts';

export interface Inode {
  readonly kind: NodeKind;
  /** Logical bytes; 0 for a directory. */
  readonly size: number;
  /** First 8 bytes of the content's SHA-256, hex: changes when the content does, proves nothing. */
  readonly tag: string;
  /** Content-Type. */
  readonly mime: string | undefined;
  /** Extra response headers, in the order given at build time. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Up to 512 bytes of the app's own; a view that must not be written. */
  readonly meta: Uint8Array<ArrayBuffer> | undefined;
  /** Inode of the directory that holds it; the root's is 0. */
  readonly parent: number;
  /** How many names it has. Published files and directories have one. */
  readonly links: number;
}

/** What a recorded launch needs: all blocks of the blobs before `blob`, and its blocks `[0, block)`. */
export interface LaunchSet {
  /** May be the number of blobs, with block 0: the launch needs all of them. */
  readonly blob: number;
  readonly block: number;
  /** Stored bytes, tables not counted. */
  readonly bytes: number;
}

/**
 * One published version of an app, read from its bootstrap without parsing it: records are read in place when they are asked for, so
 * opening costs one digest and one inflate, however many files there are. Immutable.
 *
 * Inodes are numbers in `[0, inodeCount)`, 0 is the root. Everything that reads records throws `corrupt-image` where they are wrong
 * (they are checked when read, not at open), and `ERANGE` for a number that is none.
 */
export class Image implements FileTree {
  /** SHA-256 of the bootstrap as published, hex. */
  readonly id: string;
  readonly superblock: Superblock;
  readonly #tables: Tables;

  private constructor(id: string, tables: Tables) {
    this.id = id;
    this.superblock = tables.superblock;
    this.#tables = tables;
  }

  /**
   * Opens a bootstrap as published. `sha256` (hex) is what it must match: always give it where the bytes come from anywhere but a build in the
   * same process. The image keeps `bytes` where the body is not deflated, so they must not change.
   *
   * Throws `integrity` (not the bytes of `sha256`), `not-an-image`, `unsupported-image` or `corrupt-image`.
   */
  static async open(
    bytes: Uint8Array<ArrayBuffer>,
    options: { readonly sha256?: string } = {},
  ): Promise<Image> {
    const id = hex(await sha256(bytes));
    if (options.sha256 !== undefined && options.sha256 !== id) {
      throw new SluiceError('integrity', `the bootstrap's SHA-256 is ${id} instead of ${options.sha256}`);
    }
    const superblock = decodeSuperblock(bytes);
    const stored = bytes.subarray(superblockLayout.size);
    if (stored.length !== superblock.bodyStoredLength) {
      throw corrupt(`the body has ${stored.length} bytes instead of ${superblock.bodyStoredLength}`);
    }
    const deflated = (superblock.incompat & incompatFeatures['deflated-body']) !== 0;
    if (!deflated && superblock.bodyLength !== stored.length)
      throw corrupt('the body has two different lengths');
    const body = deflated ? await inflate(stored, superblock.bodyLength) : stored;
    return new Image(id, new Tables(superblock, body));
  }

  get inodeCount(): number {
    return this.superblock.inodeCount;
  }

  get blobCount(): number {
    return this.superblock.blobCount;
  }

  hasBlob(i: number): boolean {
    return i < this.blobCount;
  }

  /** Whether answers carry COOP, COEP and CORP. */
  get crossOriginIsolate(): boolean {
    return (this.superblock.compat & compatFeatures['cross-origin-isolate']) !== 0;
  }

  /** Whether any published block needs the zstd decoder. */
  get usesZstd(): boolean {
    return (this.superblock.incompat & incompatFeatures['zstd-blocks']) !== 0;
  }

  /** The file that answers navigations to unknown paths, if the app has one. */
  get fallback(): number | undefined {
    return this.superblock.fallbackInode === 0 ? undefined : this.superblock.fallbackInode;
  }

  /** What comes first in the blobs because a launch reads it; undefined where the build was given no trace. */
  get launchSet(): LaunchSet | undefined {
    const { launchBlob: blob, launchBlock: block, launchBytes: bytes } = this.superblock;
    if (block > 0 && block >= this.blob(blob).blockCount)
      throw corrupt(`the launch set takes ${block} blocks of blob ${blob}`);
    return bytes === 0 ? undefined : { blob, block, bytes };
  }

  /**
   * The inode at `path`; undefined where there is none. Components are names as they are: no percent-decoding, no normalisation, no
   * `.` and `..`. One leading slash is allowed, '' and '/' are the root, a trailing slash asks for a directory.
   */
  lookup(path: string): number | undefined {
    return lookup(this.#tables, path);
  }

  /** What `name` stands for in a directory; undefined where it is not there, or `directory` is a file. */
  child(directory: number, name: string): DirectoryEntry | undefined {
    return child(this.#tables, directory, name);
  }

  inode(n: number): Inode {
    const record = this.#tables.inode(n);
    return {
      kind: nodeKind(record.kind),
      size: record.size,
      tag: hex(record.tag),
      mime: this.#mime(record.mime),
      headers: parseHeaders(this.#text(record.headers)),
      meta: record.meta === 0 ? undefined : this.#tables.string(record.meta),
      parent: record.parent,
      links: 1,
    };
  }

  /** The entries of a directory, in the order of their names as bytes. Throws `ENOTDIR` for a file. */
  readdir(n: number): Generator<DirectoryEntry, void, undefined> {
    return readdir(this.#tables, n);
  }

  /** The path of an inode, without a leading slash; '' for the root. */
  pathOf(n: number): string {
    return pathOf(this.#tables, n);
  }

  /** The name of an inode in its parent; the root's is ''. */
  nameOf(n: number): string {
    return n === 0 ? '' : nameIn(this.#tables, this.#tables.inode(n).parent, n);
  }

  /** Every file with its path, depth first, in the order of names as bytes. */
  files(): Generator<{ readonly inode: number; readonly path: string }, void, undefined> {
    return files(this.#tables);
  }

  blob(i: number): BlobRecord {
    return this.#tables.blob(i);
  }

  /** All of them, by index. */
  *blobs(): Generator<BlobRecord, void, undefined> {
    for (let i = 0; i < this.blobCount; i++) yield this.blob(i);
  }

  /**
   * Where the bytes `[start, end)` of a file are: lazily one span a block, in file order, without gaps. `end` is clamped to the file's size.
   * Throws `EISDIR` for a directory and `ERANGE` for a range that is none.
   */
  mapRange(inode: number, start: number, end: number): Generator<BlockSpan, void, undefined> {
    return mapRange(this.#tables, inode, start, end);
  }

  /** The same, one span an extent: consecutive blocks, with what is known of their stored bytes without the block table. */
  mapExtents(inode: number, start: number, end: number): Generator<ExtentSpan, void, undefined> {
    return mapExtents(this.#tables, inode, start, end);
  }

  #mime(id: number): string | undefined {
    const mime = this.#text(id);
    if (mime !== undefined && !isHeaderText(mime)) throw corrupt(`"${mime}" is not a Content-Type`);
    return mime;
  }

  #text(id: number): string | undefined {
    if (id === 0) return undefined;
    const text = utf8Decode(this.#tables.string(id));
    if (text === undefined) throw corrupt(`string ${id} is not UTF-8`);
    return text;
  }
}

function parseHeaders(text: string | undefined): (readonly [string, string])[] {
  if (text === undefined) return [];
  return text.split('\n').map((line) => {
    const colon = line.indexOf(': ');
    const [name, value] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 2)] as const;
    if (!isHeader(name, value)) throw corrupt(`"${line}" is not a response header`);
    return [name, value];
  });
}
