import { crc32 } from '../../format/crc32.ts';
import { SluiceError } from '../../format/errors.ts';

/** A file of an archive, whose bytes come piece by piece. */
export interface ZipInput {
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const maxU32 = 0xffffffff;
const maxU16 = 0xffff;
/** Sizes and CRC stand behind the data (bit 3), names are UTF-8 (bit 11). */
const flags = 0x0808;
/** The first day that zip knows: what is the same makes the same archive. */
const date = 0x0021;
const version = { plain: 20, zip64: 45 } as const;

/**
 * A zip archive (APPNOTE 6.3) of stored files, as a stream: nothing is kept but one line for each file. The archive may be longer than 4 GiB; each file has at
 * most 2^32 − 2 bytes, else `E2BIG`.
 */
export async function* zipped(
  files: AsyncIterable<ZipInput> | Iterable<ZipInput>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for await (const { name, pieces } of files) {
    const text = new TextEncoder().encode(name);
    const header = localHeader(text);
    yield header;
    let crc = 0;
    let length = 0;
    for await (const piece of pieces) {
      crc = crc32(piece, crc);
      length += piece.length;
      if (length >= maxU32) throw new SluiceError('E2BIG', `"${name}" is too long for a zip archive`);
      yield piece;
    }
    yield record(['u32', 0x08074b50], ['u32', crc], ['u32', length], ['u32', length]);
    directory.push(directoryHeader({ text, crc, length, offset }));
    offset += header.length + length + 16;
  }
  let size = 0;
  for (const entry of directory) {
    yield entry;
    size += entry.length;
  }
  yield archiveEnd(directory.length, size, offset);
}

function localHeader(name: Uint8Array): Uint8Array<ArrayBuffer> {
  return record(
    ['u32', 0x04034b50],
    ['u16', version.plain],
    ['u16', flags],
    ['u16', 0],
    ['u32', date * 2 ** 16],
    ['u32', 0],
    ['u32', 0],
    ['u32', 0],
    ['u16', name.length],
    ['u16', 0],
    ['bytes', name],
  );
}

interface Written {
  readonly text: Uint8Array;
  readonly crc: number;
  readonly length: number;
  readonly offset: number;
}

function directoryHeader({ text, crc, length, offset }: Written): Uint8Array<ArrayBuffer> {
  const isFar = offset >= maxU32;
  const extra = isFar ? record(['u16', 1], ['u16', 8], ['u64', offset]) : new Uint8Array(0);
  return record(
    ['u32', 0x02014b50],
    ['u16', version.zip64],
    ['u16', isFar ? version.zip64 : version.plain],
    ['u16', flags],
    ['u16', 0],
    ['u32', date * 2 ** 16],
    ['u32', crc],
    ['u32', length],
    ['u32', length],
    ['u16', text.length],
    ['u16', extra.length],
    ['u16', 0],
    ['u16', 0],
    ['u16', 0],
    ['u32', 0],
    ['u32', Math.min(offset, maxU32)],
    ['bytes', text],
    ['bytes', extra],
  );
}

/** Of `count` entries in `size` bytes from `offset` on: with the records of zip64 where the old ones have no room. */
function archiveEnd(count: number, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const isLarge = count >= maxU16 || size >= maxU32 || offset >= maxU32;
  const large: Field[] = [
    ['u32', 0x06064b50],
    ['u64', 44],
    ['u16', version.zip64],
    ['u16', version.zip64],
    ['u32', 0],
    ['u32', 0],
    ['u64', count],
    ['u64', count],
    ['u64', size],
    ['u64', offset],
    ['u32', 0x07064b50],
    ['u32', 0],
    ['u64', offset + size],
    ['u32', 1],
  ];
  return record(
    ...(isLarge ? large : []),
    ['u32', 0x06054b50],
    ['u16', 0],
    ['u16', 0],
    ['u16', Math.min(count, maxU16)],
    ['u16', Math.min(count, maxU16)],
    ['u32', Math.min(size, maxU32)],
    ['u32', Math.min(offset, maxU32)],
    ['u16', 0],
  );
}

type Field = readonly ['u16' | 'u32' | 'u64', number] | readonly ['bytes', Uint8Array];

const widths = { u16: 2, u32: 4, u64: 8 } as const;

/** Little-endian, without gaps. */
function record(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const length = fields.reduce(
    (sum, field) => sum + (field[0] === 'bytes' ? field[1].length : widths[field[0]]),
    0,
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    if (field[0] === 'bytes') {
      bytes.set(field[1], at);
      at += field[1].length;
      continue;
    }
    const [kind, value] = field;
    if (kind === 'u16') view.setUint16(at, value, true);
    else if (kind === 'u32') view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += widths[kind];
  }
  return bytes;
}
