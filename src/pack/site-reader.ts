import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobRecord } from '../format/blob-record.ts';
import { BlockTable } from '../format/block-table.ts';
import { SluiceError } from '../format/errors.ts';
import { parseRelease, type Release } from '../format/release.ts';
import { Image } from '../image/image.ts';
import { fromNodeError, nodeCode } from './node-error.ts';

/** What the release pointer of a site directory says. Throws `ENOENT`, `ENOTDIR`, `EACCES`, or as `parseRelease` does, with the path. */
export function readRelease(site: string): Release {
  const path = join(site, 'sluice.json');
  try {
    if (!statSync(site).isDirectory())
      throw new SluiceError('ENOTDIR', `${site} is not a directory`, { path: site });
    return parseRelease(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SluiceError)
      throw new SluiceError(error.code, `${path}: ${error.message}`, { path, cause: error });
    if (nodeCode(error) === 'ENOENT') {
      const what = existsSync(site)
        ? `${site} is no site: it has no sluice.json`
        : `there is no directory ${site}`;
      throw new SluiceError('ENOENT', what, { path });
    }
    throw fromNodeError(error, 'read', path);
  }
}

/** The bootstrap's bytes, verified and opened. Throws as reading and `Image.open` do, with the path. */
export async function readImage(site: string, release: Release): Promise<Image> {
  const path = join(site, `${release.image}.bin`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    throw fromNodeError(error, 'read the bootstrap', path);
  }
  try {
    if (bytes.length !== release.bytes) {
      throw new SluiceError(
        'integrity',
        `it has ${bytes.length} bytes, and sluice.json tells ${release.bytes}`,
      );
    }
    return await Image.open(bytes, { sha256: release.image });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw new SluiceError(error.code, `the bootstrap ${path}: ${error.message}`, { path, cause: error });
  }
}

/** The block table of a published blob, verified. Throws as reading and `BlockTable.open` do. */
export async function readTable(site: string, record: BlobRecord): Promise<BlockTable> {
  const file = new PublishedFile(join(site, `${record.sha256}.bin`));
  const head = file.read(0, record.tableLength);
  file.close();
  return BlockTable.open(head, record);
}

/** A published file, open for positioned reads. */
export class PublishedFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly length: number;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = openSync(path, 'r');
      this.length = fstatSync(this.#descriptor).size;
    } catch (error) {
      throw fromNodeError(error, 'read', path);
    }
  }

  /** The bytes `[start, end)`; fewer where the file ends before. */
  read(start: number, end: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(end - start);
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const count = readSync(this.#descriptor, bytes, filled, bytes.length - filled, start + filled);
        if (count === 0) break;
        filled += count;
      }
    } catch (error) {
      throw fromNodeError(error, 'read', this.#path);
    }
    return bytes.subarray(0, filled);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
