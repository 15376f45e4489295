import type { BlockTable } from '../../format/block-table.ts';
import { codecNames } from '../../format/codec-id.ts';
import { hex } from '../../format/sha256.ts';
import type { ReverseMap } from '../../image/reverse-map.ts';
import type { BlockPlace } from './block-space.ts';

/** What a block's table tells of it. */
export interface BlockFacts {
  readonly codec: string;
  /** Half-open, in bytes of the blob. */
  readonly start: number;
  readonly end: number;
  /** Bytes, once decoded. */
  readonly logicalLength: number;
  /** SHA-256 of the stored bytes, hex. */
  readonly digest: string;
}

export function blockFacts(table: BlockTable, block: number): BlockFacts {
  const { start, end } = table.stored(block);
  return {
    codec: codecNames[table.codec(block)] ?? 'unknown',
    start,
    end,
    logicalLength: table.logicalLength(block),
    digest: hex(table.digest(block)),
  };
}

/** A path whose bytes are in a block. */
export interface BlockOwnerPath {
  readonly path: string;
  /** Half-open, in bytes of the file. */
  readonly start: number;
  readonly end: number;
}

/** Every path that owns some of a block, in the order of the blob; at most `limit`, and how many there are. */
export function ownersOf(
  map: ReverseMap,
  { blob, block }: BlockPlace,
  limit: number,
): { readonly owners: readonly BlockOwnerPath[]; readonly count: number } {
  const owners: BlockOwnerPath[] = [];
  let count = 0;
  for (const { inode, fileStart: start, fileEnd: end } of map.owners(blob, block, block + 1)) {
    const paths = map.paths(inode);
    count += paths.length;
    for (const path of paths) if (owners.length < limit) owners.push({ path, start, end });
  }
  return { owners, count };
}
