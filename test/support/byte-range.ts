/** `[start, end)` of a file, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a `Range` header asks of a file of `size` bytes, as RFC 9110 14.2 says: a range (clamped), 'unsatisfiable'
 * (416), or 'ignore' (no header, another unit, malformed, or several ranges, which this server answers with 200).
 * Written apart from the product's own range code on purpose: the two check each other.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | 'ignore' {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '');
  if (!match) return 'ignore';
  const first = match[1] === '' ? undefined : Number(match[1]);
  const last = match[2] === '' ? undefined : Number(match[2]);
  if (first === undefined) {
    if (last === undefined) return 'ignore';
    return last === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - last), end: size };
  }
  if (last !== undefined && last < first) return 'ignore';
  if (first >= size) return 'unsatisfiable';
  return { start: first, end: last === undefined ? size : Math.min(last + 1, size) };
}
