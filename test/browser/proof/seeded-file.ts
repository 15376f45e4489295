import { seededRandom } from '../../support/random.ts';

/** A file whose every byte follows from its seed, so that a page can check any range of it without having the source. */
export interface SeededFile {
  readonly path: string;
  readonly size: number;
  readonly seed: number;
  /** Lines of which codecs take away most; otherwise noise that no codec can shrink. */
  readonly text: boolean;
}

/**
 * The bytes `[start, end)` of the file. Written without anything around it, because its source text is also what the
 * page evaluates (see {@link installSeeded}).
 */
export function seededBytes(file: SeededFile, start: number, end: number): Uint8Array<ArrayBuffer> {
  const { seed, text } = file;
  const mix = (n: number): number => {
    let h = Math.imul(n ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  const bytes = new Uint8Array(end - start);
  // Text comes in lines of 32 bytes, noise in words of 4: one hash each.
  const shift = text ? 5 : 2;
  let unit = -1;
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    const at = start + i;
    if (at >>> shift !== unit) {
      unit = at >>> shift;
      hash = mix(unit);
    }
    if (!text) bytes[i] = hash >>> ((at & 3) * 8);
    else if ((at & 31) === 31) bytes[i] = 10;
    else if ((at & 31) < 8) bytes[i] = 97 + ((hash >>> ((at & 7) * 4)) & 15);
    else bytes[i] = 97 + (((hash & 63) * 7 + (at & 31) * ((hash & 63) | 1)) % 26);
  }
  return bytes;
}

/** What {@link installSeeded} puts into a page. */
export interface SeededScope {
  readonly seededBytes: typeof seededBytes;
  readonly seededRandom: typeof seededRandom;
}

/** The same functions as text, for a page to evaluate, which cannot import them. */
export const installSeeded = `globalThis.seededBytes = ${seededBytes}; globalThis.seededRandom = ${seededRandom};`;

/** All of the file. */
export function contentOf(file: SeededFile): Uint8Array<ArrayBuffer> {
  return seededBytes(file, 0, file.size);
}
