import { SluiceError } from '../format/errors.ts';
import { hex, isSha256Hex, sha256 } from '../format/sha256.ts';
import { utf8Encode } from '../format/utf8.ts';

/** Where things lie in a store's folder; names are lower-case hex SHA-256 of the published bytes. */

/** The journal's two slots. */
export const journalSlots = ['journal-a', 'journal-b'] as const;

export const imageFolder = 'images';
export const blobFolder = 'blobs';

export function imagePath(sha256: string): string {
  return `${imageFolder}/${sha256}.bin`;
}

export function blobPath(sha256: string): string {
  return `${blobFolder}/${sha256}.bin`;
}

/** Throws `EINVAL` for what can name no file here. */
export function checkDigest(sha256: string): void {
  if (!isSha256Hex(sha256)) throw new SluiceError('EINVAL', `"${sha256}" is no SHA-256 in lower-case hex`);
}

/** The digest in a file's name, or undefined where the name is none of ours. */
export function digestOfName(name: string): string | undefined {
  return /^([0-9a-f]{64})\.bin$/.exec(name)?.[1];
}

/**
 * The folder of one scope's store, for `openOpfsFolder` and `openOpfsDirectory`. A scope has a store of its own, so that the apps of one origin never
 * touch each other's.
 */
export async function storeFolder(scope: string): Promise<string> {
  const digest = hex(await sha256(utf8Encode(scope)));
  return `sluice/${digest.slice(0, 16)}`;
}
