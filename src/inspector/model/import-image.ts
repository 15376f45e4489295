import { BlockTable, verifyBlock } from '../../format/block-table.ts';
import { SluiceError } from '../../format/errors.ts';
import { parseRelease } from '../../format/release.ts';
import type { Image } from '../../image/image.ts';
import type { ProvidedBlock } from '../../protocol/loader-api.ts';
import { ExactReader } from './exact-reader.ts';
import { ZipArchive } from './zip-archive.ts';

export interface ImportTarget {
  /** What is imported has to be of this image. */
  readonly image: Image;
  /** Whether all of a blob is here: then it is not read. */
  isHere(blob: number): boolean;
  /** Resolves when the blocks can be read. */
  provideBlocks(blocks: readonly ProvidedBlock[]): Promise<void>;
}

export interface ImportReport {
  readonly blobs: number;
  readonly blocks: number;
  readonly bytes: number;
  /** Blobs that were here before. */
  readonly skipped: number;
  /** Blobs that are not here, and not in the archive: the network has to bring them. */
  readonly missing: number;
}

/** Handed over at once: so much is held, and copied between contexts. */
const batchBytes = 2 ** 20;
const batchBlocks = 256;
/** A release pointer has 120 bytes. */
const maxRelease = 64 * 1024;

/**
 * Takes the blocks of a zip archive of a site's published files (what {@link savedImage} makes, or a site's directory packed by any tool), verifies each, and gives them to the
 * loader in batches; one blob after the other, a megabyte at a time. Throws `not-an-image` (no archive, or not of a site), `EINVAL` (of another image: says of which),
 * `integrity` (says which file is damaged); what came before was taken. What `provideBlocks` rejects with is passed on.
 */
export async function importImage(
  file: Blob,
  target: ImportTarget,
  onProgress: (bytes: number, of: number) => void,
  signal: AbortSignal,
): Promise<ImportReport> {
  const archive = await ZipArchive.open(file);
  const folder = await checkRelease(archive, target.image);
  const names = new Set(archive.names);
  const report = { blobs: 0, blocks: 0, bytes: 0, skipped: 0, missing: 0 };
  const total = target.image.superblock.storedBytes;
  let passed = 0;
  for (let blob = 0; blob < target.image.blobCount; blob++) {
    const { sha256, length } = target.image.blob(blob);
    const name = `${folder}${sha256}.bin`;
    if (target.isHere(blob)) report.skipped += 1;
    else if (!names.has(name)) report.missing += 1;
    else {
      const before = passed;
      for await (const batch of blobBatches(archive, name, target.image, blob, signal)) {
        await target.provideBlocks(batch.blocks);
        report.blocks += batch.blocks.filter(({ block }) => block >= 0).length;
        report.bytes += batch.bytes;
        passed += batch.bytes;
        onProgress(passed, total);
      }
      passed = before;
      report.blobs += 1;
    }
    passed += length;
    onProgress(passed, total);
  }
  return report;
}

/** Whether it is of this image. Answers the folder of the archive that has the files: `''`, or with a slash at its end. */
async function checkRelease(archive: ZipArchive, image: Image): Promise<string> {
  const pointers = [...archive.names].filter((name) => /(^|\/)sluice\.json$/.test(name));
  const pointer = pointers.sort((a, b) => a.length - b.length)[0];
  if (pointer === undefined)
    throw new SluiceError(
      'not-an-image',
      'This archive holds no sluice.json: it is not of a saved image, or a site',
    );
  const text = await new ExactReader(await archive.read(pointer)).take(maxRelease);
  const release = parseRelease(new TextDecoder().decode(text));
  if (release.image !== image.id)
    throw new SluiceError(
      'EINVAL',
      `This archive holds image ${release.image}; here it is ${image.id}. Choose the archive of this version, or open the version that it was saved from`,
    );
  return pointer.slice(0, -'sluice.json'.length);
}

interface Batch {
  readonly blocks: readonly ProvidedBlock[];
  readonly bytes: number;
}

/** The table of a blob, then its blocks. */
async function* blobBatches(
  archive: ZipArchive,
  name: string,
  image: Image,
  blob: number,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  const record = image.blob(blob);
  const reader = new ExactReader(await archive.read(name));
  const damaged = (what: string): SluiceError =>
    new SluiceError('integrity', `"${name}" in the archive is damaged: ${what}. Save the image again`);
  try {
    const head = await reader.take(record.tableLength);
    let table: BlockTable;
    try {
      table = await BlockTable.open(head, record);
    } catch (error) {
      throw damaged(error instanceof Error ? error.message : String(error));
    }
    let blocks: ProvidedBlock[] = [{ blob, block: -1, bytes: head }];
    let bytes = head.length;
    for (let block = 0; block < table.count; block++) {
      signal.throwIfAborted();
      const { start, end } = table.stored(block);
      const stored = await reader.take(end - start);
      if (!(await verifyBlock(table, block, stored)))
        throw damaged(`block ${block} does not match its digest`);
      blocks.push({ blob, block, bytes: stored });
      bytes += stored.length;
      if (bytes < batchBytes && blocks.length < batchBlocks) continue;
      yield { blocks, bytes };
      blocks = [];
      bytes = 0;
    }
    if (blocks.length > 0) yield { blocks, bytes };
  } catch (error) {
    // What is compressed wrongly fails in the browser's own words.
    if (error instanceof TypeError) throw damaged(error.message);
    throw error;
  } finally {
    await reader.end();
  }
}
