import { errorStatus } from '../format/errors.ts';

/** What a field of an arriving message must look like. */
export type FieldCheck = (value: unknown) => boolean;

/** Fields by name. Unknown further fields are allowed: a newer sender may say more. */
export type Shape = Readonly<Record<string, FieldCheck>>;

export const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isInteger: FieldCheck = (value) => Number.isSafeInteger(value);
export const isDuration: FieldCheck = (value) => typeof value === 'number' && value >= 0;
export const isText: FieldCheck = (value) => typeof value === 'string';
export const isDigest: FieldCheck = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
export const isBytes: FieldCheck = (value) => value instanceof Uint8Array;
export const isWireError: FieldCheck = (value) =>
  hasShape(value, {
    message: isText,
    code: (code) => isText(code) && Object.hasOwn(errorStatus, code as string),
  });

export function isOneOf(...values: readonly unknown[]): FieldCheck {
  return (value) => values.includes(value);
}

export function isOptional(check: FieldCheck): FieldCheck {
  return (value) => value === undefined || check(value);
}

export function isArrayOf(check: FieldCheck): FieldCheck {
  return (value) => Array.isArray(value) && value.every(check);
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
