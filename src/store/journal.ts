import type { BlobRecord } from '../format/blob-record.ts';
import { crc32 } from '../format/crc32.ts';
import { SluiceError } from '../format/errors.ts';
import { bytes, type Layout, layout, readRecord, u8, u32, writeRecord, zero } from '../format/layout.ts';
import { fromHex, hex } from '../format/sha256.ts';

/** Bytes of a journal slot ↔ records. Pure; drawn in STORE.md. */

/** What the store must know of a blob: part of the image's verified record. */
export type BlobDescription = Pick<BlobRecord, 'sha256' | 'length' | 'tableLength' | 'blockCount'>;

/** `blob` is the id that the blob's declaration got: 0, 1, 2 … within a generation. Blocks are `[first, first + count)`. */
export type JournalRecord =
  | { readonly type: 'image'; readonly sha256: string; readonly length: number }
  | ({ readonly type: 'blob' } & BlobDescription)
  | { readonly type: 'table'; readonly blob: number }
  | { readonly type: 'present'; readonly blob: number; readonly first: number; readonly count: number }
  | { readonly type: 'sealed'; readonly blob: number }
  | { readonly type: 'snapshot-end' };

export const journalVersion = 1;

/** Every header and record ends with its checksum; the next record's checksum covers it. */
export const checksumSize = 4;

const magic = [0x89, 0x53, 0x4c, 0x4a, 0x4e, 0x4c, 0x31, 0x0a];

export const headerLayout = layout('journal header', 32, {
  magic: bytes(0, 8),
  version: u32(8),
  generation: u32(12),
  reserved: zero(16, 12),
  checksum: u32(28),
});

const prefixLayout = layout('journal record', 5, { length: u32(0), type: u8(4) });
const frameSize = prefixLayout.size + checksumSize;

/** The payload of each type of record, by the number that stands for the type. */
export const payloadLayouts = {
  1: layout('image', 36, { sha256: bytes(0, 32), length: u32(32) }),
  2: layout('blob', 44, { sha256: bytes(0, 32), length: u32(32), tableLength: u32(36), blockCount: u32(40) }),
  3: layout('table', 4, { blob: u32(0) }),
  4: layout('present', 12, { blob: u32(0), first: u32(4), count: u32(8) }),
  5: layout('sealed', 4, { blob: u32(0) }),
  6: layout('snapshot-end', 0, {}),
} as const;

const layouts: ReadonlyMap<number, Layout> = new Map(
  Object.entries(payloadLayouts).map(([code, of]) => [Number(code), of]),
);
const codes = new Map([...layouts].map(([code, of]) => [of.name, code]));

export function encodeHeader(generation: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(headerLayout.size);
  const values = { magic: Uint8Array.from(magic), version: journalVersion, generation, checksum: 0 };
  writeRecord(headerLayout, viewOf(header), 0, values);
  const checksum = crc32(header.subarray(0, -checksumSize));
  writeRecord(headerLayout, viewOf(header), 0, { ...values, checksum });
  return header;
}

/**
 * The generation of a slot, or undefined where the bytes are no whole header of ours (empty, torn, damaged).
 * Throws `store-too-new` for a header that a later version wrote: its slot must be left alone.
 */
export function decodeGeneration(slot: Uint8Array<ArrayBuffer>): number | undefined {
  if (slot.length < headerLayout.size) return undefined;
  const header = readRecord(headerLayout, viewOf(slot), 0);
  if (magic.some((byte, i) => header.magic[i] !== byte)) return undefined;
  if (header.checksum !== crc32(slot.subarray(0, headerLayout.size - checksumSize))) return undefined;
  if (header.version > journalVersion) {
    throw tooNew(`it has version ${header.version}, known is ${journalVersion}`);
  }
  return header.version === journalVersion ? header.generation : undefined;
}

/**
 * The bytes of `records`, to be written right behind `previous`, of which the last {@link checksumSize} bytes are the
 * checksum that the chain goes on from.
 */
export function encodeRecords(
  records: Iterable<JournalRecord>,
  previous: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const list = [...records];
  const total = list.reduce((sum, record) => sum + frameSize + layoutOf(record).size, checksumSize);
  const slot = new Uint8Array(total);
  slot.set(previous.subarray(-checksumSize));
  const view = viewOf(slot);
  let at = checksumSize;
  for (const record of list) {
    const payload = layoutOf(record);
    writeRecord(prefixLayout, view, at, { length: payload.size, type: codes.get(payload.name)! });
    const values = 'sha256' in record ? { ...record, sha256: digestOf(record.sha256) } : record;
    writeRecord(payload, view, at + prefixLayout.size, values as never);
    const end = at + prefixLayout.size + payload.size;
    view.setUint32(end, crc32(slot.subarray(at - checksumSize, end)), true);
    at = end + checksumSize;
  }
  return slot.subarray(checksumSize);
}

/**
 * Hands the records of `slot` from byte `at` on to `apply`, in order, and returns where they end: at the end of the bytes,
 * at the first record that is cut or whose checksum is wrong, or at the one that `apply` answers with false (it cannot
 * be true). That end is calm, not an error. `at` is at least {@link checksumSize}: the checksum before it is read.
 * Throws `store-too-new` for a whole record of an unknown kind. Allocates nothing by a length that it read.
 */
export function replay(
  slot: Uint8Array<ArrayBuffer>,
  at: number,
  apply: (record: JournalRecord) => boolean,
): number {
  const view = viewOf(slot);
  let start = at;
  while (slot.length - start >= frameSize) {
    const { length, type } = readRecord(prefixLayout, view, start);
    if (length > slot.length - start - frameSize) break;
    const end = start + prefixLayout.size + length;
    if (view.getUint32(end, true) !== crc32(slot.subarray(start - checksumSize, end))) break;
    const payload = layouts.get(type);
    if (payload === undefined || length !== payload.size) {
      throw tooNew(`it has records of type ${type} with ${length} bytes`);
    }
    const values = readRecord(payload, view, start + prefixLayout.size);
    const sha256 = values.sha256 instanceof Uint8Array ? { sha256: hex(values.sha256) } : {};
    if (!apply({ type: payload.name, ...values, ...sha256 } as JournalRecord)) break;
    start = end + checksumSize;
  }
  return start;
}

function layoutOf(record: JournalRecord): Layout {
  return layouts.get(codes.get(record.type)!)!;
}

function digestOf(text: string): Uint8Array<ArrayBuffer> {
  const digest = fromHex(text);
  if (digest === undefined) throw new SluiceError('EINVAL', `"${text}" is no digest in lower-case hex`);
  return digest;
}

function viewOf(slot: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
}

function tooNew(what: string): SluiceError {
  return new SluiceError('store-too-new', `The local store was written by a newer release: ${what}`);
}
