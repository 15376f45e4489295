import type { BlobRecord } from '../src/format/blob-record.ts';
import { BlockTable, verifyBlock } from '../src/format/block-table.ts';
import { SluiceError } from '../src/format/errors.ts';
import type { Image } from '../src/image/image.ts';
import type { ProvideBlocks } from '../src/protocol/messages.ts';
import type { BlockSource } from '../src/source/block-source.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Deliver } from './encoded-block.ts';
import { blocksOf, type Run, runsOf } from './runs.ts';

const cacheBytes = 8 * 1024 * 1024;
/** A dropped connection is tried again so soon, once: what is longer away is away. */
const retryMs = 150;
/** The block table of a blob goes under this number, as in `provide-blocks`. */
const tableBlock = -1;

/**
 * Reads missing blocks from the network when there is no loader to do it. Stores nothing (there is one writer, and it is a
 * loader), but remembers a few megabytes to hand them to the next loader, so that nothing is fetched twice.
 *
 * Whoever calls sees to it that one block is not asked for twice at the same time; tables are shared here.
 */
export class SelfFetch {
  readonly #source: BlockSource;
  readonly #fetched = new BoundedCache<Fetched>(cacheBytes);
  readonly #opening = new Map<string, Promise<BlockTable>>();

  constructor(source: BlockSource) {
    this.#source = source;
  }

  /** Delivers the run's blocks, each verified. Throws the source's errors, `integrity`, or the signal's reason. */
  async read(image: Image, blob: number, run: Run, deliver: Deliver, signal: AbortSignal): Promise<void> {
    const place = { image, blob, record: image.blob(blob) };
    const table = await this.#table(place);
    const missing: number[] = [];
    const give = (block: number, bytes: Uint8Array<ArrayBuffer>): void =>
      deliver(block, { codec: table.codec(block), logicalLength: table.logicalLength(block), bytes });
    for (const block of blocksOf(run)) {
      const cached = this.#fetched.get(keyOf(place, block));
      if (cached) give(block, cached.bytes);
      else missing.push(block);
    }
    const wrong: number[] = [];
    for (const part of runsOf(missing)) {
      // A source that gives whole files only is asked for all of it, once.
      const asked = this.#source.wholeFiles ? { first: 0, count: table.count } : part;
      const wanted = new Set(blocksOf(part));
      for await (const { block, bytes } of this.#cut(place, table, asked, signal)) {
        if (await verifyBlock(table, block, bytes)) {
          this.#remember(place, block, bytes);
          if (wanted.has(block)) give(block, bytes);
        } else if (wanted.has(block)) wrong.push(block);
      }
    }
    for (const block of wrong) give(block, await this.#again(place, table, block, signal));
  }

  /** What was fetched lately, for a loader to verify and store. */
  provisions(): ProvideBlocks[] {
    const messages = new Map<string, Fetched[]>();
    for (const fetched of this.#fetched.values()) {
      const blocks = messages.get(fetched.image);
      if (blocks) blocks.push(fetched);
      else messages.set(fetched.image, [fetched]);
    }
    return [...messages].map(([image, fetched]) => ({
      type: 'provide-blocks',
      image,
      blocks: fetched.map(({ blob, block, bytes }) => ({ blob, block, bytes })),
    }));
  }

  /** One refetch, in case that the bytes were spoilt on the way. */
  async #again(
    place: Place,
    table: BlockTable,
    block: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    for await (const { bytes } of this.#cut(place, table, { first: block, count: 1 }, signal)) {
      if (await verifyBlock(table, block, bytes)) {
        this.#remember(place, block, bytes);
        return bytes;
      }
    }
    const { sha256 } = place.record;
    throw new SluiceError('integrity', `Block ${block} of blob ${sha256} does not match its digest, twice`);
  }

  /** The run's stored blocks as they arrive, not verified. */
  async *#cut(
    place: Place,
    table: BlockTable,
    run: Run,
    signal: AbortSignal,
  ): AsyncGenerator<{ block: number; bytes: Uint8Array<ArrayBuffer> }> {
    const start = table.stored(run.first).start;
    const last = run.first + run.count - 1;
    const end = table.stored(last).end;
    const buffer = new Uint8Array(end - start);
    let block = run.first;
    for await (const filled of this.#fill(place, start, buffer, signal)) {
      for (; block <= last && table.stored(block).end <= start + filled; block++) {
        const stored = table.stored(block);
        yield { block, bytes: buffer.slice(stored.start - start, stored.end - start) };
      }
    }
  }

  /**
   * Fills `into` with the blob's bytes from `start`, and yields how much is there, growing. Asks again once when the network drops
   * it (a connection that was kept alive too long looks like a network that is away).
   */
  async *#fill(
    { record }: Place,
    start: number,
    into: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): AsyncGenerator<number> {
    const file = { sha256: record.sha256, length: record.length };
    const end = start + into.length;
    let filled = 0;
    for (let retried = false; ; retried = true) {
      try {
        const request = { file, start: start + filled, end, priority: 'high', signal } as const;
        for await (const { offset, bytes } of this.#source.fetch(request)) {
          // A source may begin earlier than asked and go on further.
          const at = start + filled;
          const part = bytes.subarray(Math.max(0, at - offset), Math.max(0, end - offset));
          into.set(part, filled);
          filled += part.length;
          yield filled;
          if (filled === into.length) return;
        }
      } catch (error) {
        if (retried || !(error instanceof SluiceError) || error.code !== 'offline') throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async #table(place: Place): Promise<BlockTable> {
    const key = place.record.sha256;
    // Not tied to the first reader's signal: others wait for it too, and a table is small.
    const opening = this.#opening.get(key) ?? this.#openTable(place).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }

  async #openTable(place: Place): Promise<BlockTable> {
    const { record } = place;
    const cached = this.#fetched.get(keyOf(place, tableBlock));
    if (cached) return BlockTable.open(cached.bytes, record);
    for (let retried = false; ; retried = true) {
      const bytes = new Uint8Array(record.tableLength);
      for await (const _ of this.#fill(place, 0, bytes, new AbortController().signal));
      try {
        const table = await BlockTable.open(bytes, record);
        this.#remember(place, tableBlock, bytes);
        return table;
      } catch (error) {
        if (retried || !(error instanceof SluiceError) || error.code !== 'integrity') throw error;
      }
    }
  }

  #remember(place: Place, block: number, bytes: Uint8Array<ArrayBuffer>): void {
    const fetched = { image: place.image.id, blob: place.blob, block, bytes };
    this.#fetched.set(keyOf(place, block), fetched, bytes.length);
  }
}

interface Place {
  readonly image: Image;
  readonly blob: number;
  readonly record: BlobRecord;
}

interface Fetched {
  readonly image: string;
  readonly blob: number;
  readonly block: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function keyOf({ record }: Place, block: number): string {
  return `${record.sha256}:${block}`;
}
