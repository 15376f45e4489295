import { type BlobRecord, blobLayout, toBlobLayoutRecord } from '../format/blob-record.ts';
import type { CodecName } from '../format/codec-id.ts';
import { direntLayout, nameProblem } from '../format/dirent.ts';
import { SluiceError } from '../format/errors.ts';
import { type Extent, extentLayout, extentProblem, toExtentRecord } from '../format/extent.ts';
import { compatFeatures, incompatFeatures } from '../format/features.ts';
import { isHeader } from '../format/header.ts';
import { type InodeRecord, inodeKind, inodeLayout, maxMetaLength } from '../format/inode.ts';
import { type Layout, type RecordOf, writeRecord } from '../format/layout.ts';
import { StringTable } from '../format/strings.ts';
import { encodeSuperblock, superblockLayout } from '../format/superblock.ts';
import { compareBytes, utf8Decode, utf8Encode } from '../format/utf8.ts';
import type { LaunchSet } from './image.ts';
import { alignSection } from './tables.ts';

/** A whole image as plain data: what the packer describes and {@link encodeBootstrap} writes down. */
export interface BootstrapModel {
  /** The entries of the root directory, in any order. */
  readonly root: readonly NodeModel[];
  /** In launch order. */
  readonly blobs: readonly BlobRecord[];
  /** Codecs that any block of the blobs uses. */
  readonly codecs: readonly CodecName[];
  readonly crossOriginIsolate?: boolean;
  /** What a launch needs, from the front of the blobs. */
  readonly launchSet?: LaunchSet;
  /** Path of the file that answers navigations to unknown paths, as `Image.lookup` takes it. */
  readonly fallback?: string;
}

export type NodeModel = FileModel | DirectoryModel;

export interface DirectoryModel {
  readonly kind: 'directory';
  readonly name: string;
  /** In any order. */
  readonly entries: readonly NodeModel[];
}

export interface FileModel {
  readonly kind: 'file';
  /** Taken as it is, no normalisation; 1 to 255 bytes of UTF-8. */
  readonly name: string;
  /** Logical bytes. */
  readonly size: number;
  /** First 8 bytes of the content's SHA-256. */
  readonly tag: Uint8Array<ArrayBuffer>;
  readonly mime?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Up to 512 bytes. */
  readonly meta?: Uint8Array;
  /** Sorted by fileOffset, without gap or overlap, together `size` bytes. Files with the same array share its records. */
  readonly extents: readonly Extent[];
}

/**
 * The bootstrap's bytes for `model`; pure, and the same for the same model whatever the order of its entries.
 *
 * Inodes are numbered breadth first, siblings in the order of their names as bytes, so entry i of the directory table names inode
 * i + 1. `deflate` makes raw deflate (RFC 1951); where it does not make the body shorter, the body is stored as it is.
 *
 * Throws `EINVAL` (with the path) for a name, header, meta or extent that the format does not allow, `ENOENT` for a fallback that is not there,
 * `E2BIG` for more than the format holds.
 */
export function encodeBootstrap(
  model: BootstrapModel,
  deflate: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const nodes = numberNodes(model.root);
  const mimes = nodes.flatMap(({ model: file }) =>
    file?.kind === 'file' && file.mime !== undefined ? [file.mime] : [],
  );
  const strings = new StringTable();
  // First, since an inode has only 16 bits for their ids.
  for (const mime of mimes) strings.add(utf8Encode(mime));
  const extents = new ExtentTable(model.blobs);
  const inodes = nodes.map((node) => inodeRecord(node, strings, extents));

  const names = new Map<string, number>();
  const nameHeap: Uint8Array[] = [];
  let nameLength = 0;
  const dirents = nodes.slice(1).map((node) => {
    let nameOffset = names.get(node.name);
    if (nameOffset === undefined) {
      nameOffset = nameLength;
      names.set(node.name, nameOffset);
      nameHeap.push(node.nameBytes);
      nameLength += node.nameBytes.length;
    }
    const kind = inodes[node.inode]!.kind;
    return { nameOffset, inode: node.inode, nameLength: node.nameBytes.length, kind };
  });

  const sections = [
    encodeRecords(inodeLayout, inodes),
    encodeRecords(direntLayout, dirents),
    encodeRecords(extentLayout, extents.records),
    encodeRecords(blobLayout, model.blobs.map(toBlobLayoutRecord)),
    strings.encode(),
    concatenate(nameHeap, nameLength),
  ];
  const offsets: number[] = [];
  let bodyLength = 0;
  for (const section of sections) {
    offsets.push(alignSection(bodyLength));
    bodyLength = alignSection(bodyLength) + section.length;
  }
  if (bodyLength >= 2 ** 32) throw new SluiceError('E2BIG', 'the metadata exceeds 4 GiB');
  const body = new Uint8Array(bodyLength);
  sections.forEach((section, i) => {
    body.set(section, offsets[i]!);
  });

  const deflated = deflate(body);
  const stored = deflated.length < body.length ? deflated : body;
  let incompat = stored === body ? 0 : incompatFeatures['deflated-body'];
  if (model.codecs.includes('zstd')) incompat |= incompatFeatures['zstd-blocks'];
  if (model.codecs.includes('lz4')) incompat |= incompatFeatures['lz4-blocks'];
  const superblock = encodeSuperblock({
    compat: model.crossOriginIsolate === true ? compatFeatures['cross-origin-isolate'] : 0,
    incompat,
    bodyStoredLength: stored.length,
    bodyLength,
    fallbackInode: fallbackInode(nodes, model.fallback),
    logicalBytes: inodes.reduce((sum, inode) => sum + inode.size, 0),
    storedBytes: model.blobs.reduce((sum, blob) => sum + blob.length, 0),
    inodeOffset: offsets[0]!,
    inodeCount: inodes.length,
    direntOffset: offsets[1]!,
    direntCount: dirents.length,
    extentOffset: offsets[2]!,
    extentCount: extents.records.length,
    blobOffset: offsets[3]!,
    blobCount: model.blobs.length,
    stringOffset: offsets[4]!,
    stringCount: strings.count,
    nameOffset: offsets[5]!,
    nameLength,
    ...launchFields(model),
  });
  return concatenate([superblock, stored], superblockLayout.size + stored.length);
}

function launchFields({ launchSet, blobs }: BootstrapModel) {
  const { blob, block, bytes } = launchSet ?? { blob: 0, block: 0, bytes: 0 };
  if (block > 0 ? block >= (blobs[blob]?.blockCount ?? 0) : blob > blobs.length)
    throw new SluiceError(
      'EINVAL',
      `there is no block ${block} of blob ${blob} for the launch set to end at`,
    );
  return { launchBlob: blob, launchBlock: block, launchBytes: bytes };
}

/** A node with its number. The root alone has no model. */
interface NumberedNode {
  readonly inode: number;
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly path: string;
  readonly parent: number;
  readonly model: NodeModel | undefined;
  /** Inode of the first child, and how many there are; of directories. */
  firstChild: number;
  childCount: number;
}

function numberNodes(root: readonly NodeModel[]): NumberedNode[] {
  const top = { inode: 0, name: '', nameBytes: new Uint8Array(0), path: '', parent: 0, model: undefined };
  const nodes: NumberedNode[] = [{ ...top, firstChild: 1, childCount: 0 }];
  // The list grows while it is walked: that is the breadth-first order.
  for (const directory of nodes) {
    const entries =
      directory.model === undefined
        ? root
        : directory.model.kind === 'directory'
          ? directory.model.entries
          : [];
    const children = entries.map((model) => ({ model, nameBytes: checkedName(model.name, directory.path) }));
    children.sort((a, b) => compareBytes(a.nameBytes, b.nameBytes));
    directory.firstChild = nodes.length;
    directory.childCount = children.length;
    children.forEach(({ model, nameBytes }, i) => {
      const path = directory.path === '' ? model.name : `${directory.path}/${model.name}`;
      if (i > 0 && compareBytes(children[i - 1]!.nameBytes, nameBytes) === 0) {
        throw new SluiceError('EINVAL', `"${path}" is there twice`, { path });
      }
      const inode = nodes.length;
      nodes.push({
        inode,
        name: model.name,
        nameBytes,
        path,
        parent: directory.inode,
        model,
        firstChild: 0,
        childCount: 0,
      });
    });
  }
  return nodes;
}

function checkedName(name: string, directory: string): Uint8Array<ArrayBuffer> {
  const bytes = utf8Encode(name);
  const problem =
    nameProblem(bytes) ?? (utf8Decode(bytes) === name ? undefined : 'it is not well-formed Unicode');
  if (problem === undefined) return bytes;
  const path = `${directory}/${name}`;
  throw new SluiceError('EINVAL', `the name of "${path}" cannot be used: ${problem}`, { path });
}

function inodeRecord(node: NumberedNode, strings: StringTable, extents: ExtentTable): InodeRecord {
  const { model, parent, path } = node;
  if (model === undefined || model.kind === 'directory') {
    // Entry i names inode i + 1.
    const first = node.childCount === 0 ? 0 : node.firstChild - 1;
    const none = { size: 0, tag: new Uint8Array(8), mime: 0, headers: 0, meta: 0 };
    return { ...none, kind: inodeKind.directory, first, count: node.childCount, parent };
  }
  const { size, tag, meta } = model;
  if (meta !== undefined && meta.length > maxMetaLength) {
    throw new SluiceError(
      'EINVAL',
      `the meta of "${path}" has ${meta.length} bytes, more than ${maxMetaLength}`,
      { path },
    );
  }
  return {
    kind: inodeKind.file,
    size,
    tag,
    first: extents.add(model.extents, size, path),
    count: model.extents.length,
    mime: model.mime === undefined ? 0 : strings.add(utf8Encode(model.mime)),
    headers:
      model.headers === undefined || model.headers.length === 0
        ? 0
        : strings.add(encodeHeaders(model.headers, path)),
    meta: meta === undefined ? 0 : strings.add(meta),
    parent,
  };
}

/** Field names are HTTP tokens; values are a line of ASCII, so that no header can smuggle in another. */
function encodeHeaders(
  headers: readonly (readonly [string, string])[],
  path: string,
): Uint8Array<ArrayBuffer> {
  for (const [name, value] of headers) {
    if (!isHeader(name, value)) {
      throw new SluiceError('EINVAL', `"${name}" of "${path}" is not a response header that can be sent`, {
        path,
      });
    }
  }
  return utf8Encode(headers.map(([name, value]) => `${name}: ${value}`).join('\n'));
}

/** Collects the extents of files in a row, checked. */
class ExtentTable {
  readonly records: RecordOf<typeof extentLayout>[] = [];
  readonly #blobs: readonly BlobRecord[];
  readonly #known = new Map<readonly Extent[], number>();

  constructor(blobs: readonly BlobRecord[]) {
    this.#blobs = blobs;
  }

  /** Index of the first of `extents`. */
  add(extents: readonly Extent[], size: number, path: string): number {
    const known = this.#known.get(extents);
    const first = known ?? (extents.length === 0 ? 0 : this.records.length);
    this.#known.set(extents, first);
    let end = 0;
    for (const extent of extents) {
      const blob = this.#blobs[extent.blob];
      const problem =
        blob === undefined
          ? `there is no blob ${extent.blob}`
          : extent.fileOffset === end
            ? extentProblem(extent, blob)
            : 'it does not continue the one before';
      if (problem !== undefined)
        throw new SluiceError('EINVAL', `an extent of "${path}" cannot be: ${problem}`, { path });
      if (known === undefined) this.records.push(toExtentRecord(extent));
      end += extent.length;
    }
    if (end !== size)
      throw new SluiceError('EINVAL', `the extents of "${path}" hold ${end} of its ${size} bytes`, { path });
    return first;
  }
}

function fallbackInode(nodes: readonly NumberedNode[], fallback: string | undefined): number {
  if (fallback === undefined) return 0;
  const path = fallback.replace(/^\//, '');
  const node = nodes.find((candidate) => candidate.path === path && candidate.model?.kind === 'file');
  if (node === undefined)
    throw new SluiceError('ENOENT', `the fallback "${path}" is not among the files`, { path });
  return node.inode;
}

function encodeRecords<L extends Layout>(of: L, records: readonly RecordOf<L>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(records.length * of.size);
  const view = new DataView(bytes.buffer);
  records.forEach((record, i) => {
    writeRecord(of, view, i * of.size, record);
  });
  return bytes;
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
