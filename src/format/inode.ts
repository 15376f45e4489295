import { bytes, layout, type RecordOf, u8, u16, u32, u64, zero } from './layout.ts';

export const inodeLayout = layout('inode', 40, {
  size: u64(0),
  tag: bytes(8, 8),
  first: u32(16),
  count: u32(20),
  kind: u8(24),
  reserved: zero(25, 1),
  mime: u16(26),
  headers: u32(28),
  meta: u32(32),
  parent: u32(36),
});

export type InodeRecord = RecordOf<typeof inodeLayout>;

export const inodeKind = { file: 0, directory: 1 } as const;

/** Most bytes of the app's own metadata that a file can carry. */
export const maxMetaLength = 512;
