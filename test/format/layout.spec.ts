import { expect, test } from '@playwright/test';
import { blobLayout } from '../../src/format/blob-record.ts';
import { blockTableEntryLayout, blockTableHeaderLayout } from '../../src/format/block-table.ts';
import { direntLayout } from '../../src/format/dirent.ts';
import { extentLayout } from '../../src/format/extent.ts';
import { inodeLayout } from '../../src/format/inode.ts';
import {
  bytes,
  type Layout,
  layout,
  readRecord,
  u8,
  u16,
  u32,
  u64,
  writeRecord,
  zero,
} from '../../src/format/layout.ts';
import { stringEntryLayout } from '../../src/format/strings.ts';
import { superblockLayout } from '../../src/format/superblock.ts';

const sizes: readonly (readonly [Layout, number])[] = [
  [superblockLayout, 128],
  [inodeLayout, 40],
  [direntLayout, 12],
  [extentLayout, 32],
  [blobLayout, 80],
  [stringEntryLayout, 8],
  [blockTableHeaderLayout, 16],
  [blockTableEntryLayout, 40],
];

/** Gaps, overlaps, fields behind the end, numbers that are not aligned. */
function problems(of: Layout): string[] {
  const found: string[] = [];
  let end = 0;
  for (const [name, field] of Object.entries(of.fields).sort(([, a], [, b]) => a.offset - b.offset)) {
    if (field.offset > end) found.push(`gap before ${name}`);
    if (field.offset < end) found.push(`${name} overlaps`);
    if (field.type.startsWith('u') && field.offset % Math.min(field.size, 4) !== 0)
      found.push(`${name} is not aligned`);
    end = field.offset + field.size;
  }
  if (end !== of.size) found.push(`${end} bytes of fields in ${of.size}`);
  return found;
}

for (const [of, size] of sizes) {
  test(`the fields of a ${of.name} fill its ${size} bytes`, () => {
    expect(of.size).toBe(size);
    expect(problems(of)).toEqual([]);
  });
}

test('the check of layouts finds what it is for', () => {
  expect(problems(layout('gap', 8, { a: u32(0), b: u16(6) }))).toEqual(['gap before b']);
  expect(problems(layout('overlap', 6, { a: u32(0), b: u32(2) }))).toEqual([
    'b overlaps',
    'b is not aligned',
  ]);
  expect(problems(layout('long', 8, { a: u64(0), b: u8(8) }))).toEqual(['9 bytes of fields in 8']);
});

const every = layout('every', 24, {
  a: u8(0),
  b: zero(1, 1),
  c: u16(2),
  d: u32(4),
  e: u64(8),
  f: bytes(16, 8),
});

test('a record is little-endian and reads back, at any place in any view', () => {
  const view = new DataView(new ArrayBuffer(100), 3, 90);
  const record = {
    a: 0xfe,
    c: 0xfedc,
    d: 0xfedcba98,
    e: Number.MAX_SAFE_INTEGER,
    f: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  };
  writeRecord(every, view, 5, record);
  expect(readRecord(every, view, 5)).toEqual(record);
  expect([...new Uint8Array(view.buffer, 8, 24)]).toEqual([
    0xfe, 0, 0xdc, 0xfe, 0x98, 0xba, 0xdc, 0xfe, 255, 255, 255, 255, 255, 255, 31, 0, 1, 2, 3, 4, 5, 6, 7, 8,
  ]);
});

test('a number that its field cannot hold is refused by name, when written and when read', () => {
  const view = new DataView(new ArrayBuffer(24));
  const good = { a: 1, c: 1, d: 1, e: 1, f: new Uint8Array(8) };
  const bad = [
    { a: 256 },
    { c: 65536 },
    { d: 2 ** 32 },
    { e: 2 ** 53 },
    { d: -1 },
    { d: 0.5 },
    { d: Number.NaN },
    { f: new Uint8Array(7) },
  ];
  for (const change of bad) {
    const write = () => writeRecord(every, view, 0, { ...good, ...change });
    expect(write).toThrow(
      expect.objectContaining({
        code: 'ERANGE',
        message: expect.stringContaining(`every.${Object.keys(change)[0]}`),
      }),
    );
  }
  view.setUint32(12, 0x00200000, true);
  expect(() => readRecord(every, view, 0)).toThrow(expect.objectContaining({ code: 'corrupt-image' }));
});
