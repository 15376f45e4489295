import type { LinkExchange } from '../../bench/link.ts';
import { type Fetched, type Published, twiceFetched } from '../browser/proof/published.ts';

/** How often what an image consists of was brought over a link. */
export interface BlockFetches {
  readonly blocks: number;
  /** How many blocks arrived whole 0, 1, 2, … times. */
  readonly times: readonly number[];
  readonly storedBytes: number;
  readonly fetchedBytes: number;
  /** All that was brought, less its union: also what was cut off in the middle of a block. */
  readonly twiceBytes: number;
}

/** Headers are counted with the body. */
const headerBytes = 300;

/** The published ranges that crossed the link, as far as they arrived. */
export function arrivedRanges(exchanges: readonly LinkExchange[]): Fetched[] {
  return exchanges.flatMap(({ line, range, bytes }): Fetched[] => {
    const sha256 = /^GET \S*\/([0-9a-f]{64})\.bin/.exec(line)?.[1];
    if (sha256 === undefined) return [];
    const start = Number(range.split('-')[0] ?? 0);
    const asked = range ? Number(range.split('-')[1]) + 1 : Number.POSITIVE_INFINITY;
    const end = Math.min(asked, start + bytes - headerBytes);
    return end > start ? [{ sha256, start, end }] : [];
  });
}

/** What of that was the images' blobs. */
export function blockFetches(
  published: readonly Published[],
  exchanges: readonly LinkExchange[],
): BlockFetches {
  const tables = new Map(published.flatMap((image) => [...image.tables]));
  const fetched = arrivedRanges(exchanges).filter(({ sha256 }) => tables.has(sha256));
  const counts = new Map<string, number>();
  for (const range of fetched) {
    const table = tables.get(range.sha256)!;
    for (let block = Math.max(0, table.blockAt(range.start)); block < table.count; block++) {
      const { start, end } = table.stored(block);
      if (end > range.end) break;
      if (start < range.start) continue;
      const key = `${range.sha256} ${block}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const blocks = [...tables.values()].reduce((sum, { count }) => sum + count, 0);
  const times = [blocks - counts.size];
  for (const count of counts.values()) times[count] = (times[count] ?? 0) + 1;
  return {
    blocks,
    times: Array.from(times, (count) => count ?? 0),
    storedBytes: [...tables.values()].reduce((sum, table) => sum + table.stored(table.count - 1).end, 0),
    fetchedBytes: fetched.reduce((sum, { start, end }) => sum + end - start, 0),
    twiceBytes: twiceFetched(fetched),
  };
}
