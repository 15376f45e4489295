import type { FsmapRow } from '../format/fsmap.ts';
import { type FsmapBlob, type FsmapFile, fsmap } from '../image/fsmap.ts';
import type { Image } from '../image/image.ts';
import { ReverseMap } from '../image/reverse-map.ts';
import { readImage, readRelease, readTable } from './site-reader.ts';

export interface PublishedMap {
  /** SHA-256 of the bootstrap. */
  readonly image: string;
  /** The bootstrap, then the blobs in launch order: table and blocks of each as they lie there. */
  readonly rows: AsyncGenerator<FsmapRow, void, undefined>;
}

/**
 * Whose bytes are where in a published image. Reads bootstrap and block tables, no blocks, and no table before its rows are asked for. Throws
 * SluiceError where they cannot be read or are damaged.
 */
export async function publishedMap(site: string): Promise<PublishedMap> {
  const release = readRelease(site);
  const image = await readImage(site, release);
  const map = ReverseMap.of(image);
  const bootstrap: FsmapFile = { name: `${image.id}.bin`, length: release.bytes, flags: ['metadata'] };
  const blobs = Array.from({ length: image.blobCount }, (_, i): FsmapFile => {
    const { sha256, length } = image.blob(i);
    return { name: `${sha256}.bin`, length, flags: [], blob: () => openBlob(site, image, i, map) };
  });
  return { image: image.id, rows: fsmap([bootstrap, ...blobs]) };
}

async function openBlob(site: string, image: Image, blob: number, map: ReverseMap): Promise<FsmapBlob> {
  const record = image.blob(blob);
  const table = await readTable(site, record);
  return { tableLength: record.tableLength, table, has: () => true, users: [{ map, blob }] };
}
