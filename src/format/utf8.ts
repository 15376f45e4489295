const encoder = new TextEncoder();
/** `ignoreBOM` keeps a leading U+FEFF, which a file name may well begin with. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** The text of well-formed UTF-8; undefined for anything else. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    // The decoder has one reason to throw: the bytes are not UTF-8. The caller says whose fault that is.
    return undefined;
  }
}

/** Orders byte strings as memcmp does: negative, 0 or positive. Names in an image are ordered so, not as UTF-16. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
