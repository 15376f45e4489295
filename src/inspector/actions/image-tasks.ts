import { SluiceError } from '../../format/errors.ts';
import { formatBytes, formatNumberOf } from '../../format/quantity.ts';
import type { LoaderService } from '../../loader/loader-service.ts';
import type { ProvidedBlock } from '../../protocol/loader-api.ts';
import type { BlockRun } from '../../protocol/messages.ts';
import { checkImage } from '../model/image-check.ts';
import { importImage } from '../model/import-image.ts';
import { shortDigest } from '../model/labels.ts';
import { savedImage } from '../model/save-image.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { isBlobHere } from '../model/stored-blobs.ts';
import type { Outcome, TaskControl } from '../model/tasks.ts';
import type { SaveTarget } from './save-target.ts';

/** Asks whoever leads at the moment; see LeaderLink.use. */
export type UseLeader = <T>(name: string, work: (service: LoaderService) => Promise<T>) => Promise<T>;

/** A task over the image that the snapshot is of. Rejects with what it failed of. */
export type ImageTask = (snapshot: Snapshot, use: UseLeader, control: TaskControl) => Promise<Outcome>;

/** What a block may take from the disk that lies there. */
const blockMs = 10_000;

/** Writes the image that the snapshot is of; it has to be complete. */
export async function saveImage(
  target: SaveTarget,
  { image }: Snapshot,
  use: UseLeader,
  { signal, onProgress }: TaskControl,
): Promise<Outcome> {
  const source = {
    readBootstrap: () => use('readBootstrap', (service) => service.readBootstrap(image.id)),
    blockTable: (blob: number) => use('blockTable', (service) => service.blockTable(image.id, blob)),
    readBlocks: (run: BlockRun) => use('readBlocks', (service) => readRun(service, image.id, run, signal)),
  };
  let bytes = 0;
  try {
    for await (const piece of savedImage(image, source, onProgress, signal)) {
      await target.write(piece);
      bytes += piece.length;
    }
    await target.end();
  } catch (error) {
    await target.abandon();
    throw error;
  }
  const what = `image ${shortDigest(image.id)} in ${formatNumberOf(image.blobCount, 'blob')}`;
  return {
    kind: 'good',
    text: `Saved ${formatBytes(bytes)}: ${what}, every block compared with its digest.`,
  };
}

/** Blocks come in any order. */
async function readRun(
  service: LoaderService,
  image: string,
  run: BlockRun,
  signal: AbortSignal,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const blocks = new Array<Uint8Array<ArrayBuffer>>(run.count);
  const query = { ...run, image, path: '(saved by the inspector)', timeoutMs: blockMs };
  await service.readBlocks(
    query,
    (block, { bytes }) => {
      blocks[block - run.first] = bytes;
    },
    signal,
  );
  return blocks;
}

/** Gives the loader what an archive has of the image that the snapshot is of. */
export async function takeImage(
  file: Blob,
  snapshot: Snapshot,
  use: UseLeader,
  { signal, onProgress }: TaskControl,
): Promise<Outcome> {
  const { image } = snapshot;
  const target = {
    image,
    isHere: (blob: number) => isBlobHere(snapshot, blob),
    provideBlocks: (blocks: readonly ProvidedBlock[]) =>
      use('provideBlocks', (service) => service.provideBlocks(image.id, blocks)),
  };
  const { blobs, blocks, bytes, skipped, missing } = await importImage(file, target, onProgress, signal);
  if (blobs === 0 && skipped === 0)
    throw new SluiceError('ENOENT', 'This archive holds no blob of the image');
  const parts = [
    `${formatNumberOf(blocks, 'block')} (${formatBytes(bytes)}) of ${formatNumberOf(blobs, 'blob')} imported`,
  ];
  if (skipped > 0) parts.push(`${formatNumberOf(skipped, 'blob')} had been here`);
  if (missing > 0) parts.push(`${formatNumberOf(missing, 'blob')} not in the archive`);
  return { kind: missing > 0 ? 'info' : 'good', text: `${parts.join('; ')}.` };
}

export async function scrubImage(
  { image }: Snapshot,
  use: UseLeader,
  { signal }: TaskControl,
): Promise<Outcome> {
  const { blocks, bytes, bad } = await use('scrub', (service) => service.scrub(image.id, signal));
  const read = `${formatNumberOf(blocks, 'block')}, ${formatBytes(bytes)} compared with their digests`;
  const findings = bad.map(({ blob, block, paths, lost }) => ({
    where: block < 0 ? `${shortDigest(blob)}, table` : `${shortDigest(blob)}, block ${block}`,
    message: lost ? 'bad, and nobody else has it' : 'bad: dropped; it comes again',
    paths,
  }));
  if (bad.length === 0) return { kind: 'good', text: `Clean: ${read}.` };
  return { kind: 'bad', text: `${formatNumberOf(bad.length, 'bad block')}; ${read}.`, findings };
}

export async function fsckImage(
  { image: { id } }: Snapshot,
  use: UseLeader,
  { signal, onProgress }: TaskControl,
): Promise<Outcome> {
  const store = {
    readBootstrap: () => use('readBootstrap', (service) => service.readBootstrap(id)),
    blockTable: (blob: number) => use('blockTable', (service) => service.blockTable(id, blob)),
  };
  const { files, blobs, tables, blocks, problems } = await checkImage(id, store, onProgress, signal);
  const checked = `bootstrap, ${formatNumberOf(files, 'file')}, ${tables} of ${formatNumberOf(blobs, 'block table')} (${formatNumberOf(blocks, 'block')})`;
  if (problems.length === 0)
    return { kind: 'good', text: `Clean: ${checked}. Blocks themselves are read by a scrub.` };
  return {
    kind: 'bad',
    text: `${formatNumberOf(problems.length, 'problem')} in ${checked}.`,
    findings: problems,
  };
}
