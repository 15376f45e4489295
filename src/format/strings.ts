import { SluiceError } from './errors.ts';
import { layout, u32, writeRecord } from './layout.ts';

/** One entry of the string section's index. Offsets count from the start of the section. */
export const stringEntryLayout = layout('string', 8, { offset: u32(0), length: u32(4) });

/** Collects byte strings, each kept once, and gives out ids from 1 in order of first appearance. 0 means none. */
export class StringTable {
  readonly #ids = new Map<string, number>();
  readonly #strings: Uint8Array[] = [];

  get count(): number {
    return this.#strings.length;
  }

  /** The id of the string; the same for the same bytes. */
  add(bytes: Uint8Array): number {
    // Latin-1 makes any bytes a key, one character a byte.
    const key = bytes.reduce((text, byte) => text + String.fromCharCode(byte), '');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#strings.push(bytes);
    this.#ids.set(key, id);
    return id;
  }

  /** The section: the index, then the bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    const indexLength = this.#strings.length * stringEntryLayout.size;
    const length = this.#strings.reduce((sum, string) => sum + string.length, indexLength);
    if (length >= 2 ** 32) throw new SluiceError('E2BIG', 'MIME types, headers and meta exceed 4 GiB');
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    let offset = indexLength;
    this.#strings.forEach((string, i) => {
      writeRecord(stringEntryLayout, view, i * stringEntryLayout.size, { offset, length: string.length });
      bytes.set(string, offset);
      offset += string.length;
    });
    return bytes;
  }
}
