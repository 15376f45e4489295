import type { BlobRecord } from '../format/blob-record.ts';
import type { Image } from '../image/image.ts';
import { readImage, readRelease } from './site-reader.ts';

/** What a visitor who has the older version need not fetch again. */
export interface BaseReuse {
  readonly blobs: number;
  readonly bytes: number;
}

/** The image of the site at `base`; throws as reading one does. */
export function openBase(base: string): Promise<Image> {
  return readImage(base, readRelease(base));
}

/** Counts the blobs that `base` has as well: packing is deterministic, so what did not change keeps its name. */
export function reuseOf(base: Image, blobs: readonly BlobRecord[]): BaseReuse {
  const known = new Set<string>();
  for (let i = 0; i < base.blobCount; i++) known.add(base.blob(i).sha256);
  const shared = blobs.filter((blob) => known.has(blob.sha256));
  return { blobs: shared.length, bytes: shared.reduce((sum, blob) => sum + blob.length, 0) };
}
