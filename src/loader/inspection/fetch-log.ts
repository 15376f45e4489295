import type { InspectedFetch } from '../../protocol/inspection.ts';
import { type FetchBegin, FetchRecord, type FetchRecordOptions } from './fetch-record.ts';
import { WaitLog } from './wait-steps.ts';

const capacity = 2048;

/**
 * What the last requests were for and what became of them: a few counters each, kept whether or not somebody looks. What each block that a reader waited
 * for went through is in {@link waits}.
 */
export class FetchLog {
  readonly waits = new WaitLog();
  readonly #options: FetchRecordOptions;
  /** Oldest first. */
  readonly #records: FetchRecord[] = [];
  #serial = 0;
  #revision = 0;

  constructor(options: Pick<FetchRecordOptions, 'now' | 'isAwaited'>) {
    this.#options = { ...options, waits: this.waits, nextRevision: () => ++this.#revision };
  }

  /** Grows with every change of a record. */
  get revision(): number {
    return this.#revision;
  }

  /** A request begins; what becomes of it is told to the record. */
  begin(fetch: FetchBegin): FetchRecord {
    const record = new FetchRecord(++this.#serial, fetch, this.#options);
    this.#records.push(record);
    if (this.#records.length > capacity) this.#records.shift();
    return record;
  }

  /**
   * Those that have changed after `revision` and are of a blob that has an index, oldest first. `origin` is what makes Unix time of the clock's.
   */
  after(
    revision: number,
    indexOf: (sha256: string) => number | undefined,
    origin: number,
  ): readonly InspectedFetch[] {
    const fetches: InspectedFetch[] = [];
    for (const record of this.#records) {
      if (record.revision <= revision) continue;
      const blob = indexOf(record.sha256);
      if (blob !== undefined) fetches.push(record.told(blob, origin));
    }
    return fetches;
  }
}
