import { layout, type RecordOf, u8, u16, u32, zero } from './layout.ts';

export const direntLayout = layout('dirent', 12, {
  nameOffset: u32(0),
  inode: u32(4),
  nameLength: u16(8),
  kind: u8(10),
  reserved: zero(11, 1),
});

export type DirentRecord = RecordOf<typeof direntLayout>;

/** Most bytes of UTF-8 in a name. */
const maxNameLength = 255;

/**
 * What is wrong with a name, given as its bytes; undefined for a good one. A reader applies it as well as a writer: names become paths
 * on somebody's disk when an image is extracted.
 */
export function nameProblem(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'it is empty';
  if (name.length > maxNameLength) return `it has ${name.length} bytes, more than ${maxNameLength}`;
  if (name.includes(0x2f)) return 'it contains a slash';
  if (name.includes(0)) return 'it contains a NUL';
  const dots = name.length <= 2 && name.every((byte) => byte === 0x2e);
  return dots ? 'it is reserved for the directory itself or its parent' : undefined;
}
