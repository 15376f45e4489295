import type { BlockTable } from '../format/block-table.ts';
import type { BlockSource, Chunk } from '../protocol/block-source.ts';
import { BlockStream } from '../source/block-stream.ts';
import type { BlobState } from './blob-state.ts';
import type { FetchRequest } from './fetch-plan.ts';
import type { FlightKind, FlightView } from './flight-view.ts';
import type { FetchLog } from './inspection/fetch-log.ts';
import type { FetchRecord } from './inspection/fetch-record.ts';
import { planLimits } from './plan-limits.ts';

/** What a flight tells the engine as it goes. */
export interface FlightEvents {
  /** Some bytes came; the flight does not count them yet. */
  onBytes(flight: Flight, count: number): void;
  onTable(flight: Flight, table: BlockTable, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** All of the block's bytes are here; its verification begins. */
  onArrived(flight: Flight, block: number): void;
  onBlock(flight: Flight, table: BlockTable, block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  onBad(flight: Flight, block: number): void;
  /** The source sends the whole file instead of the range. False: that is coming already, this flight is of no use. */
  onWholeFile(flight: Flight): boolean;
  /** Settles when another flight has brought the blob's table; undefined when that one failed. */
  tableOf(flight: Flight): Promise<BlockTable | undefined>;
}

/** One request under way: from the source, through the block stream, to the engine. */
export class Flight implements FlightView<BlobState> {
  readonly blob: BlobState;
  readonly kind: FlightKind;
  readonly start: number;
  /** Clock time of its begin. */
  readonly since: number;
  /** What an inspector is told of it. */
  readonly record: FetchRecord;
  readonly #events: FlightEvents;
  readonly #abort = new AbortController();
  readonly #stream: BlockStream;
  #end: number;
  /** The answer may come from what the platform keeps: then it tells nothing of the link. */
  readonly cached: boolean;
  #whole: boolean;
  #received = 0;
  #delivered = 0;
  #broughtTable = false;
  /** Bytes of its first block that an earlier flight had brought. */
  readonly #resumed: number;

  constructor(request: FetchRequest<BlobState>, events: FlightEvents, now: number, log: FetchLog) {
    const { blob, kind, start, end } = request;
    this.since = now;
    this.blob = blob;
    this.kind = kind;
    this.start = start;
    this.#end = end;
    this.#whole = start === 0 && end === blob.length;
    this.cached = this.#whole && blob.length <= planLimits.wholeBytes && !blob.distrusted;
    this.#events = events;
    this.record = log.begin(this);
    const partial = blob.partial?.at === start ? blob.leftOver : undefined;
    if (partial) blob.leftOver = undefined;
    this.#resumed = partial?.filled ?? 0;
    this.#stream = new BlockStream({
      record: blob.record,
      table: blob.table,
      start,
      partial,
      wants: (block) => !blob.isHere(block),
      onTable: (table, bytes) => {
        this.#broughtTable = true;
        return events.onTable(this, table, bytes);
      },
      onArrived: (block) => {
        blob.arrived(block);
        events.onArrived(this, block);
      },
      onBlock: async (block, bytes) => {
        this.#delivered += 1;
        await events.onBlock(this, this.#stream.table!, block, bytes);
      },
      onBad: (block) => events.onBad(this, block),
    });
  }

  get end(): number {
    return this.#end;
  }

  get position(): number {
    return this.#stream.position;
  }

  get remaining(): number {
    return this.#end - this.#stream.at;
  }

  /** Bytes have come. */
  get answered(): boolean {
    return this.#received > 0;
  }

  /** All of the blob comes, from its first byte. */
  get whole(): boolean {
    return this.#whole;
  }

  /** It has still to bring a table that is not known otherwise. */
  get bringsTable(): boolean {
    return this.position === 0 && this.blob.table === undefined;
  }

  /**
   * Whether it brought us nearer to the end: if so, a failure is no reason to wait before going on from there. The bytes
   * count only where the next request can go on behind them.
   */
  get progressed(): boolean {
    if (this.#delivered > 0 || this.#broughtTable) return true;
    const kept = (this.#stream.leftOver()?.filled ?? 0) - this.#resumed;
    return !this.#whole && kept >= 16 * 1024;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /**
   * Runs to its end. `superseded`: another flight brings the same, or the table that it needed did not come.
   * Throws what the source throws, and `integrity` or `corrupt-image` for the table.
   */
  async run(source: BlockSource): Promise<'done' | 'superseded'> {
    const { blob, start } = this;
    const chunks = source
      .fetch({
        file: blob.record,
        start,
        end: this.#end,
        priority: this.kind === 'demand' ? 'high' : 'low',
        cached: this.cached,
        signal: this.#abort.signal,
      })
      [Symbol.asyncIterator]();
    try {
      for (let first = true; ; first = false) {
        const next = await chunks.next();
        if (next.done) break;
        if (first && !(await this.#begin(next.value))) return 'superseded';
        await this.#take(next.value);
      }
      return 'done';
    } finally {
      try {
        await chunks.return?.(undefined);
      } finally {
        // Also after a failure: what has arrived before it is good.
        await this.#stream.finish();
        blob.leftOver = this.#stream.leftOver() ?? blob.leftOver;
      }
    }
  }

  /** False: nothing can come of this flight. */
  async #begin({ offset }: Chunk): Promise<boolean> {
    if (offset < this.start) {
      if (!this.#events.onWholeFile(this)) return false;
      this.#whole = true;
      this.#end = this.blob.length;
    }
    if (offset === 0 || this.#stream.table) return true;
    const table = await this.#events.tableOf(this);
    if (table) this.#stream.useTable(table);
    return table !== undefined;
  }

  async #take(chunk: Chunk): Promise<void> {
    this.#events.onBytes(this, chunk.bytes.length);
    this.#received += chunk.bytes.length;
    await this.#stream.push(chunk);
  }
}
