import type { BlockTable } from '../format/block-table.ts';
import type { FsmapFlag, FsmapOwner, FsmapPage, FsmapQuery, FsmapRow } from '../format/fsmap.ts';
import type { ReverseMap } from './reverse-map.ts';

/** One file of the physical space. */
export interface FsmapFile {
  readonly name: string;
  /** Bytes; of a blob as published, however much of it is stored. */
  readonly length: number;
  /** Of each of its rows, beside what is told of single blocks. */
  readonly flags: readonly FsmapFlag[];
  /** Tells more of a blob; asked only when its rows are. Any other file is one row. */
  readonly blob?: () => Promise<FsmapBlob>;
}

export interface FsmapBlob {
  /** Bytes; 0 where there is no table. */
  readonly tableLength: number;
  /** Undefined where it is not known: what lies behind it is one free row then. */
  readonly table: BlockTable | undefined;
  /** Whether a block is stored; -1 is the block table. */
  has(block: number): boolean;
  /** The images that refer to it, each with the blob's index there. */
  readonly users: readonly { readonly map: ReverseMap; readonly blob: number }[];
}

const defaultLimit = 1000;

/**
 * Walks the physical space in order, as XFS's GETFSMAP does: each stored or missing block with its owners and flags. Begins at the first row at or
 * behind `low` and ends before `high`; whoever gives keys gives `files` in the order of their names. Blobs outside of the keys are not opened.
 */
export async function* fsmap(
  files: Iterable<FsmapFile>,
  { low, high }: Pick<FsmapQuery, 'low' | 'high'> = {},
): AsyncGenerator<FsmapRow, void, undefined> {
  for (const file of files) {
    if ((low && file.name < low.file) || (high && file.name > high.file)) continue;
    const from = low?.file === file.name ? low.offset : 0;
    const to = high?.file === file.name ? high.offset : file.length;
    if (from >= to) continue;
    if (file.blob) yield* blobRows(file, await file.blob(), from, to);
    else if (from === 0) yield row(file, 0, file.length, file.flags);
  }
}

/** At most `limit` rows, and the key to go on with. */
export async function fsmapPage(files: Iterable<FsmapFile>, query: FsmapQuery): Promise<FsmapPage> {
  const { limit = defaultLimit } = query;
  const rows: FsmapRow[] = [];
  for await (const next of fsmap(files, query)) {
    if (rows.length >= limit) return { rows, next: { file: next.file, offset: next.start } };
    rows.push(next);
  }
  return { rows, next: undefined };
}

function* blobRows(
  file: FsmapFile,
  blob: FsmapBlob,
  from: number,
  to: number,
): Generator<FsmapRow, void, undefined> {
  const { tableLength, table, users } = blob;
  const free = (block: number): FsmapFlag[] => (blob.has(block) ? [] : ['free']);
  if (tableLength > 0 && from === 0)
    yield row(file, 0, tableLength, ['metadata', ...file.flags, ...free(-1)]);
  if (table === undefined) {
    // Nothing that needs its table can be stored without it.
    if (from <= tableLength && to > tableLength && file.length > tableLength)
      yield row(file, tableLength, file.length, [...file.flags, 'free']);
    return;
  }
  let block = Math.max(table.blockAt(from), 0);
  if (block < table.count && table.stored(block).start < from) block++;
  for (; block < table.count; block++) {
    const { start, end } = table.stored(block);
    if (start >= to) return;
    const owners = users.flatMap((user) => ownersOf(user.map, user.blob, block));
    const shared: FsmapFlag[] = owners.length > 1 ? ['shared'] : [];
    yield { ...row(file, start, end, [...shared, ...file.flags, ...free(block)]), block, owners };
  }
}

function ownersOf(map: ReverseMap, blob: number, block: number): FsmapOwner[] {
  return [...map.owners(blob, block, block + 1)].flatMap(({ inode, fileStart, fileEnd }) =>
    map.paths(inode).map((path) => ({ image: map.tree.id, path, start: fileStart, end: fileEnd })),
  );
}

function row(file: FsmapFile, start: number, end: number, flags: readonly FsmapFlag[]): FsmapRow {
  return { file: file.name, start, end, flags, block: undefined, owners: [] };
}
