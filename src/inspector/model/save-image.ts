import { BlockTable, verifyBlock } from '../../format/block-table.ts';
import { SluiceError } from '../../format/errors.ts';
import { formatRelease } from '../../format/release.ts';
import type { Image } from '../../image/image.ts';
import type { BlockRun } from '../../protocol/messages.ts';
import { type ZipInput, zipped } from './zip-writer.ts';

/** Where an image that is complete is read from. */
export interface SavedSource {
  readBootstrap(): Promise<Uint8Array<ArrayBuffer>>;
  blockTable(blob: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The stored blocks of the run, in order. */
  readBlocks(run: BlockRun): Promise<readonly Uint8Array<ArrayBuffer>[]>;
}

/** Blocks are asked for in runs of about so many bytes: what is held at once. */
const runBytes = 2 ** 20;

/**
 * An image as a zip archive of its published files: `sluice.json`, bootstrap, blobs, each as it lies on the server. Every block is compared with its digest on the way: an archive
 * that ends is right. The same image makes the same bytes. Throws `integrity` for a block that the disk has spoiled, `EBUSY` for one that is not here.
 */
export function savedImage(
  image: Image,
  source: SavedSource,
  onProgress: (bytes: number, of: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let done = 0;
  const total = image.superblock.storedBytes;
  const count = (bytes: number): void => {
    done += bytes;
    onProgress(done, total);
  };
  return zipped(files(image, source, count, signal));
}

async function* files(
  image: Image,
  source: SavedSource,
  count: (bytes: number) => void,
  signal: AbortSignal,
): AsyncGenerator<ZipInput, void, undefined> {
  const bootstrap = await source.readBootstrap();
  const release = formatRelease({ image: image.id, bytes: bootstrap.length });
  yield { name: 'sluice.json', pieces: pieces(new TextEncoder().encode(release)) };
  yield { name: `${image.id}.bin`, pieces: pieces(bootstrap) };
  for (let blob = 0; blob < image.blobCount; blob++) {
    signal.throwIfAborted();
    yield { name: `${image.blob(blob).sha256}.bin`, pieces: blobPieces(image, blob, source, count, signal) };
  }
}

async function* blobPieces(
  image: Image,
  blob: number,
  source: SavedSource,
  count: (bytes: number) => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const record = image.blob(blob);
  const bytes = await source.blockTable(blob);
  if (!bytes)
    throw new SluiceError('EBUSY', `The block table of blob ${blob} is not here: let the image complete`);
  const table = await BlockTable.open(bytes, record);
  count(bytes.length);
  yield bytes;
  for (let first = 0; first < table.count; ) {
    signal.throwIfAborted();
    const end = runEnd(table, first);
    const blocks = await source.readBlocks({ blob, first, count: end - first });
    for (const [i, stored] of blocks.entries()) {
      if (!(await verifyBlock(table, first + i, stored)))
        throw new SluiceError(
          'integrity',
          `Block ${first + i} of blob ${blob} is not as published in the local store: scrub it, then save again`,
        );
      count(stored.length);
      yield stored;
    }
    first = end;
  }
}

function runEnd(table: BlockTable, first: number): number {
  const { start } = table.stored(first);
  let end = first + 1;
  while (end < table.count && table.stored(end).end - start <= runBytes) end += 1;
  return end;
}

async function* pieces(...all: Uint8Array<ArrayBuffer>[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield* all;
}
