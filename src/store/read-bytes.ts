import { isCode } from '../format/errors.ts';
import type { FilePool } from './file-pool.ts';

/**
 * The bytes `[offset, offset + length)` of a file. Undefined: the file is missing or too short, or its bytes are not true any more. `isTrue`
 * is asked when the file is at hand: while it was being opened, what it holds may have been evicted, and the file begun anew.
 */
export async function readBytes(
  files: FilePool,
  path: string,
  offset: number,
  length: number,
  isTrue: () => boolean,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await files.read(path, (file) => {
      if (!isTrue()) return undefined;
      const bytes = new Uint8Array(length);
      return file.read(bytes, offset) === length ? bytes : undefined;
    });
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
