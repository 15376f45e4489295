import type { BlockTable } from '../format/block-table.ts';

/** A stored block, verified. The bytes may be shared with other readers: copy before transferring them. */
export interface StoredBlock {
  readonly codec: number;
  readonly logicalLength: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function asStoredBlock(table: BlockTable, block: number, bytes: Uint8Array<ArrayBuffer>): StoredBlock {
  return { codec: table.codec(block), logicalLength: table.logicalLength(block), bytes };
}
