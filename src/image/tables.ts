import { type BlobRecord, blobLayout, fromBlobLayoutRecord } from '../format/blob-record.ts';
import { blockTableLength } from '../format/block-table.ts';
import { type DirentRecord, direntLayout, nameProblem } from '../format/dirent.ts';
import { SluiceError } from '../format/errors.ts';
import { type Extent, extentLayout, fromExtentRecord, maxBlockCount } from '../format/extent.ts';
import { type InodeRecord, inodeKind, inodeLayout } from '../format/inode.ts';
import { type Layout, readRecord } from '../format/layout.ts';
import { stringEntryLayout } from '../format/strings.ts';
import type { Superblock } from '../format/superblock.ts';

/**
 * The tables of an inflated body, read in place. Every access is O(1), decodes one record and checks it against its
 * section, so that whatever the bytes say, nothing outside of a section is read: a bad value is `corrupt-image`, an index of the
 * caller's that is out of range `ERANGE`.
 */
export class Tables {
  readonly superblock: Superblock;
  readonly #body: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  /** Asked again for each extent of a walk, and neighbours in the tree are neighbours in a blob. */
  #lastBlob: { readonly i: number; readonly record: BlobRecord } | undefined;

  /** Throws `corrupt-image` unless the sections fill `body` as FORMAT.md draws them. */
  constructor(superblock: Superblock, body: Uint8Array<ArrayBuffer>) {
    this.superblock = superblock;
    this.#body = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    checkSections(superblock, body.length);
    if (this.inode(0).kind !== inodeKind.directory) throw corrupt('inode 0 is not a directory');
  }

  inode(n: number): InodeRecord {
    const { inodeOffset, inodeCount, direntCount, extentCount, stringCount } = this.superblock;
    const inode = this.#record(inodeLayout, inodeOffset, inodeCount, n);
    const { kind, first, count, mime, headers, meta, parent } = inode;
    if (kind !== inodeKind.file && kind !== inodeKind.directory)
      throw corrupt(`inode ${n} has the unknown kind ${kind}`);
    const available = kind === inodeKind.file ? extentCount : direntCount;
    if (first + count > available) throw corrupt(`inode ${n} refers to records outside of their table`);
    if (Math.max(mime, headers, meta) > stringCount)
      throw corrupt(`inode ${n} refers to a string that is not there`);
    if (parent >= inodeCount) throw corrupt(`inode ${n} has a parent that is not there`);
    return inode;
  }

  dirent(i: number): DirentRecord {
    const { direntOffset, direntCount, inodeCount, inodeOffset, nameLength } = this.superblock;
    const dirent = this.#record(direntLayout, direntOffset, direntCount, i);
    if (dirent.nameOffset + dirent.nameLength > nameLength)
      throw corrupt(`directory entry ${i} has a name outside of the heap`);
    if (dirent.inode === 0 || dirent.inode >= inodeCount)
      throw corrupt(`directory entry ${i} names no inode`);
    const kind = this.#body[inodeOffset + dirent.inode * inodeLayout.size + inodeLayout.fields.kind.offset];
    if (dirent.kind !== kind) throw corrupt(`directory entry ${i} and its inode differ in kind`);
    return dirent;
  }

  /** The bytes of an entry's name; a view. */
  name(dirent: DirentRecord): Uint8Array<ArrayBuffer> {
    const start = this.superblock.nameOffset + dirent.nameOffset;
    const name = this.#body.subarray(start, start + dirent.nameLength);
    const problem = nameProblem(name);
    if (problem !== undefined) throw corrupt(`a name in a directory is not allowed: ${problem}`);
    return name;
  }

  extent(i: number): Extent {
    const { extentOffset, extentCount } = this.superblock;
    return fromExtentRecord(this.#record(extentLayout, extentOffset, extentCount, i));
  }

  blob(i: number): BlobRecord {
    if (this.#lastBlob?.i !== i) this.#lastBlob = { i, record: this.#blob(i) };
    return this.#lastBlob.record;
  }

  #blob(i: number): BlobRecord {
    const { blobOffset, blobCount } = this.superblock;
    const blob = fromBlobLayoutRecord(this.#record(blobLayout, blobOffset, blobCount, i));
    const { length, tableLength, blockCount } = blob;
    if (
      blockCount > maxBlockCount ||
      tableLength !== blockTableLength(blockCount) ||
      length < tableLength + blockCount
    ) {
      throw corrupt(`the lengths of blob ${i} do not suit each other`);
    }
    return blob;
  }

  /** The bytes of a string by its id (not 0); a view. */
  string(id: number): Uint8Array<ArrayBuffer> {
    const { stringOffset, stringCount, nameOffset } = this.superblock;
    const { offset, length } = this.#record(stringEntryLayout, stringOffset, stringCount, id - 1);
    if (offset < stringCount * stringEntryLayout.size || stringOffset + offset + length > nameOffset) {
      throw corrupt(`string ${id} lies outside of its section`);
    }
    return this.#body.subarray(stringOffset + offset, stringOffset + offset + length);
  }

  #record<L extends Layout>(
    of: L,
    offset: number,
    count: number,
    i: number,
  ): ReturnType<typeof readRecord<L>> {
    if (!(Number.isInteger(i) && i >= 0 && i < count))
      throw new SluiceError('ERANGE', `there is no ${of.name} ${i}, only ${count}`);
    return readRecord(of, this.#view, offset + i * of.size);
  }
}

export function corrupt(message: string): SluiceError {
  return new SluiceError('corrupt-image', message);
}

/** Sections in their one order, each at the next multiple of 8, the names ending where the body ends. */
function checkSections(superblock: Superblock, bodyLength: number): void {
  const sections: [name: string, offset: number, length: number][] = [
    ['inodes', superblock.inodeOffset, superblock.inodeCount * inodeLayout.size],
    ['dirents', superblock.direntOffset, superblock.direntCount * direntLayout.size],
    ['extents', superblock.extentOffset, superblock.extentCount * extentLayout.size],
    ['blobs', superblock.blobOffset, superblock.blobCount * blobLayout.size],
    ['strings', superblock.stringOffset, superblock.stringCount * stringEntryLayout.size],
    ['names', superblock.nameOffset, superblock.nameLength],
  ];
  let end = 0;
  for (const [name, offset, length] of sections) {
    // The strings' bytes follow their index and reach, unsaid, up to the names.
    const sound = name === 'names' ? offset >= end && offset % 8 === 0 : offset === alignSection(end);
    if (!sound) throw corrupt(`the section of the ${name} begins at ${offset}, which cannot be`);
    end = offset + length;
    if (end > bodyLength) throw corrupt(`the section of the ${name} reaches behind the end of the body`);
  }
  if (end !== bodyLength) throw corrupt('the body does not end with the names');
  if (superblock.inodeCount === 0) throw corrupt('there is no root directory');
  if (superblock.fallbackInode >= superblock.inodeCount) throw corrupt('the fallback inode is not there');
  const { launchBlob, launchBlock, launchBytes, blobCount, storedBytes } = superblock;
  if (launchBlob + Math.min(launchBlock, 1) > blobCount || launchBytes > storedBytes)
    throw corrupt('the launch set reaches behind the last blob');
}

/** The next place where a section may begin, in bytes. */
export function alignSection(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
