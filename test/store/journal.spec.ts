import { expect, test } from '@playwright/test';
import { crc32 } from '../../src/format/crc32.ts';
import type { TreeChange } from '../../src/overlay/change.ts';
import {
  decodeGeneration,
  encodeHeader,
  encodeRecords,
  headerLayout,
  type JournalRecord,
  replay,
} from '../../src/store/journal.ts';
import {
  decodePayload,
  encodePayload,
  payloadLayouts,
  payloadTails,
} from '../../src/store/journal-payloads.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const digest = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);

const everyRecord: readonly JournalRecord[] = [
  { type: 'image', sha256: digest(0xa1), length: 0x1234 },
  {
    type: 'blob',
    sha256: digest(0xb2),
    length: 8_388_608,
    tableLength: 96,
    blockCount: 2,
    incarnation: 0x01020304,
  },
  { type: 'table', blob: 0 },
  { type: 'present', blob: 0, first: 1, count: 1 },
  { type: 'sealed', blob: 0 },
  { type: 'snapshot-end' },
];

const change = (change: TreeChange): JournalRecord => ({ type: 'change', image: digest(0xa1), change });
const none = new Uint8Array(0);

/** The records of sessions, evictions and files made at run time. */
const laterRecords: readonly JournalRecord[] = [
  { type: 'pinned', sha256: digest(0xb2), pinned: 1 },
  { type: 'used', image: digest(0xa1), atMs: 1_800_000_000_000 },
  { type: 'session-begin' },
  { type: 'recent', blob: 0, first: 1, count: 2 },
  { type: 'scrubbed' },
  { type: 'session-end' },
  { type: 'evict', sha256: digest(0xb2) },
  change({
    type: 'create',
    inode: 10,
    parent: 0,
    name: 'größe',
    node: { kind: 'directory', meta: Uint8Array.of(1, 2) },
  }),
  { type: 'local-blob', sha256: digest(0xc3), length: 5 * 2 ** 30 + 1, blockSize: 65536 },
  change({
    type: 'create',
    inode: 11,
    parent: 10,
    name: '\u{1f600}',
    node: {
      kind: 'file',
      size: 5 * 2 ** 30 + 1,
      blockSize: 65536,
      blob: digest(0xc3),
      mime: 'text/plain',
      meta: none,
    },
  }),
  change({ type: 'link', inode: 3, parent: 10, name: 'x' }),
  change({ type: 'unlink', parent: 0, name: 'y' }),
  { type: 'local-present', blob: 0, block: 81920, digest: new Uint8Array(32).fill(0xd4) },
  change({ type: 'set-meta', inode: 3, meta: Uint8Array.of(0xff) }),
  change({ type: 'next-inode', inode: 12 }),
  { type: 'done', request: digest(0xe5) },
];

function concat(...parts: readonly Uint8Array[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function slotOf(records: readonly JournalRecord[], generation = 1): Bytes {
  const header = encodeHeader(generation);
  return concat(header, encodeRecords(records, header));
}

/** A record as a later release might write it: `type` and payload free, the checksum right. */
function recordOf(type: number, payload: Bytes, previous: Uint8Array): Bytes {
  const record = new Uint8Array(9 + payload.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, payload.length, true);
  record[4] = type;
  record.set(payload, 5);
  const covered = concat(previous.subarray(-4), record.subarray(0, -4));
  view.setUint32(record.length - 4, crc32(covered), true);
  return record;
}

function collect(slot: Bytes): { records: JournalRecord[]; end: number } {
  const records: JournalRecord[] = [];
  const end = replay(slot, headerLayout.size, (record) => {
    records.push(record);
    return true;
  });
  return { records, end };
}

test('the layouts have neither gaps nor overlaps', () => {
  for (const layout of [headerLayout, ...Object.values(payloadLayouts)]) {
    const fields = Object.values(layout.fields as Record<string, { offset: number; size: number }>);
    let end = 0;
    for (const { offset, size } of fields.toSorted((a, b) => a.offset - b.offset)) {
      expect(offset, layout.name).toBe(end);
      end = offset + size;
    }
    expect(end, layout.name).toBe(layout.size);
  }
});

test('every record comes back as it was', () => {
  const slot = slotOf(everyRecord, 7);
  expect(decodeGeneration(slot)).toBe(7);
  expect(collect(slot)).toEqual({ records: everyRecord, end: slot.length });
});

test('appended in parts, the bytes are the same', () => {
  const header = encodeHeader(1);
  let slot = concat(header);
  for (const record of everyRecord) slot = concat(slot, encodeRecords([record], slot));
  expect([...slot]).toEqual([...slotOf(everyRecord)]);
});

test('a view into a larger buffer is replayed as that view only', () => {
  const slot = slotOf(everyRecord);
  const around = concat(new Uint8Array(13), slot, new Uint8Array(13));
  const view = around.subarray(13, 13 + slot.length);
  expect(decodeGeneration(view)).toBe(1);
  expect(collect(view).records).toEqual(everyRecord);
});

test('a journal that is cut anywhere ends calmly at the last whole record', () => {
  const slot = slotOf(everyRecord);
  const ends = [headerLayout.size];
  for (let count = 1; count <= everyRecord.length; count++)
    ends.push(slotOf(everyRecord.slice(0, count)).length);
  for (let length = headerLayout.size; length <= slot.length; length++) {
    const { records, end } = collect(slot.slice(0, length));
    const whole = ends.filter((each) => each <= length).length - 1;
    expect(end).toBe(ends[whole]);
    expect(records).toEqual(everyRecord.slice(0, whole));
  }
});

test('any flipped bit ends the replay before its record, or spoils the header', () => {
  const slot = slotOf(everyRecord);
  const ends = [headerLayout.size];
  for (let count = 1; count <= everyRecord.length; count++)
    ends.push(slotOf(everyRecord.slice(0, count)).length);
  const wrong: number[] = [];
  for (let bit = 0; bit < slot.length * 8; bit++) {
    const flipped = slot.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    if (bit < headerLayout.size * 8) {
      if (decodeGeneration(flipped) !== undefined) wrong.push(bit);
      continue;
    }
    const damaged = ends.findIndex((end) => bit < end * 8) - 1;
    if (JSON.stringify(collect(flipped).records) !== JSON.stringify(everyRecord.slice(0, damaged)))
      wrong.push(bit);
  }
  expect(wrong).toEqual([]);
});

test('records left over from another generation, or behind another record, do not fit', () => {
  const present = (first: number): JournalRecord => ({ type: 'present', blob: 0, first, count: 1 });
  const old = slotOf([...everyRecord, present(2), present(3)], 1);
  const shorter = slotOf([...everyRecord, present(4)], 1);
  const younger = slotOf(everyRecord, 2);
  for (const fresh of [shorter, younger]) {
    const slot = old.slice();
    slot.set(fresh);
    expect(collect(slot).end).toBe(fresh.length);
  }
});

test('what cannot be true ends the replay', () => {
  const slot = slotOf(everyRecord);
  const seen: string[] = [];
  const end = replay(slot, headerLayout.size, ({ type }) => {
    seen.push(type);
    return type !== 'table';
  });
  expect(seen).toEqual(['image', 'blob', 'table']);
  expect(end).toBe(slotOf(everyRecord.slice(0, 2)).length);
});

test('bytes that are not ours are no journal', () => {
  expect(decodeGeneration(new Uint8Array(0))).toBeUndefined();
  expect(decodeGeneration(new Uint8Array(1000))).toBeUndefined();
  expect(decodeGeneration(encodeHeader(1).subarray(0, 31))).toBeUndefined();
});

test('a later version, an unknown type and an unknown length of a known type are store-too-new', () => {
  const later = encodeHeader(1);
  const view = new DataView(later.buffer);
  view.setUint32(8, 2, true);
  view.setUint32(28, crc32(later.subarray(0, 28)), true);
  const tooNew = expect.objectContaining({ code: 'store-too-new' });
  const thrownBy = (action: () => unknown): unknown => {
    try {
      return action();
    } catch (error) {
      return error;
    }
  };
  expect(thrownBy(() => decodeGeneration(later))).toEqual(tooNew);
  const slot = slotOf(everyRecord);
  for (const record of [recordOf(33, new Uint8Array(3), slot), recordOf(3, new Uint8Array(8), slot)]) {
    expect(thrownBy(() => collect(concat(slot, record)))).toEqual(tooNew);
    // With a wrong checksum it is nobody's word, and ends the journal.
    record[5]! ^= 1;
    expect(collect(concat(slot, record)).end).toBe(slot.length);
  }
});

test('golden: the bytes of a journal', () => {
  // Made from STORE.md by another program, in another language.
  const hex = [...slotOf(everyRecord, 3)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(hex).toBe(
    [
      '89534c4a4e4c310a01000000030000000000000000000000000000006e67ea5f', // header: generation 3
      '2400000001a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1341200004532d559', // image
      '3000000002b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b200008000600000000200000004030201128c94fd', // blob
      '04000000030000000051d9d228', // table
      '0c0000000400000000010000000100000060c5e7fc', // present
      '0400000005000000009337f258', // sealed
      '00000000066e344660', // snapshot-end
    ].join(''),
  );
});

test('golden: the bytes of the records of sessions, evictions and files made at run time', () => {
  // Made from STORE.md by another program, in another language.
  const slot = slotOf(laterRecords, 3);
  const hex = [...slot].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(hex).toBe(
    [
      '89534c4a4e4c310a01000000030000000000000000000000000000006e67ea5f', // header: generation 3
      '2100000007b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2019018fb8d', // pinned
      '2800000008a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a100505c18a3010000def8088d', // used
      '00000000093f705ffe', // session-begin
      '0c0000000b000000000100000002000000e2187669', // recent
      '000000000cf56062f4', // scrubbed
      '000000000a1ddd7c98', // session-end
      '2000000020b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2531380d2', // evict
      '3500000040a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a10a0000000000000007006772c3b6c39f6502000102acc93c9a', // create-directory
      '2c00000047c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c301000040010000000000010026333145', // local-blob
      '6800000041a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a10b0000000a000000000001000100004001000000c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c30400f09f988000000a00746578742f706c61696e31ea1f23', // create-file
      '2b00000042a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1030000000a0000000100789afe122a', // link
      '2700000043a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1000000000100791e014d10', // unlink
      '28000000440000000000400100d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d479beb956', // local-present
      '2700000045a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1030000000100fff7f683ee', // set-meta
      '2400000046a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a10c000000cdad81f9', // next-inode
      '200000000de5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e569f66e8f', // done
    ].join(''),
  );
  expect(collect(slot)).toEqual({ records: laterRecords, end: slot.length });
});

test('both goldens together hold every type of record', () => {
  const types = [...everyRecord, ...laterRecords].map((record) => encodePayload(record).type);
  expect(new Set(types)).toEqual(new Set(Object.keys(payloadLayouts).map(Number)));
  const names = Object.values(payloadLayouts).map(({ name }) => name as string);
  expect(names).toEqual(expect.arrayContaining(Object.keys(payloadTails)));
});

test('a payload of any other length, or whose text is not UTF-8, is not known', () => {
  for (const record of [...everyRecord, ...laterRecords]) {
    const { type, payload } = encodePayload(record);
    expect(decodePayload(type, payload)).toEqual(record);
    for (let length = 0; length < payload.length; length++) {
      expect(decodePayload(type, payload.slice(0, length)), record.type).toBeUndefined();
    }
    expect(decodePayload(type, concat(payload, Uint8Array.of(0)))).toBeUndefined();
  }
  const { type, payload } = encodePayload(change({ type: 'unlink', parent: 0, name: 'y' }));
  payload[payload.length - 1] = 0xff;
  expect(decodePayload(type, payload)).toBeUndefined();
});
