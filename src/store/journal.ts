import { crc32 } from '../format/crc32.ts';
import { SluiceError } from '../format/errors.ts';
import { bytes, layout, readRecord, u8, u32, writeRecord, zero } from '../format/layout.ts';
import { decodePayload, encodePayload, type JournalRecord } from './journal-payloads.ts';

export type { BlobDescription, JournalRecord } from './journal-payloads.ts';

/** Bytes of a journal slot ↔ records. Pure; drawn in STORE.md. */

const journalVersion = 1;

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
  const list = Array.from(records, encodePayload);
  const total = list.reduce((sum, { payload }) => sum + frameSize + payload.length, checksumSize);
  const slot = new Uint8Array(total);
  slot.set(previous.subarray(-checksumSize));
  const view = viewOf(slot);
  let at = checksumSize;
  for (const { type, payload } of list) {
    writeRecord(prefixLayout, view, at, { length: payload.length, type });
    slot.set(payload, at + prefixLayout.size);
    const end = at + prefixLayout.size + payload.length;
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
    const record = decodePayload(type, slot.subarray(start + prefixLayout.size, end));
    if (record === undefined) throw tooNew(`it has records of type ${type} with ${length} bytes`);
    if (!apply(record)) break;
    start = end + checksumSize;
  }
  return start;
}

function viewOf(slot: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
}

function tooNew(what: string): SluiceError {
  return new SluiceError('store-too-new', `The local store was written by a newer release: ${what}`);
}
