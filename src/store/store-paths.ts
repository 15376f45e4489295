import { SluiceError } from '../format/errors.ts';
import { hex, isSha256Hex, sha256 } from '../format/sha256.ts';
import { utf8Encode } from '../format/utf8.ts';

/** Where things lie in a store's folder; names begin with the lower-case hex SHA-256 of the published bytes. */

/** The journal's two slots. */
export const journalSlots = ['journal-a', 'journal-b'] as const;

export const imageFolder = 'images';
export const blobFolder = 'blobs';

export function imagePath(sha256: string): string {
  return `${imageFolder}/${sha256}.bin`;
}

/**
 * A blob that goes and comes again gets a file of another name: whoever was handed a part of the file before must find that it is gone, and not the
 * gaps of the new one (Firefox looks a file up by its name whenever a part of it is read). `incarnation` tells the names apart; it is 0 for a private
 * blob, which never comes again.
 */
export function blobPath(sha256: string, incarnation = 0): string {
  return `${blobFolder}/${sha256}-${incarnation}.bin`;
}

/** The SHA-256 in the path of a blob's file; undefined for another path. */
export function blobAt(path: string): string | undefined {
  return /^blobs\/([0-9a-f]{64})-\d+\.bin$/.exec(path)?.[1];
}

/** Throws `EINVAL` for what can name no file here. */
export function checkDigest(sha256: string): void {
  if (!isSha256Hex(sha256)) throw new SluiceError('EINVAL', `"${sha256}" is no SHA-256 in lower-case hex`);
}

/** Whether a file in one of the folders is the store's to remove. */
export function isOurName(name: string): boolean {
  return /^[0-9a-f]{64}(-\d+)?\.bin$/.test(name);
}

/**
 * The folder of one scope's store, for `openOpfsFolder` and `openOpfsDirectory`. A scope has a store of its own, so that the apps of one origin never
 * touch each other's.
 */
export async function storeFolder(scope: string): Promise<string> {
  const digest = hex(await sha256(utf8Encode(scope)));
  return `sluice/${digest.slice(0, 16)}`;
}
