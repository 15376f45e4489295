import { crc32 } from './crc32.ts';
import { SluiceError } from './errors.ts';
import { unknownIncompat } from './features.ts';
import {
  layout,
  type RecordOf,
  bytes as rawBytes,
  readRecord,
  u32,
  u64,
  writeRecord,
  zero,
} from './layout.ts';

export const superblockLayout = layout('superblock', 128, {
  magic: rawBytes(0, 8),
  version: u32(8),
  superblockSize: u32(12),
  compat: u32(16),
  incompat: u32(20),
  bodyStoredLength: u32(24),
  bodyLength: u32(28),
  fallbackInode: u32(32),
  reserved0: zero(36, 4),
  logicalBytes: u64(40),
  storedBytes: u64(48),
  inodeOffset: u32(56),
  inodeCount: u32(60),
  direntOffset: u32(64),
  direntCount: u32(68),
  extentOffset: u32(72),
  extentCount: u32(76),
  blobOffset: u32(80),
  blobCount: u32(84),
  stringOffset: u32(88),
  stringCount: u32(92),
  nameOffset: u32(96),
  nameLength: u32(100),
  launchBlob: u32(104),
  launchBlock: u32(108),
  launchBytes: u64(112),
  reserved1: zero(120, 4),
  checksum: u32(124),
});

const magic = Uint8Array.of(0x89, 0x53, 0x4c, 0x55, 0x49, 0x43, 0x45, 0x0a);
const formatVersion = 1;
const checksumOffset = superblockLayout.fields.checksum.offset;

/** What the superblock says; fields in bytes, counts or inode numbers as drawn in FORMAT.md. */
export type Superblock = Omit<
  RecordOf<typeof superblockLayout>,
  'magic' | 'version' | 'superblockSize' | 'checksum'
>;

/** The superblock's 128 bytes, checksum included. Throws `ERANGE` where a value does not fit its field. */
export function encodeSuperblock(superblock: Superblock): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(superblockLayout.size);
  const view = new DataView(bytes.buffer);
  const fixed = { magic, version: formatVersion, superblockSize: superblockLayout.size, checksum: 0 };
  writeRecord(superblockLayout, view, 0, { ...superblock, ...fixed });
  view.setUint32(checksumOffset, crc32(bytes.subarray(0, checksumOffset)), true);
  return bytes;
}

/**
 * Reads the superblock at the head of `bytes`, which may be any bytes at all. Looks at no byte after the first 128.
 *
 * The order of the checks tells the kinds of wrong apart: magic (`not-an-image`), checksum (`corrupt-image`), then version and
 * incompat bits (`unsupported-image`): magic and checksum keep their place in every version of the format.
 */
export function decodeSuperblock(bytes: Uint8Array<ArrayBuffer>): Superblock {
  if (bytes.length < magic.length || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new SluiceError('not-an-image', 'the bytes do not begin as a sluice image does');
  }
  if (bytes.length < superblockLayout.size) {
    throw new SluiceError(
      'corrupt-image',
      `the image ends after ${bytes.length} bytes, within its superblock`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, superblockLayout.size);
  if (view.getUint32(checksumOffset, true) !== crc32(bytes.subarray(0, checksumOffset))) {
    throw new SluiceError('corrupt-image', 'the checksum of the superblock is wrong');
  }
  const version = view.getUint32(superblockLayout.fields.version.offset, true);
  if (version !== formatVersion) {
    throw new SluiceError(
      'unsupported-image',
      `the image has version ${version}; this reader knows version ${formatVersion}`,
    );
  }
  const record = readRecord(superblockLayout, view, 0);
  if (record.superblockSize !== superblockLayout.size) {
    throw new SluiceError(
      'corrupt-image',
      `a superblock of ${record.superblockSize} bytes is not of version 1`,
    );
  }
  const unknown = unknownIncompat(record.incompat);
  if (unknown.length > 0) {
    throw new SluiceError(
      'unsupported-image',
      `the image needs features that this reader lacks: ${unknown.join(', ')}`,
    );
  }
  return record;
}
