import type { BlobRecord } from '../src/format/blob-record.ts';
import { BlockTable } from '../src/format/block-table.ts';
import { codecId } from '../src/format/codec-id.ts';
import type { FileTree } from '../src/image/file-tree.ts';
import { withDeadline } from '../src/protocol/deadline.ts';
import type { StoreReader } from '../src/store/store-reader.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Deliver } from './encoded-block.ts';
import { type Mapping, MappingCache } from './mapping-cache.ts';
import { blocksOf, type Run, runsOf } from './runs.ts';

const tableCacheBytes = 2 * 1024 * 1024;
/** A disk that is busy answers by then; one that does not is no reason to wait while the network can. */
const readDeadlineMs = 5000;
/** An answer of more slices would wait long for all their block tables before its first byte. */
const maxSlices = 64;
/** A Blob of small slices is slower than a stream from here (measured: 64 KiB 140 MB/s, 1 MiB 350 to 630). */
const minSliceBytes = 256 * 1024;
/** About 100 bytes each. */
const maxMappings = 4096;

/**
 * What the local store can answer without a loader: blocks that the journal calls present. They were verified before they were
 * written, so only block tables are checked again, once each.
 *
 * Nothing here is an error to the reader: a store that cannot be read (cleared by the browser, compacted under our eyes) is a store
 * without the block, and the next source is asked.
 */
export class LocalBlocks {
  readonly mappings = new MappingCache(maxMappings);
  readonly #store: StoreReader;
  readonly #tables = new BoundedCache<BlockTable>(tableCacheBytes);

  constructor(store: StoreReader) {
    this.#store = store;
  }

  has({ sha256 }: BlobRecord, block: number): boolean {
    return this.#store.has(sha256, block);
  }

  isSealed({ sha256 }: BlobRecord): boolean {
    return this.#store.sealed(sha256);
  }

  /** Whether nothing of it is missing. */
  isWhole(tree: FileTree): boolean {
    for (let i = 0; i < tree.blobCount; i++) {
      if (tree.hasBlob(i) && !this.isSealed(tree.blob(i))) return false;
    }
    return true;
  }

  /** Delivers what is here of the run. */
  async read(record: BlobRecord, run: Run, deliver: Deliver): Promise<void> {
    const { sha256 } = record;
    const isHere = (block: number): boolean => this.has(record, block);
    if (![...blocksOf(run)].some(isHere)) return;
    const table = await this.table(record);
    if (!table) return;
    // What is present is asked, and read, in one tick: later it may be another generation's truth.
    const reads = runsOf([...blocksOf(run)].filter(isHere)).map(async (part) => {
      // One read for neighbours: each costs messages to the browser's process.
      const start = table.stored(part.first).start;
      const bytes = await this.#bytes(sha256, start, table.stored(part.first + part.count - 1).end);
      if (!bytes) return;
      for (const block of blocksOf(part)) {
        const stored = table.stored(block);
        deliver(block, {
          codec: table.codec(block),
          logicalLength: table.logicalLength(block),
          bytes: bytes.subarray(stored.start - start, stored.end - start),
        });
      }
    });
    await Promise.all(reads);
  }

  /**
   * `[start, end)` of a file as a Blob of slices, if all of it lies raw in sealed blobs: the browser then reads it by
   * itself, without JavaScript, and whether or not this worker lives on. Sealed files never change, so the slices stay good.
   */
  async rawSlices(tree: FileTree, inode: number, start: number, end: number): Promise<Blob | undefined> {
    const file = `${tree.id}/${inode}`;
    const { sequence } = this.#store;
    const isSealed = (sha256: string): boolean => this.#store.sealed(sha256);
    let parts = this.mappings.lookup(file, start, end, sequence, isSealed);
    if (!parts) {
      parts = await this.#mapRaw(tree, inode, start, end);
      if (parts) this.mappings.insert(file, parts, sequence);
    }
    if (!parts || parts.length > maxSlices) return undefined;
    if (parts.length > 1 && (end - start) / parts.length < minSliceBytes) return undefined;
    const slices = await Promise.all(
      parts.map((part) => this.#sealedSlice(part.sha256, part.at, part.at + part.end - part.start)),
    );
    if (slices.includes(undefined)) return undefined;
    return slices.length === 1 ? slices[0] : new Blob(slices as Blob[]);
  }

  /** Undefined where not all of it lies raw in sealed blobs, or in too many pieces. */
  async #mapRaw(tree: FileTree, inode: number, start: number, end: number): Promise<Mapping[] | undefined> {
    const parts: { readonly start: number; end: number; readonly sha256: string; readonly at: number }[] = [];
    for (const span of tree.mapExtents(inode, start, end)) {
      const record = tree.blob(span.blob);
      const { sha256 } = record;
      if (!this.#store.sealed(sha256)) return undefined;
      const table = await this.table(record);
      if (!table) return undefined;
      for (const block of blocksOf({ first: span.firstBlock, count: span.blockCount })) {
        if (table.codec(block) !== codecId.raw) return undefined;
      }
      // Raw blocks lie one behind the other, as long stored as read: one slice for all of them.
      const at = table.stored(span.firstBlock).start + span.blockOffset;
      const last = parts.at(-1);
      if (last?.sha256 === sha256 && last.at + last.end - last.start === at) last.end += span.length;
      else parts.push({ start: span.fileOffset, end: span.fileOffset + span.length, sha256, at });
      if (parts.length > maxSlices) return undefined;
    }
    return parts;
  }

  /** The blob's block table, if it is here. */
  async table(record: BlobRecord): Promise<BlockTable | undefined> {
    if (record.blockSize !== undefined) return BlockTable.fixed(record);
    const cached = this.#tables.get(record.sha256);
    if (cached) return cached;
    if (!this.#store.hasTable(record.sha256)) return undefined;
    const bytes = await this.#bytes(record.sha256, 0, record.tableLength);
    if (!bytes) return undefined;
    try {
      const table = await BlockTable.open(bytes, record);
      this.#tables.set(record.sha256, table, record.tableLength);
      return table;
    } catch (error) {
      console.warn('sluice: a stored block table is not as it was published', error);
      return undefined;
    }
  }

  async #bytes(sha256: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await withDeadline('The local store', this.#store.read(sha256, start, end), readDeadlineMs);
    } catch (error) {
      console.warn('sluice: the local store could not be read', error);
      return undefined;
    }
  }

  async #sealedSlice(sha256: string, start: number, end: number): Promise<Blob | undefined> {
    if (!this.#store.sealed(sha256)) return undefined;
    try {
      return await withDeadline('The local store', this.#store.slice(sha256, start, end), readDeadlineMs);
    } catch (error) {
      console.warn('sluice: the local store could not be read', error);
      return undefined;
    }
  }
}
