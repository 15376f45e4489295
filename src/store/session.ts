import { isCode } from '../format/errors.ts';
import type { JournalRecord } from './journal.ts';
import type { JournalWriter } from './journal-writer.ts';
import type { WriterState } from './writer-state.ts';

/**
 * This writer's sessions in the journal: a begin before the first record, an end when it rests. What is written in one that has no end is to be
 * checked at the next mount (Sessions in STORE.md). Invariant: `begun` says whether the state is within a session of this writer.
 */
export class Session {
  readonly #journal: JournalWriter;
  readonly #state: WriterState;
  #begun = false;

  constructor(journal: JournalWriter, state: WriterState) {
    this.#journal = journal;
    this.#state = state;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Appends to the journal, behind this session's begin. The records themselves are for the caller to make true in the state. */
  append(records: readonly JournalRecord[]): void {
    if (this.#begun || records.length === 0) {
      this.#journal.append(records);
      return;
    }
    this.#journal.append([{ type: 'session-begin' }, ...records]);
    this.#begin();
  }

  /** The state has these blocks already; what is new is that this session wrote them. */
  noteWritten(records: readonly JournalRecord[]): void {
    const written = records.filter(({ type }) => type === 'present' || type === 'local-present');
    if (written.length > 0 && !this.#begun) this.#begin();
    for (const record of written) this.#state.apply(record);
  }

  end(): void {
    if (!this.#begun) return;
    try {
      this.#journal.append([{ type: 'session-end' }]);
      this.#state.apply({ type: 'session-end' });
      this.#begun = false;
    } catch (error) {
      // Everything is durable. Without an end the next session checks what this one wrote, which does no harm.
      if (!isCode(error, 'ENOSPC')) throw error;
    }
  }

  #begin(): void {
    this.#state.apply({ type: 'session-begin' });
    this.#begun = true;
  }
}
