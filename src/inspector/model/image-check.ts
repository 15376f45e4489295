import { BlockTable } from '../../format/block-table.ts';
import { SluiceError } from '../../format/errors.ts';
import { Image } from '../../image/image.ts';
import { ReverseMapFiles } from '../../image/reverse-map.ts';
import { spanProblem } from '../../image/span-problem.ts';

/** What the check reads, from whoever has it. */
export interface CheckedStore {
  /** The bootstrap as it is kept. */
  readBootstrap(): Promise<Uint8Array<ArrayBuffer>>;
  /** The table of a blob; undefined where it is not here. */
  blockTable(blob: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface ImageCheck {
  readonly image: string;
  readonly files: number;
  readonly directories: number;
  readonly blobs: number;
  /** That are here, and were compared with their digests. */
  readonly tables: number;
  /** Whose tables are here. */
  readonly blocks: number;
  /** Empty where all is as published. */
  readonly problems: readonly CheckProblem[];
}

export interface CheckProblem {
  /** `bootstrap`, `tree`, or a blob by its SHA-256. */
  readonly where: string;
  readonly message: string;
  /** Paths that cannot be read rightly because of it. */
  readonly paths: readonly string[];
}

/**
 * fsck of an image from outside of its loader: the bootstrap against its digest, every name and extent of the tree, every block table that is here against its
 * digest and against what the extents repeat of it. Blocks themselves are a scrub's. Damage is reported; throws where nothing answers.
 */
export async function checkImage(
  id: string,
  store: CheckedStore,
  onProgress: (done: number, of: number) => void,
  signal: AbortSignal,
): Promise<ImageCheck> {
  const problems: CheckProblem[] = [];
  let image: Image;
  try {
    image = await Image.open(await store.readBootstrap(), { sha256: id });
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push({ where: 'bootstrap', message: error.message, paths: ['/'] });
    return { image: id, files: 0, directories: 0, blobs: 0, tables: 0, blocks: 0, problems };
  }
  const tables = new Map<number, BlockTable>();
  const bad: { readonly blob: number; readonly message: string }[] = [];
  for (let blob = 0; blob < image.blobCount; blob++) {
    signal.throwIfAborted();
    try {
      const record = image.blob(blob);
      const bytes = await store.blockTable(blob);
      if (bytes) tables.set(blob, await BlockTable.open(bytes, record));
    } catch (error) {
      if (!isDamage(error)) throw error;
      bad.push({ blob, message: error.message });
    }
    onProgress(blob + 1, image.blobCount);
  }
  const tree = walk(image, tables, problems);
  const owners = tree.owners.map();
  for (const { blob, message } of bad) {
    const paths = owners.hurtPaths(blob, 0, Number.POSITIVE_INFINITY);
    problems.push({ where: image.blob(blob).sha256, message, paths });
  }
  let blocks = 0;
  for (const table of tables.values()) blocks += table.count;
  const { files, directories } = tree;
  return { image: id, files, directories, blobs: image.blobCount, tables: tables.size, blocks, problems };
}

/** Every record of the tree is read, every extent compared with its table. */
function walk(
  image: Image,
  tables: ReadonlyMap<number, BlockTable>,
  problems: CheckProblem[],
): { readonly files: number; readonly directories: number; readonly owners: ReverseMapFiles } {
  const owners = new ReverseMapFiles(image);
  let files = 0;
  try {
    for (const { inode, path } of image.files()) {
      files += 1;
      owners.add(inode, path);
      for (const span of image.mapExtents(inode, 0, image.inode(inode).size)) {
        const table = tables.get(span.blob);
        const problem = table && spanProblem(span, table);
        if (problem === undefined) continue;
        const message = `an extent differs from its block table: ${problem}`;
        problems.push({ where: 'tree', message, paths: [path] });
      }
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push({ where: 'tree', message: error.message, paths: [] });
  }
  return { files, directories: image.superblock.inodeCount - files, owners };
}

/** Of what was read, not of reading it. */
function isDamage(error: unknown): error is SluiceError {
  return (
    error instanceof SluiceError &&
    ['integrity', 'corrupt-image', 'not-an-image', 'unsupported-image', 'E2BIG'].includes(error.code)
  );
}
