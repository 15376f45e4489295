/**
 * What a `Range` header asks of a representation of `size` bytes (RFC 9110 14.1 and 14.2). Ranges are half-open here;
 * only this file and `contentRange` in headers.ts know HTTP's inclusive form.
 */
export type RangeAsk =
  /** No header, or one that RFC 9110 says to ignore: another unit, malformed, no meaning for an empty file. Answer 200. */
  | { readonly kind: 'none' }
  /** `0 <= start < end <= size`. Answer 206. */
  | { readonly kind: 'one'; readonly start: number; readonly end: number }
  /** More than one range, at least one satisfiable. A server may answer the whole: so do we. */
  | { readonly kind: 'several' }
  /** Well-formed, and nothing of it lies in the representation. Answer 416. */
  | { readonly kind: 'unsatisfiable' };

const none: RangeAsk = { kind: 'none' };
const unsatisfiable: RangeAsk = { kind: 'unsatisfiable' };

/**
 * Numbers may be of any length: what overflows becomes Infinity, which compares rightly. Browsers send no white space; where RFC 9110's list rule
 * allows it (around commas, with empty elements) and right after `=`, it is accepted.
 */
export function parseRange(header: string | null, size: number): RangeAsk {
  const set = /^\s*bytes=(.*)$/i.exec(header ?? '')?.[1];
  if (set === undefined) return none;
  const specs = set
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0) return none;

  const asks = specs.map((spec) => parseSpec(spec, size));
  // One malformed element makes the whole header malformed.
  if (asks.includes(undefined)) return none;
  if (asks.length === 1) return asks[0]!;
  return asks.every((ask) => ask === unsatisfiable) ? unsatisfiable : { kind: 'several' };
}

function parseSpec(spec: string, size: number): RangeAsk | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (!match || spec === '-') return undefined;
  const [, first, last] = match;
  if (first === '') {
    const suffix = Number(last);
    if (suffix === 0) return unsatisfiable;
    // Satisfiable by definition, but Content-Range cannot say "zero bytes": the whole (empty) file is the answer.
    return size === 0 ? none : { kind: 'one', start: Math.max(0, size - suffix), end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && isBelow(last!, first!)) return undefined;
  return start < size ? { kind: 'one', start, end } : unsatisfiable;
}

/** Compares digits as written, since two numbers beyond 2^53 may become equal as doubles. */
function isBelow(a: string, b: string): boolean {
  const strip = (digits: string) => digits.replace(/^0+(?=\d)/, '');
  const [x, y] = [strip(a), strip(b)];
  return x.length === y.length ? x < y : x.length < y.length;
}
