import type { BlobRecord } from '../src/format/blob-record.ts';
import type { BlockTable } from '../src/format/block-table.ts';
import { SluiceError } from '../src/format/errors.ts';
import type { FileTree } from '../src/image/file-tree.ts';
import type { BlockSource } from '../src/protocol/block-source.ts';
import { systemClock } from '../src/protocol/clock.ts';
import type { BringingBlocks, ProvideBlocks } from '../src/protocol/messages.ts';
import { BlockStream } from '../src/source/block-stream.ts';
import { retrying } from '../src/source/retrying.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Deliver, EncodedBlock } from './encoded-block.ts';
import { blocksOf, type Run, runsOf } from './runs.ts';

const cacheBytes = 8 * 1024 * 1024;
const tableCacheBytes = 2 * 1024 * 1024;
/** For a block table, whoever waits for it. */
const tableTimeoutMs = 30_000;
/** The block table of a blob goes under this number, as in `provide-blocks`. */
const tableBlock = -1;

/** How long a reader waits, and when it does so no more. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SelfFetchOptions {
  /** A block table that is here already. */
  readonly storedTable?: (record: BlobRecord) => Promise<BlockTable | undefined>;
  /** Takes what has come for good; false: nobody can now. */
  readonly take?: (message: ProvideBlocks) => boolean;
  readonly random?: () => number;
}

/**
 * Reads missing blocks from the network when there is no loader to do it. Stores nothing (there is one writer, and it is a
 * loader), but remembers a few megabytes to hand them to the next loader, so that nothing is fetched twice.
 *
 * Whoever calls sees to it that one block is not asked for twice at the same time; tables are shared here.
 */
export class SelfFetch {
  readonly #source: BlockSource;
  readonly #storedTable: (record: BlobRecord) => Promise<BlockTable | undefined>;
  readonly #take: (message: ProvideBlocks) => boolean;
  readonly #random: () => number;
  readonly #fetched = new BoundedCache<Fetched>(cacheBytes);
  readonly #tables = new BoundedCache<BlockTable>(tableCacheBytes);
  readonly #opening = new Map<string, Promise<BlockTable>>();

  /** What was asked for and has not ended. */
  readonly #underWay = new Set<BringingBlocks>();

  constructor(source: BlockSource, options: SelfFetchOptions = {}) {
    this.#source = source;
    this.#storedTable = options.storedTable ?? (async () => undefined);
    this.#take = options.take ?? (() => false);
    this.#random = options.random ?? Math.random;
  }

  /**
   * Delivers the run's blocks, each verified, in any order; what fails in passing is tried again as the loader does. Throws the
   * source's errors, `integrity`, or the signal's reason; what was delivered before that stands.
   */
  async read(image: FileTree, blob: number, run: Run, deliver: Deliver, patience: Patience): Promise<void> {
    const message: BringingBlocks = { type: 'bringing-blocks', image: image.id, blob, ...run };
    this.#underWay.add(message);
    try {
      await this.#read({ image, blob, record: image.blob(blob) }, run, deliver, patience);
    } finally {
      this.#underWay.delete(message);
    }
  }

  /** Delivers the block if it was fetched lately. */
  give(image: FileTree, blob: number, block: number, deliver: Deliver): void {
    this.#give({ image, blob, record: image.blob(blob) }, block, deliver);
  }

  #give(place: Place, block: number, deliver: Deliver): void {
    const table = this.#tables.get(place.record.sha256);
    const fetched = this.#fetched.get(keyOf(place, block));
    if (table && fetched) deliver(block, encodedBlock(table, block, fetched.bytes));
  }

  async #read(place: Place, run: Run, deliver: Deliver, patience: Patience): Promise<void> {
    const missing = new Set(blocksOf(run));
    const deliverOnce: Deliver = (block, encoded) => {
      if (missing.delete(block)) deliver(block, encoded);
    };
    let table = this.#tables.get(place.record.sha256);
    // Tried again by itself. A source that gives whole files brings it with the blocks.
    if (!this.#source.wholeFiles) table ??= await this.#table(place);
    for (const block of missing) this.#give(place, block, deliverOnce);
    await this.#retrying(patience, async () => {
      for (const { first, count } of runsOf([...missing])) {
        if (!missing.has(first)) continue; // A whole file has brought it on the way.
        const start = table ? table.stored(first).start : 0;
        const end = table ? table.stored(first + count - 1).end : place.record.length;
        table = (await this.#bring(place, table, start, end, deliverOnce, patience.signal)) ?? table;
      }
      const [wrong] = missing;
      if (wrong === undefined) return;
      throw new SluiceError(
        'integrity',
        `Block ${wrong} of blob ${place.record.sha256} does not match its digest`,
      );
    });
  }

  /** What was asked for and has still to come, in part at least. */
  get underWay(): Iterable<BringingBlocks> {
    return this.#underWay;
  }

  /** What was fetched lately, for a loader to verify and store. From then on it is that loader's to give. */
  handOver(): ProvideBlocks[] {
    const messages = new Map<string, Fetched[]>();
    for (const fetched of this.#fetched.values()) {
      const blocks = messages.get(fetched.image);
      if (blocks) blocks.push(fetched);
      else messages.set(fetched.image, [fetched]);
    }
    this.#fetched.clear();
    return [...messages].map(([image, fetched]) => ({
      type: 'provide-blocks',
      image,
      blocks: fetched.map(({ blob, block, bytes }) => ({ blob, block, bytes })),
    }));
  }

  /** Asks for `[start, end)` of the blob, remembers and gives what is right of what comes. Without a table it must begin at 0. */
  async #bring(
    place: Place,
    table: BlockTable | undefined,
    start: number,
    end: number,
    deliver: Deliver,
    signal: AbortSignal,
  ): Promise<BlockTable | undefined> {
    const { record } = place;
    const stream = new BlockStream({
      record,
      table,
      start,
      partial: undefined,
      wants: () => true,
      onTable: async (table, bytes) => {
        this.#tables.set(record.sha256, table, bytes.length);
        this.#remember(place, tableBlock, bytes);
      },
      onArrived: () => {},
      onBlock: async (block, bytes) => {
        this.#remember(place, block, bytes);
        deliver(block, encodedBlock(stream.table!, block, bytes));
      },
      onBad: () => {}, // It stays missing, which the caller sees.
    });
    const file = { sha256: record.sha256, length: record.length };
    // A source that gives whole files only is asked for all of it, once.
    const range = this.#source.wholeFiles ? { start: 0, end: record.length } : { start, end };
    try {
      for await (const chunk of this.#source.fetch({ file, ...range, priority: 'high', signal })) {
        await stream.push(chunk);
      }
    } finally {
      await stream.finish();
    }
    return stream.table;
  }

  async #table(place: Place): Promise<BlockTable> {
    const { sha256, tableLength } = place.record;
    const known = this.#tables.get(sha256) ?? this.#opening.get(sha256);
    if (known) return known;
    // Not tied to the first reader's patience: others wait for it too, and a table is small.
    const patience = { timeoutMs: tableTimeoutMs, signal: new AbortController().signal };
    const opening = this.#retrying(patience, async () => {
      const stored = await this.#storedTable(place.record);
      if (stored) {
        this.#tables.set(sha256, stored, tableLength);
        return stored;
      }
      const table = await this.#bring(place, undefined, 0, tableLength, () => {}, patience.signal);
      if (!table) throw new SluiceError('unreadable', `The block table of blob ${sha256} did not come`);
      return table;
    }).finally(() => this.#opening.delete(sha256));
    this.#opening.set(sha256, opening);
    return opening;
  }

  #retrying<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
    return retrying(work, { ...patience, clock: systemClock, random: this.#random });
  }

  #remember(place: Place, block: number, bytes: Uint8Array<ArrayBuffer>): void {
    const fetched = { image: place.image.id, blob: place.blob, block, bytes };
    const { image, ...given } = fetched;
    if (this.#take({ type: 'provide-blocks', image, blocks: [given] })) return;
    this.#fetched.set(keyOf(place, block), fetched, bytes.length);
  }
}

interface Place {
  readonly image: FileTree;
  readonly blob: number;
  readonly record: BlobRecord;
}

interface Fetched {
  readonly image: string;
  readonly blob: number;
  readonly block: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function encodedBlock(table: BlockTable, block: number, bytes: Uint8Array<ArrayBuffer>): EncodedBlock {
  return { codec: table.codec(block), logicalLength: table.logicalLength(block), bytes };
}

function keyOf({ record }: Place, block: number): string {
  return `${record.sha256}:${block}`;
}
