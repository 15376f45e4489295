import type { Clock } from '../../protocol/clock.ts';
import type { WorkerFacts } from '../../protocol/messages.ts';

export interface WorkerViewOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Never rejects. */
  readonly facts?: (() => Promise<WorkerFacts | undefined>) | undefined;
}

/** The service worker has reads to answer: it is asked at most so often, however many inspectors there are. */
const againMs = 500;

/** What the service worker knows of itself and its pages, as it was not long ago. */
export class WorkerView {
  readonly #options: WorkerViewOptions;
  #last: { readonly at: number; readonly facts: Promise<WorkerFacts | undefined> } | undefined;

  constructor(options: WorkerViewOptions) {
    this.#options = options;
  }

  /** Undefined where there is none, or none that answers. */
  facts(): Promise<WorkerFacts | undefined> {
    const { clock, facts = async () => undefined } = this.#options;
    const now = clock.now();
    if (!this.#last || now - this.#last.at >= againMs) this.#last = { at: now, facts: facts() };
    return this.#last.facts;
  }
}
