/** Feature bits by name, as masks. A reader ignores compat bits that it does not know and refuses unknown incompat bits. */

export const compatFeatures = {
  /** Answers carry COOP, COEP and CORP, so that the app's pages are cross-origin isolated. */
  'cross-origin-isolate': 1 << 0,
} as const;

export const incompatFeatures = {
  /** The body is stored as raw deflate (RFC 1951). */
  'deflated-body': 1 << 0,
  'zstd-blocks': 1 << 1,
  'lz4-blocks': 1 << 2,
} as const;

const knownIncompat = Object.values(incompatFeatures).reduce<number>((mask, bit) => mask | bit, 0);

/** The incompat bits that this version does not know, one word each; empty where the image can be read. */
export function unknownIncompat(incompat: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((incompat & ~knownIncompat) >>> bit) & 1) names.push(`incompat bit ${bit}`);
  }
  return names;
}
