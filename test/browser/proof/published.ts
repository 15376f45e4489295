import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockTable } from '../../../src/format/block-table.ts';
import { Image } from '../../../src/image/image.ts';
import type { LoggedRequest } from '../../support/origin.ts';
import type { SmallSite } from '../small-site.ts';

/** `[start, end)` of a published file that a request brought (or was to bring), in bytes. */
export interface Fetched {
  /** Name of the file without `.bin`. */
  readonly sha256: string;
  readonly start: number;
  readonly end: number;
}

/** A published image, to check what was fetched of it and what is kept. */
export class Published {
  readonly image: Image;
  readonly tables: ReadonlyMap<string, BlockTable>;

  private constructor(image: Image, tables: ReadonlyMap<string, BlockTable>) {
    this.image = image;
    this.tables = tables;
  }

  static async open(site: SmallSite): Promise<Published> {
    const image = await Image.open(new Uint8Array(await readFile(join(site.dir, `${site.image}.bin`))));
    const tables = new Map<string, BlockTable>();
    for (let i = 0; i < image.blobCount; i++) {
      const record = image.blob(i);
      const bytes = new Uint8Array(await readFile(join(site.dir, `${record.sha256}.bin`)));
      if (createHash('sha256').update(bytes).digest('hex') !== record.sha256) throw new Error('a bad build');
      tables.set(record.sha256, await BlockTable.open(bytes.slice(0, record.tableLength), record));
    }
    return new Published(image, tables);
  }

  /** Which of the blob's blocks a range touches, and its table if it does (-1). */
  blocksOf({ sha256, start, end }: Fetched): number[] {
    const table = this.tables.get(sha256);
    if (!table) return [];
    const first = table.blockAt(start);
    const last = Math.min(table.blockAt(end - 1), table.count - 1);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  /** The blobs that hold the file's bytes, by SHA-256. */
  blobsOf(path: string): string[] {
    const inode = this.image.lookup(path);
    if (inode === undefined) throw new Error(`the image has no ${path}`);
    const spans = this.image.mapExtents(inode, 0, this.image.inode(inode).size);
    return [...new Set([...spans].map(({ blob }) => this.image.blob(blob).sha256))];
  }

  /** Where in its blob the file's byte at `offset` begins to be stored: the block's first stored byte. */
  blockAt(path: string, offset: number): { sha256: string; block: number; start: number; end: number } {
    const [span] = this.image.mapRange(this.image.lookup(path)!, offset, offset + 1);
    const { sha256 } = this.image.blob(span!.blob);
    return { sha256, block: span!.block, ...this.tables.get(sha256)!.stored(span!.block) };
  }
}

/** What the requests for published files asked for; `sent`: only as far as the server got. */
export function fetchedRanges(requests: readonly LoggedRequest[], how: 'asked' | 'sent'): Fetched[] {
  return requests.flatMap((request) => {
    const sha256 = /([0-9a-f]{64})\.bin$/.exec(request.path)?.[1];
    if (sha256 === undefined || request.method !== 'GET') return [];
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.range ?? '');
    const start = range && request.status !== 200 ? Number(range[1]) : 0;
    const asked = range ? Number(range[2]) + 1 : Number.POSITIVE_INFINITY;
    const end = how === 'asked' ? asked : start + request.bodyBytes;
    return end > start ? [{ sha256, start, end }] : [];
  });
}

/** How many bytes were brought more than once: all bytes less their union. */
export function twiceFetched(fetched: readonly Fetched[]): number {
  const byFile = new Map<string, Fetched[]>();
  for (const range of fetched) byFile.set(range.sha256, [...(byFile.get(range.sha256) ?? []), range]);
  let twice = 0;
  for (const ranges of byFile.values()) {
    let reached = 0;
    for (const { start, end } of ranges.sort((a, b) => a.start - b.start)) {
      twice += Math.max(0, Math.min(end, reached) - start);
      reached = Math.max(reached, end);
    }
  }
  return twice;
}
