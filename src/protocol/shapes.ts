import { errorStatus } from '../format/errors.ts';
import { maxBlockCount, maxBlockLength } from '../format/extent.ts';
import { maxBootstrapBytes } from '../format/release.ts';

/** What a field of an arriving message must look like. */
export type FieldCheck = (value: unknown) => boolean;

/** Fields by name. Unknown further fields are allowed: a newer sender may say more. */
export type Shape = Readonly<Record<string, FieldCheck>>;

export const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isInteger: FieldCheck = (value) => Number.isSafeInteger(value);
export const isDuration: FieldCheck = (value) => typeof value === 'number' && value >= 0;
export const isNumber: FieldCheck = (value) => typeof value === 'number';
export const isBoolean: FieldCheck = (value) => typeof value === 'boolean';
export const isText: FieldCheck = (value) => typeof value === 'string';
export const isDigest: FieldCheck = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
export const isBytes: FieldCheck = (value) => value instanceof Uint8Array;
/** How many blocks, or which one of a blob. */
export const isBlockCount: FieldCheck = (value) => isCount(value) && (value as number) <= maxBlockCount;
/** Of one decoded block, in bytes. */
export const isBlockLength: FieldCheck = (value) => isCount(value) && (value as number) <= maxBlockLength;
/** A ReleaseRecord. */
export const isRelease: FieldCheck = (value) =>
  hasShape(value, {
    image: isDigest,
    bytes: (bytes) => isCount(bytes) && (bytes as number) <= maxBootstrapBytes,
  });
/** A ServedRead. */
export const isServedRead: FieldCheck = (value) =>
  hasShape(value, {
    serial: isCount,
    path: isText,
    blob: isCount,
    first: isBlockCount,
    count: isBlockCount,
    at: isCount,
    waitedMs: isCount,
    decodedMs: isOptional(isDuration),
    failed: isOptional(isText),
    code: isOptional(isText),
  });
export const isWireError: FieldCheck = (value) =>
  hasShape(value, {
    message: isText,
    path: isOptional(isText),
    code: (code) => isText(code) && Object.hasOwn(errorStatus, code as string),
  });

export function isOneOf(...values: readonly unknown[]): FieldCheck {
  return (value) => values.includes(value);
}

export function isOptional(check: FieldCheck): FieldCheck {
  return (value) => value === undefined || check(value);
}

export function isArrayOf(check: FieldCheck): FieldCheck {
  // A copy, since `every` passes over holes, which a message may have.
  return (value) => Array.isArray(value) && Array.from(value).every(check);
}

export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const [field, check] of Object.entries(shape)) {
    if (!check((value as Record<string, unknown>)[field])) return false;
  }
  return true;
}

/** Whether `value` is a message of one of the `shapes`, chosen by its `type`. */
export function isMessageOf(shapes: Readonly<Record<string, Shape>>, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { type } = value as { type?: unknown };
  return typeof type === 'string' && Object.hasOwn(shapes, type) && hasShape(value, shapes[type]!);
}
