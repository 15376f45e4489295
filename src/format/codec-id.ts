/** How a stored block is encoded: the high byte of its entry in the block table. */
export const codecId = { raw: 0, zstd: 1, lz4: 2 } as const;

export type CodecName = keyof typeof codecId;
export type CodecId = (typeof codecId)[CodecName];

/** Names by id; undefined for an id that this version does not know. */
export const codecNames: Readonly<Record<number, CodecName | undefined>> = { 0: 'raw', 1: 'zstd', 2: 'lz4' };
