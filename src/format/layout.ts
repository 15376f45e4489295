import { SluiceError } from './errors.ts';

/**
 * Fixed-size records as data: one table of fields serves reading, writing, and the test that finds gaps, overlaps
 * and wrong sizes. Everything is little-endian and unsigned.
 */

/** `zero` is reserved space: written as zeros, not read. A `u64` is a safe integer: larger values are refused. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'bytes' | 'zero';

export interface Field<T extends FieldType = FieldType> {
  readonly type: T;
  /** Bytes from the start of the record. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

export interface Layout<F extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>> {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly fields: F;
}

type ValueOf<T extends FieldType> = T extends 'bytes' ? Uint8Array<ArrayBuffer> : number;

/** The record that a layout describes, its reserved fields left out. */
export type RecordOf<L extends Layout> = {
  readonly [K in keyof L['fields'] as L['fields'][K]['type'] extends 'zero' ? never : K]: ValueOf<
    L['fields'][K]['type']
  >;
};

export function layout<const F extends Readonly<Record<string, Field>>>(
  name: string,
  size: number,
  fields: F,
): Layout<F> {
  return { name, size, fields };
}

export const u8 = (offset: number): Field<'u8'> => ({ type: 'u8', offset, size: 1 });
export const u16 = (offset: number): Field<'u16'> => ({ type: 'u16', offset, size: 2 });
export const u32 = (offset: number): Field<'u32'> => ({ type: 'u32', offset, size: 4 });
export const u64 = (offset: number): Field<'u64'> => ({ type: 'u64', offset, size: 8 });
export const bytes = (offset: number, size: number): Field<'bytes'> => ({ type: 'bytes', offset, size });
export const zero = (offset: number, size: number): Field<'zero'> => ({ type: 'zero', offset, size });

/**
 * Reads the record at byte `at` of `view`, which must hold all of it. `bytes` fields are copies.
 * Throws `corrupt-image` for a `u64` that is not a safe integer.
 */
export function readRecord<L extends Layout>(of: L, view: DataView<ArrayBuffer>, at: number): RecordOf<L> {
  const record: Record<string, number | Uint8Array<ArrayBuffer>> = {};
  for (const key in of.fields) {
    const field = of.fields[key]!;
    const position = at + field.offset;
    switch (field.type) {
      case 'u8':
        record[key] = view.getUint8(position);
        break;
      case 'u16':
        record[key] = view.getUint16(position, true);
        break;
      case 'u32':
        record[key] = view.getUint32(position, true);
        break;
      case 'u64':
        record[key] = readU64(view, position, `${of.name}.${key}`);
        break;
      case 'bytes':
        record[key] = new Uint8Array(view.buffer, view.byteOffset + position, field.size).slice();
        break;
      case 'zero':
        break;
    }
  }
  return record as RecordOf<L>;
}

/**
 * Writes `record` at byte `at` of `view`, which must be zero there. Throws `ERANGE` for a number that its field
 * cannot hold, naming the field.
 */
export function writeRecord<L extends Layout>(
  of: L,
  view: DataView<ArrayBuffer>,
  at: number,
  record: RecordOf<L>,
): void {
  const values = record as Readonly<Record<string, number | Uint8Array>>;
  for (const key in of.fields) {
    const field = of.fields[key]!;
    if (field.type === 'zero') continue;
    const value = values[key];
    const position = at + field.offset;
    if (field.type === 'bytes') {
      if (!(value instanceof Uint8Array) || value.length !== field.size)
        throw outOfRange(of, key, field, value);
      new Uint8Array(view.buffer, view.byteOffset + position, field.size).set(value);
      continue;
    }
    if (
      typeof value !== 'number' ||
      !Number.isSafeInteger(value) ||
      value < 0 ||
      value >= 256 ** field.size
    ) {
      throw outOfRange(of, key, field, value);
    }
    switch (field.type) {
      case 'u8':
        view.setUint8(position, value);
        break;
      case 'u16':
        view.setUint16(position, value, true);
        break;
      case 'u32':
        view.setUint32(position, value, true);
        break;
      case 'u64':
        view.setUint32(position, value % 2 ** 32, true);
        view.setUint32(position + 4, Math.floor(value / 2 ** 32), true);
        break;
    }
  }
}

function readU64(view: DataView, at: number, what: string): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw new SluiceError('corrupt-image', `${what} is larger than 2^53`);
  return value;
}

function outOfRange(of: Layout, key: string, field: Field, value: unknown): SluiceError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return new SluiceError(
    'ERANGE',
    `${of.name}.${key} cannot hold ${shown}: it is ${field.type}, ${field.size} bytes`,
  );
}
