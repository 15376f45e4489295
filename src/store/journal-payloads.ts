import type { BlobRecord } from '../format/blob-record.ts';
import { SluiceError } from '../format/errors.ts';
import { bytes, type Layout, layout, readRecord, u8, u32, u64, writeRecord } from '../format/layout.ts';
import { fromHex, hex } from '../format/sha256.ts';
import { utf8Decode, utf8Encode } from '../format/utf8.ts';
import type { TreeChange } from '../overlay/change.ts';

/** Payloads of the journal's records ↔ what they say. Pure; drawn in STORE.md. */

/** What the store must know of a blob: part of the image's verified record. With a `blockSize` it is a private one, of raw blocks. */
export type BlobDescription = Pick<
  BlobRecord,
  'sha256' | 'length' | 'tableLength' | 'blockCount' | 'blockSize'
>;

/** `blob` is the id that the blob's declaration got: 0, 1, 2 … within a generation. Blocks are `[first, first + count)`. */
export type JournalRecord =
  | { readonly type: 'image'; readonly sha256: string; readonly length: number }
  | ({ readonly type: 'blob'; readonly incarnation: number } & BlobDescription)
  | { readonly type: 'table'; readonly blob: number }
  | { readonly type: 'present'; readonly blob: number; readonly first: number; readonly count: number }
  | { readonly type: 'sealed'; readonly blob: number }
  | { readonly type: 'snapshot-end' }
  | { readonly type: 'pinned'; readonly sha256: string; readonly pinned: number }
  | { readonly type: 'used'; readonly image: string; readonly atMs: number }
  | { readonly type: 'session-begin' }
  | { readonly type: 'session-end' }
  | { readonly type: 'recent'; readonly blob: number; readonly first: number; readonly count: number }
  | { readonly type: 'scrubbed' }
  | { readonly type: 'done'; readonly request: string }
  | { readonly type: 'evict'; readonly sha256: string }
  | {
      readonly type: 'local-present';
      readonly blob: number;
      readonly block: number;
      readonly digest: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly type: 'local-blob';
      readonly sha256: string;
      readonly length: number;
      readonly blockSize: number;
    }
  | { readonly type: 'change'; readonly image: string; readonly change: TreeChange };

/** The fixed part of each type's payload, by the number that stands for the type. */
export const payloadLayouts = {
  1: layout('image', 36, { sha256: bytes(0, 32), length: u32(32) }),
  2: layout('blob', 48, {
    sha256: bytes(0, 32),
    length: u32(32),
    tableLength: u32(36),
    blockCount: u32(40),
    incarnation: u32(44),
  }),
  3: layout('table', 4, { blob: u32(0) }),
  4: layout('present', 12, { blob: u32(0), first: u32(4), count: u32(8) }),
  5: layout('sealed', 4, { blob: u32(0) }),
  6: layout('snapshot-end', 0, {}),
  7: layout('pinned', 33, { sha256: bytes(0, 32), pinned: u8(32) }),
  8: layout('used', 40, { image: bytes(0, 32), atMs: u64(32) }),
  9: layout('session-begin', 0, {}),
  10: layout('session-end', 0, {}),
  11: layout('recent', 12, { blob: u32(0), first: u32(4), count: u32(8) }),
  12: layout('scrubbed', 0, {}),
  13: layout('done', 32, { request: bytes(0, 32) }),
  32: layout('evict', 32, { sha256: bytes(0, 32) }),
  64: layout('create-directory', 40, { image: bytes(0, 32), inode: u32(32), parent: u32(36) }),
  65: layout('create-file', 84, {
    image: bytes(0, 32),
    inode: u32(32),
    parent: u32(36),
    blockSize: u32(40),
    size: u64(44),
    blob: bytes(52, 32),
  }),
  66: layout('link', 40, { image: bytes(0, 32), inode: u32(32), parent: u32(36) }),
  67: layout('unlink', 36, { image: bytes(0, 32), parent: u32(32) }),
  68: layout('local-present', 40, { blob: u32(0), block: u32(4), digest: bytes(8, 32) }),
  69: layout('set-meta', 36, { image: bytes(0, 32), inode: u32(32) }),
  70: layout('next-inode', 36, { image: bytes(0, 32), inode: u32(32) }),
  71: layout('local-blob', 44, { sha256: bytes(0, 32), length: u64(32), blockSize: u32(40) }),
} as const;

/** What follows the fixed part, each as `length u16` and as many bytes; `meta` is bytes, the others are UTF-8. */
export const payloadTails: Readonly<Record<string, readonly string[]>> = {
  'create-directory': ['name', 'meta'],
  'create-file': ['name', 'meta', 'mime'],
  link: ['name'],
  unlink: ['name'],
  'set-meta': ['meta'],
};

const layouts: ReadonlyMap<number, Layout> = new Map(
  Object.entries(payloadLayouts).map(([code, of]) => [Number(code), of]),
);
const codes = new Map([...layouts].map(([code, of]) => [of.name, code]));

type Value = number | string | Uint8Array<ArrayBuffer>;
type Values = Record<string, Value>;

/** Throws `EINVAL` for a digest or name that is none, `ERANGE` for a number that its field cannot hold. */
export function encodePayload(record: JournalRecord): {
  readonly type: number;
  readonly payload: Uint8Array<ArrayBuffer>;
} {
  const values = (record.type === 'change'
    ? flatten(record.image, record.change)
    : record) as unknown as Values;
  const type = codes.get(values.type as string)!;
  const of = layouts.get(type)!;
  const tails = (payloadTails[of.name] ?? []).map((key) => toBytes(values[key]!));
  const length = tails.reduce((sum, tail) => sum + 2 + tail.length, of.size);
  const payload = new Uint8Array(length);
  const view = new DataView(payload.buffer);
  const fixed: Values = {};
  for (const [key, { type: kind }] of Object.entries(of.fields)) {
    fixed[key] = kind === 'bytes' && typeof values[key] === 'string' ? fromDigest(values[key]) : values[key]!;
  }
  writeRecord(of, view, 0, fixed as never);
  let at = of.size;
  for (const tail of tails) {
    view.setUint16(at, tail.length, true);
    payload.set(tail, at + 2);
    at += 2 + tail.length;
  }
  return { type, payload };
}

/** What a payload says; undefined where no such type, or no such length of it, is known. */
export function decodePayload(type: number, payload: Uint8Array<ArrayBuffer>): JournalRecord | undefined {
  const of = layouts.get(type);
  if (of === undefined || payload.length < of.size) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const values: Values = { type: of.name };
  for (const [key, value] of Object.entries(readRecord(of, view, 0))) {
    values[key] = typeof value === 'number' || key === 'digest' ? value : hex(value);
  }
  let at = of.size;
  for (const key of payloadTails[of.name] ?? []) {
    const start = at + 2;
    if (start > payload.length) return undefined;
    at = start + view.getUint16(at, true);
    if (at > payload.length) return undefined;
    const tail = payload.slice(start, at);
    const value = key === 'meta' ? tail : utf8Decode(tail);
    if (value === undefined) return undefined;
    values[key] = value;
  }
  return at === payload.length ? gather(values) : undefined;
}

/** A change with its image, as one flat record. */
function flatten(image: string, change: TreeChange): object {
  if (change.type !== 'create') return { ...change, image };
  return { ...change, ...change.node, image, type: `create-${change.node.kind}` };
}

/** The reverse of {@link flatten}; a record that is no change stays as it is. */
function gather(values: Values): JournalRecord {
  const { type, image, inode, parent, name, meta, size, blockSize, blob, mime } = values;
  const change =
    type === 'create-directory'
      ? { type: 'create', inode, parent, name, node: { kind: 'directory', meta } }
      : type === 'create-file'
        ? { type: 'create', inode, parent, name, node: { kind: 'file', size, blockSize, blob, mime, meta } }
        : type === 'link'
          ? { type, inode, parent, name }
          : type === 'unlink'
            ? { type, parent, name }
            : type === 'set-meta'
              ? { type, inode, meta }
              : type === 'next-inode'
                ? { type, inode }
                : undefined;
  return (change === undefined ? values : { type: 'change', image, change }) as unknown as JournalRecord;
}

function toBytes(value: Value): Uint8Array<ArrayBuffer> {
  const tail = typeof value === 'string' ? utf8Encode(value) : (value as Uint8Array<ArrayBuffer>);
  if (tail.length > 0xffff)
    throw new SluiceError('EINVAL', `A record cannot hold ${tail.length} bytes of text`);
  return tail;
}

function fromDigest(text: string): Uint8Array<ArrayBuffer> {
  const digest = fromHex(text);
  if (digest === undefined) throw new SluiceError('EINVAL', `"${text}" is no digest in lower-case hex`);
  return digest;
}
