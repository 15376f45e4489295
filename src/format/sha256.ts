/** SHA-256 of the bytes: 32 bytes. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

const digits = new TextEncoder().encode('0123456789abcdef');
/** By character code; -1 for what is no digit. */
const values = new Int8Array(128).fill(-1);
digits.forEach((code, value) => {
  values[code] = value;
});
const ascii = new TextDecoder();

/** Lower-case hex, two digits a byte. */
export function hex(bytes: Uint8Array): string {
  const codes = new Uint8Array(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = digits[bytes[i]! >> 4]!;
    codes[2 * i + 1] = digits[bytes[i]! & 15]!;
  }
  // One flat text: a journal and a mount have thousands of names, and pieces put together cost more than everything else about them.
  return ascii.decode(codes);
}

/** The bytes of lower-case hex; undefined where `text` is anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(text.length >> 1);
  let wrong = text.length % 2;
  for (let i = 0; i < text.length; i++) {
    const digit = values[text.charCodeAt(i)] ?? -1;
    wrong |= digit & 16; // -1 has that bit, no digit does.
    bytes[i >> 1] = (bytes[i >> 1]! << 4) | digit;
  }
  return wrong === 0 ? bytes : undefined;
}

/** Whether `text` is a SHA-256 as it is written in file names and `sluice.json`. */
export function isSha256Hex(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
