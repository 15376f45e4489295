/** Shorter runs are copied byte by byte: to call the platform costs more. */
const shortRun = 32;
const minMatch = 4;

/**
 * One raw lz4 block; undefined where it does not decode to exactly `logicalLength` bytes. Each length is looked at before anything is copied, so that any
 * input ends within `logicalLength` bytes of work, reads nothing outside of `stored`, and never gives bytes that it does not name.
 */
export function decodeLz4(stored: Uint8Array, logicalLength: number): Uint8Array<ArrayBuffer> | undefined {
  const logical = new Uint8Array(logicalLength);
  let from = 0;
  let to = 0;
  /** A length of 15 goes on in the bytes that follow, up to the first that is not 255. */
  const longer = (length: number): number => {
    let sum = length;
    for (let byte = 255; length === 15 && byte === 255 && from < stored.length; ) {
      byte = stored[from++]!;
      sum += byte;
    }
    return sum;
  };
  while (from < stored.length) {
    const token = stored[from++]!;
    const literals = longer(token >> 4);
    if (literals > stored.length - from || literals > logicalLength - to) return undefined;
    if (literals > shortRun) logical.set(stored.subarray(from, from + literals), to);
    else for (let i = 0; i < literals; i++) logical[to + i] = stored[from + i]!;
    from += literals;
    to += literals;
    // The last sequence has no match.
    if (from === stored.length) return to === logicalLength ? logical : undefined;
    if (stored.length - from < 2) return undefined;
    const distance = stored[from]! | (stored[from + 1]! << 8);
    from += 2;
    const match = longer(token & 15) + minMatch;
    if (distance === 0 || distance > to || match > logicalLength - to) return undefined;
    if (match > shortRun && distance >= match) logical.copyWithin(to, to - distance, to - distance + match);
    else for (let i = 0; i < match; i++) logical[to + i] = logical[to + i - distance]!;
    to += match;
  }
  // It ends with a match, or is empty.
  return undefined;
}
